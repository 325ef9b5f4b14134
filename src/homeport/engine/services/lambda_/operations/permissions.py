"""Resource policies: who else may invoke a function, version or alias.

https://docs.aws.amazon.com/lambda/latest/dg/access-control-resource-based.html
"""

from __future__ import annotations

import json
import re
import uuid
from typing import Any

from homeport.engine.services.context import Context
from homeport.engine.services.lambda_.names import arn_of, find_function, invalid, version_of
from homeport.engine.services.lambda_.operations.functions import check_revision
from homeport.engine.services.lambda_.tables import FUNCTIONS, LATEST, Row
from homeport.engine.services.service import operation
from homeport.engine.wire.errors import AwsError

_LONGEST = 20480
_SERVICE = re.compile(r"[a-z0-9.-]+\.amazonaws\.com(\.cn)?")
_PERSON = re.compile(r"arn:aws[a-z-]*:(iam|sts)::\d{12}:.+")


@operation
async def add_permission(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """https://docs.aws.amazon.com/lambda/latest/api/API_AddPermission.html"""
    with ctx.store.transaction():
        function, qualifier = _find(ctx, request)
        if qualifier == LATEST:
            raise invalid("We currently do not support adding policies for $LATEST.")
        policy = _policy(function, qualifier)
        check_revision(request, policy["RevisionId"])
        if any(each["Sid"] == request["StatementId"] for each in policy["Statement"]):
            raise AwsError(
                "ResourceConflictException",
                f"The statement id ({request['StatementId']}) provided already exists. Please provide a new statement "
                "id, or remove the existing statement.",
                Type="User",
            )
        statement = _statement(request, arn_of(ctx, function["FunctionName"], qualifier))
        policy["Statement"].append(statement)
        if len(json.dumps(policy)) > _LONGEST:
            raise AwsError(
                "PolicyLengthExceededException", f"The policy is longer than {_LONGEST} bytes.", 400
            )
        _put(ctx, function, qualifier, policy)
    return {"Statement": json.dumps(statement)}


def _find(ctx: Context, request: dict[str, Any]) -> tuple[Row, str | None]:
    function, qualifier = find_function(ctx, request)
    version_of(ctx, function["FunctionName"], qualifier)
    return function, qualifier


def _policy(function: Row, qualifier: str | None) -> Row:
    found = function["Policies"].get(qualifier or "")
    empty = {"Version": "2012-10-17", "Id": "default", "Statement": [], "RevisionId": ""}
    return found or empty


def _put(ctx: Context, function: Row, qualifier: str | None, policy: Row) -> None:
    policies = {**function["Policies"], qualifier or "": policy | {"RevisionId": str(uuid.uuid4())}}
    FUNCTIONS.put(ctx, {**function, "Policies": policies})


def _statement(request: dict[str, Any], arn: str) -> dict[str, Any]:
    statement: dict[str, Any] = {
        "Sid": request["StatementId"],
        "Effect": "Allow",
        "Principal": _principal(request["Principal"]),
        "Action": request["Action"],
        "Resource": arn,
    }
    equal = {
        "AWS:SourceAccount": request.get("SourceAccount"),
        "aws:PrincipalOrgID": request.get("PrincipalOrgID"),
        "lambda:EventSourceToken": request.get("EventSourceToken"),
        "lambda:FunctionUrlAuthType": request.get("FunctionUrlAuthType"),
    }
    condition: dict[str, Any] = {}
    if given := {key: value for key, value in equal.items() if value}:
        condition["StringEquals"] = given
    if source := request.get("SourceArn"):
        condition["ArnLike"] = {"AWS:SourceArn": source}
    if condition:
        statement["Condition"] = condition
    return statement


def _principal(given: str) -> Any:
    if given == "*":
        return "*"
    if re.fullmatch(r"\d{12}", given):
        return {"AWS": f"arn:aws:iam::{given}:root"}
    if _PERSON.fullmatch(given):
        return {"AWS": given}
    if _SERVICE.fullmatch(given):
        return {"Service": given}
    raise invalid("The provided principal was invalid. Please check the principal and try again.")


@operation
async def remove_permission(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """https://docs.aws.amazon.com/lambda/latest/api/API_RemovePermission.html"""
    with ctx.store.transaction():
        function, qualifier = _find(ctx, request)
        policy = _policy(function, qualifier)
        check_revision(request, policy["RevisionId"])
        left = [each for each in policy["Statement"] if each["Sid"] != request["StatementId"]]
        if len(left) == len(policy["Statement"]):
            raise AwsError(
                "ResourceNotFoundException",
                f"Statement {request['StatementId']} is not found in resource policy.",
                Type="User",
            )
        _put(ctx, function, qualifier, {**policy, "Statement": left})
    return {}


@operation
async def get_policy(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """https://docs.aws.amazon.com/lambda/latest/api/API_GetPolicy.html"""
    function, qualifier = _find(ctx, request)
    policy = _policy(function, qualifier)
    if not policy["Statement"]:
        raise AwsError("ResourceNotFoundException", "The resource you requested does not exist.", Type="User")
    revision = policy["RevisionId"]
    return {"Policy": json.dumps(_shown(policy)), "RevisionId": revision}


def _shown(policy: Row) -> Row:
    return {key: value for key, value in policy.items() if key != "RevisionId"}


async def resource_policy(ctx: Context, arn: str) -> dict[str, Any] | None:
    """The policy of the function, version or alias of this ARN."""
    name, _, qualifier = arn.partition(":function:")[2].partition(":")
    function = FUNCTIONS.get(ctx, name)
    policy = function["Policies"].get(qualifier) if function else None
    return _shown(policy) if policy and policy["Statement"] else None
