"""Lambda's types: functions, versions, aliases, permissions, and how asynchronous invocations are handled."""

from __future__ import annotations

import asyncio
import io
import zipfile
from dataclasses import replace
from importlib.resources import files
from typing import Any

from homeport.engine.services.cloudformation.resources.calls import Call, build, variables
from homeport.engine.services.cloudformation.resources.generic import Type
from homeport.engine.services.cloudformation.resources.parts import Put, Tags
from homeport.engine.services.cloudformation.resources.provider import Request

_KEY = {"FunctionName": "id"}
_CODE = {
    name: f"properties.Code.{name}"
    for name in ("ZipFile", "S3Bucket", "S3Key", "S3ObjectVersion", "ImageUri")
}
_RESPONSE_MODULES = {"py": "cfnresponse.py", "js": "node_modules/cfn-response.js"}


class Function(Type):
    """AWS::Lambda::Function. Code in the template is packed as `index.<suffix>`, as on AWS."""

    async def create(self, request: Request) -> Any:
        return await super().create(_packed(request))

    async def update(self, request: Request) -> Any:
        if request.properties.get("Code") != request.previous.get("Code"):
            call = Call("update_function_code", {**_KEY, **_CODE}, only=True)
            code = build("lambda", call, variables(_packed(request)))
            await request.client("lambda").update_function_code(**code)
            await self._changed(request)
        same = {**request.previous, "Code": request.properties.get("Code")}
        return await super().update(replace(request, previous=same))

    async def _changed(self, request: Request) -> None:
        """The configuration cannot be changed before the code is."""
        client = request.client("lambda")
        while (await client.get_function_configuration(FunctionName=request.id)).get(
            "LastUpdateStatus"
        ) == "InProgress":
            await asyncio.sleep(0.1)


def _packed(request: Request) -> Request:
    """The request with code that stands in the template as a zip archive, with the module by which custom resources
    answer.
    https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cfn-lambda-function-code-cfnresponsemodule.html"""
    code = request.properties.get("Code", {})
    source = code.get("ZipFile")
    if not isinstance(source, str):
        return request
    suffix = "py" if str(request.properties.get("Runtime", "")).startswith("python") else "js"
    module = _RESPONSE_MODULES[suffix]
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr(zipfile.ZipInfo(f"index.{suffix}"), source)
        if module.rpartition("/")[2].partition(".")[0] in source:
            text = files(f"{__package__}.inline").joinpath(module.rpartition("/")[2]).read_text()
            archive.writestr(zipfile.ZipInfo(module), text)
    return replace(request, properties={**request.properties, "Code": {**code, "ZipFile": packed.getvalue()}})


class Alias(Type):
    """AWS::Lambda::Alias, whose weights are a list in templates and an object in the API."""

    async def create(self, request: Request) -> Any:
        return await super().create(_weighted(request))

    async def update(self, request: Request) -> Any:
        return await super().update(_weighted(request))


def _weighted(request: Request) -> Request:
    given = request.properties.get("RoutingConfig", {}).get("AdditionalVersionWeights") or []
    weights = {str(each["FunctionVersion"]): float(each["FunctionWeight"]) for each in given}
    routing = {"RoutingConfig": {"AdditionalVersionWeights": weights}}
    return replace(request, properties={**request.properties, **routing})


TYPES = (
    Function(
        "AWS::Lambda::Function",
        "lambda",
        named="FunctionName",
        limit=64,
        create=Call("create_function", {"Publish": "`false`"}),
        id="name",
        read=Call("get_function_configuration", _KEY, only=True),
        attributes={"Arn": "read.FunctionArn"},
        ready="State != 'Pending' && LastUpdateStatus != 'InProgress'",
        failed="(State == 'Failed' && StateReason) || (LastUpdateStatus == 'Failed' && LastUpdateStatusReason)",
        parts=(
            Tags(
                Call("tag_resource", {"Resource": "attributes.Arn", "Tags": "added"}, only=True),
                Call("untag_resource", {"Resource": "attributes.Arn", "TagKeys": "removed"}, only=True),
            ),
            Put(
                Call("put_function_concurrency", _KEY),
                ("ReservedConcurrentExecutions",),
                unset=Call("delete_function_concurrency", _KEY, only=True),
            ),
            Put(Call("update_function_configuration", _KEY), at_creation=False),
        ),
        delete=Call("delete_function", _KEY, only=True),
    ),
    Type(
        "AWS::Lambda::Version",
        "lambda",
        create=Call("publish_version", once=True),
        id="response.FunctionArn",
        read=Call("get_function_configuration", _KEY, only=True),
        attributes={"Version": "read.Version", "FunctionArn": "id"},
        ready="State != 'Pending'",
        delete=Call("delete_function", _KEY, only=True),
    ),
    Alias(
        "AWS::Lambda::Alias",
        "lambda",
        create=Call("create_alias", once=True),
        id="response.AliasArn",
        attributes={"AliasArn": "id"},
        parts=(Put(Call("update_alias"), at_creation=False, ignore=()),),
        delete=Call("delete_alias"),
    ),
    Type(
        "AWS::Lambda::EventInvokeConfig",
        "lambda",
        create=Call("put_function_event_invoke_config"),
        id="join('|', [properties.FunctionName, properties.Qualifier])",
        parts=(Put(Call("put_function_event_invoke_config"), at_creation=False, ignore=()),),
        delete=Call("delete_function_event_invoke_config"),
    ),
    Type(
        "AWS::Lambda::Permission",
        "lambda",
        create=Call("add_permission", {"StatementId": "join('-', [logical_id, token])"}, once=True),
        id="join('-', [logical_id, token])",
        delete=Call("remove_permission", {"StatementId": "id"}),
    ),
)
