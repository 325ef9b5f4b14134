"""CloudFormation's own types: nested stacks.

https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-cloudformation-stack.html
"""

from __future__ import annotations

from typing import Any

from homeport.engine.services.cloudformation.resources.provider import Made, Request, ResourceProvider
from homeport.engine.wire.errors import AwsError


class NestedStack(ResourceProvider):
    """AWS::CloudFormation::Stack."""

    async def create(self, request: Request) -> Made:
        client = request.client("cloudformation")
        name = request.name(limit=128)
        try:
            made = await client.create_stack(
                StackName=name,
                OnFailure="DO_NOTHING",
                Capabilities=_CAPABILITIES,
                ClientRequestToken=request.token,
                NotificationARNs=request.properties.get("NotificationARNs"),
                TimeoutInMinutes=request.properties.get("TimeoutInMinutes"),
                RoleARN=request.role,
                **_template(request),
            )
        except AwsError as error:
            if not (request.resumed and error.code == "AlreadyExistsException"):
                raise
            made = (await client.describe_stacks(StackName=name))["Stacks"][0]
        return Made(made["StackId"], {})

    async def settled(self, request: Request) -> Made | None:
        answer = await request.client("cloudformation").describe_stacks(StackName=request.id)
        stack: dict[str, Any] = answer["Stacks"][0]
        status: str = stack["StackStatus"]
        if status.endswith("_IN_PROGRESS"):
            return None
        if status not in ("CREATE_COMPLETE", "UPDATE_COMPLETE"):
            reason = stack.get("StackStatusReason", "")
            raise AwsError(
                "NotStabilized",
                f"Embedded stack {request.id} was not successfully {'created' if 'CREATE' in status else 'updated'}: "
                f"{reason or status}",
            )
        outputs = {f"Outputs.{each['OutputKey']}": each["OutputValue"] for each in stack.get("Outputs", ())}
        return Made(request.id, outputs)

    async def update(self, request: Request) -> Made:
        try:
            await request.client("cloudformation").update_stack(
                StackName=request.id, Capabilities=_CAPABILITIES, RoleARN=request.role, **_template(request)
            )
        except AwsError as error:
            if "No updates are to be performed" not in error.message:
                raise
        return Made(request.id, request.attributes)

    async def delete(self, request: Request) -> None:
        await request.client("cloudformation").delete_stack(StackName=request.id, RoleARN=request.role)

    async def gone(self, request: Request) -> bool:
        answer = await request.client("cloudformation").describe_stacks(StackName=request.id)
        status: str = answer["Stacks"][0]["StackStatus"]
        if status == "DELETE_FAILED":
            reason = answer["Stacks"][0].get("StackStatusReason", "")
            raise AwsError("NotStabilized", f"Embedded stack {request.id} was not deleted: {reason}")
        return status == "DELETE_COMPLETE"


_CAPABILITIES = ["CAPABILITY_NAMED_IAM", "CAPABILITY_AUTO_EXPAND"]


def _template(request: Request) -> dict[str, Any]:
    parameters = request.properties.get("Parameters", {})
    return {
        "TemplateURL": request.properties["TemplateURL"],
        "Tags": request.properties.get("Tags", []),
        "Parameters": [
            {"ParameterKey": key, "ParameterValue": _text(value)} for key, value in parameters.items()
        ],
    }


def _text(value: Any) -> str:
    if isinstance(value, list):
        return ",".join(map(str, value))
    return ("true" if value else "false") if isinstance(value, bool) else str(value)


TYPES = (NestedStack("AWS::CloudFormation::Stack"),)
