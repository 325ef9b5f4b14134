"""What other programs carry out: AWS::CloudFormation::CustomResource (and Custom::*), wait conditions.

https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/template-custom-resources.html
"""

from __future__ import annotations

import json
from typing import Any

from homeport.engine.services.cloudformation.callbacks import callback_url, told
from homeport.engine.services.cloudformation.resources.provider import (
    HalfMade,
    Made,
    NotUpdatable,
    Request,
    ResourceProvider,
)
from homeport.engine.wire.errors import AwsError

_TIMEOUT = 3600


class CustomResource(ResourceProvider):
    """A resource that a Lambda function or the subscribers of an SNS topic make, and tell of by a callback."""

    async def create(self, request: Request) -> Made:
        await self._send(request, "Create")
        return Made(request.name(limit=255), {"__url": self._url(request)})

    async def settled(self, request: Request) -> Made | None:
        response = self._response(request, request.attributes["__url"])
        if response is None:
            return None
        data = response.get("Data") or {}
        return Made(response.get("PhysicalResourceId") or request.id, dict(data))

    async def update(self, request: Request) -> Made:
        await self._send(request, "Update", OldResourceProperties=_texts(request.previous))
        return Made(request.id, {"__url": self._url(request)})

    async def delete(self, request: Request) -> None:
        await self._send(request, "Delete")

    async def gone(self, request: Request) -> bool:
        return self._response(request, self._url(request)) is not None

    def patience(self, request: Request) -> float:
        return float(request.properties.get("ServiceTimeout", _TIMEOUT))

    def overdue(self, request: Request) -> AwsError:
        asked = request.attributes["__url"] if "__url" in request.attributes else self._url(request)
        return AwsError(
            "NotStabilized",
            "CloudFormation did not receive a response from your Custom Resource. Please check your logs for "
            f"requestId [{asked.rpartition('/')[2]}].",
        )

    def replaces(self, before: dict[str, Any], after: dict[str, Any]) -> bool:
        return before.get("ServiceToken") != after.get("ServiceToken")

    async def _send(self, request: Request, kind: str, **more: Any) -> None:
        event = {
            "RequestType": kind,
            "ResponseURL": self._url(request),
            "StackId": request.stack_id,
            "RequestId": request.token,
            "ResourceType": request.type,
            "LogicalResourceId": request.logical_id,
            "ResourceProperties": _texts(request.properties),
            **({"PhysicalResourceId": request.id} if request.id else {}),
            **more,
        }
        target: str = request.properties["ServiceToken"]
        if ":lambda:" in target:
            client = request.client("lambda")
            await client.invoke(
                FunctionName=target, InvocationType="Event", Payload=json.dumps(event).encode()
            )
        elif ":sns:" in target:
            subject = "AWS CloudFormation custom resource request"
            await request.client("sns").publish(TopicArn=target, Subject=subject, Message=json.dumps(event))
        else:
            raise AwsError("ValidationError", f"Invalid service token: {target}")

    def _url(self, request: Request) -> str:
        """Functions find the engine under the name that answers them on AWS, which leads to it in their containers."""
        region = request.ctx.region
        origin = f"https://cloudformation-custom-resource-response-{region.replace('-', '')}.s3.amazonaws.com"
        if ":lambda:" not in request.properties["ServiceToken"]:
            origin = f"http://{request.host}"
        return callback_url(origin, request.stack_id, request.logical_id, request.token)

    def _response(self, request: Request, url: str) -> dict[str, Any] | None:
        answers = told(request.ctx, url)
        if not answers:
            return None
        if answers[0].get("Status") != "SUCCESS":
            reason = answers[0].get("Reason") or "Unknown reason"
            error = AwsError(
                "NotStabilized",
                f"Received response status [FAILED] from custom resource. Message returned: {reason}",
            )
            raise HalfMade(answers[0].get("PhysicalResourceId") or request.id, error)
        return answers[0]


class WaitConditionHandle(ResourceProvider):
    """AWS::CloudFormation::WaitConditionHandle: a URL."""

    async def create(self, request: Request) -> Made:
        return Made(
            callback_url(f"http://{request.host}", request.stack_id, request.logical_id, request.token), {}
        )

    async def update(self, request: Request) -> Made:
        return Made(request.id, request.attributes)

    async def delete(self, request: Request) -> None:
        return None


class WaitCondition(ResourceProvider):
    """AWS::CloudFormation::WaitCondition: complete once enough signals were PUT at its handle."""

    async def create(self, request: Request) -> Made:
        return Made(request.name(limit=255), {})

    async def settled(self, request: Request) -> Made | None:
        wanted = int(request.properties.get("Count", 1))
        signals = told(request.ctx, request.properties["Handle"])
        for signal in signals:
            if signal.get("Status") != "SUCCESS":
                raise AwsError(
                    "NotStabilized",
                    f"WaitCondition received failed message: '{signal.get('Reason', '')}' for uniqueId: "
                    f"{signal.get('UniqueId', '')}",
                )
        if len(signals) >= wanted:
            data = {str(signal.get("UniqueId", "")): signal.get("Data", "") for signal in signals}
            return Made(request.id, {"Data": json.dumps(data)})
        return None

    def patience(self, request: Request) -> float:
        return float(request.properties.get("Timeout", 43200))

    def overdue(self, request: Request) -> AwsError:
        received = len(told(request.ctx, request.properties["Handle"]))
        wanted = int(request.properties.get("Count", 1))
        return AwsError(
            "NotStabilized",
            f"WaitCondition timed out. Received {received} conditions when expecting {wanted}",
        )

    async def update(self, request: Request) -> Made:
        raise NotUpdatable("Update to resource type AWS::CloudFormation::WaitCondition is not supported.")

    async def delete(self, request: Request) -> None:
        return None


def _texts(value: Any) -> Any:
    """Properties as a custom resource gets them: every scalar is a string."""
    if isinstance(value, dict):
        return {key: _texts(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_texts(item) for item in value]
    return ("true" if value else "false") if isinstance(value, bool) else str(value)


TYPES = (
    CustomResource("AWS::CloudFormation::CustomResource"),
    WaitConditionHandle("AWS::CloudFormation::WaitConditionHandle"),
    WaitCondition("AWS::CloudFormation::WaitCondition"),
)
