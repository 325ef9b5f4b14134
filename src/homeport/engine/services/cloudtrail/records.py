"""One call as CloudTrail tells it.

https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-record-contents.html
"""

from __future__ import annotations

from functools import cache
from time import gmtime, strftime
from typing import Any, NamedTuple

from botocore.model import OperationModel

from homeport.engine.services.cloudtrail.redaction import redacted
from homeport.engine.wire.call import Call, new_id
from homeport.engine.wire.errors import AwsError
from homeport.engine.wire.principal import Principal

_READS = (
    "Get",
    "List",
    "Describe",
    "Head",
    "BatchGet",
    "Lookup",
    "Filter",
    "Simulate",
    "Search",
    "Select",
    "Query",
    "Scan",
)
_DATA_EVENTS = {
    "s3": ("Object", "Part", "MultipartUpload", "CopyObject"),
    "logs": ("PutLogEvents", "GetLogEvents", "FilterLogEvents"),
    "sns": ("Publish",),
    "sqs": ("SendMessage", "ReceiveMessage", "DeleteMessage"),
    "dynamodb": ("Item", "Query", "Scan"),
    "events": ("PutEvents",),
    "cloudwatch": ("PutMetricData", "GetMetric"),
}


class _Kind(NamedTuple):
    """What all calls of an operation have in common."""

    source: str
    reads: bool
    is_data: bool


def record(call: Call, output: dict[str, Any] | None, error: AwsError | None, now: float) -> dict[str, Any]:
    """The record of a call that was answered, or refused with an error."""
    kind = _kind(call.operation)
    body: dict[str, Any] = {
        "eventVersion": "1.11",
        "userIdentity": _identity(call),
        "eventTime": _time(now),
        "eventSource": kind.source,
        "eventName": call.name,
        "awsRegion": call.region,
        "sourceIPAddress": call.invoked_by or call.source_ip,
        "userAgent": call.invoked_by or call.user_agent,
        "requestParameters": redacted(call.params, call.operation.input_shape) or None,
        "responseElements": None,
        "requestID": call.request_id,
        "eventID": new_id(),
        "readOnly": kind.reads,
        "eventType": "AwsApiCall",
        "managementEvent": not kind.is_data,
        "recipientAccountId": call.account,
        "eventCategory": "Data" if kind.is_data else "Management",
    }
    if output and not kind.reads:
        body["responseElements"] = redacted(output, call.operation.output_shape) or None
    if error is not None:
        body["errorCode"] = error.code
        body["errorMessage"] = error.message
    if call.decision:
        body["additionalEventData"] = {"authorization": call.decision}
        resource = call.decision.get("resource", "*")
        if resource != "*":
            body["resources"] = [{"ARN": resource, "accountId": call.account}]
    return body


def is_read_only(call: Call) -> bool:
    """Whether the operation changes nothing."""
    return _kind(call.operation).reads


@cache
def _kind(operation: OperationModel) -> _Kind:
    service, name = operation.service_model, operation.name
    source = service.metadata.get("signingName") or service.metadata["endpointPrefix"]
    is_data = any(word in name for word in _DATA_EVENTS.get(service.service_name, ()))
    return _Kind(f"{source}.amazonaws.com", name.startswith(_READS), is_data)


def _time(moment: float) -> str:
    return strftime("%Y-%m-%dT%H:%M:%SZ", gmtime(moment))


def _identity(call: Call) -> dict[str, Any]:
    principal = call.principal
    if principal.type == "Service":
        return {"type": "AWSService", "invokedBy": principal.arn}
    if principal.type == "Anonymous":
        return {"type": "AWSAccount", "principalId": "", "accountId": "ANONYMOUS_PRINCIPAL"}
    body: dict[str, Any] = {
        "type": "IAMUser" if principal.type == "User" else principal.type,
        "principalId": principal.id,
        "arn": principal.arn,
        "accountId": principal.account,
    }
    if principal.access_key_id:
        body["accessKeyId"] = principal.access_key_id
    if principal.type == "User":
        body["userName"] = principal.arn.rpartition("/")[2]
    if principal.issuer:
        body["sessionContext"] = _session(principal, principal.issuer)
    if call.invoked_by:
        body["invokedBy"] = call.invoked_by
    return body


def _session(principal: Principal, issuer: str) -> dict[str, Any]:
    issued = principal.session_context.get("issued")
    attributes = {"mfaAuthenticated": "false"}
    if issued is not None:
        attributes["creationDate"] = _time(issued)
    return {
        "sessionIssuer": {
            "type": "Role",
            "principalId": principal.id.partition(":")[0],
            "arn": issuer,
            "accountId": principal.account,
            "userName": issuer.rpartition("/")[2],
        },
        "attributes": attributes,
    }
