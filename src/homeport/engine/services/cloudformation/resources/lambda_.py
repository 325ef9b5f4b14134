"""Lambda's types: AWS::Lambda::Function and AWS::Lambda::Permission."""

from __future__ import annotations

import io
import zipfile
from dataclasses import replace
from typing import Any

from homeport.engine.services.cloudformation.resources.calls import Call, build, variables
from homeport.engine.services.cloudformation.resources.generic import Type
from homeport.engine.services.cloudformation.resources.parts import Put, Tags
from homeport.engine.services.cloudformation.resources.provider import Request

_KEY = {"FunctionName": "id"}


class Function(Type):
    """AWS::Lambda::Function. Code in the template is packed as `index.<suffix>`, as on AWS."""

    async def create(self, request: Request) -> Any:
        return await super().create(_packed(request))

    async def update(self, request: Request) -> Any:
        code = build(
            "lambda", Call("update_function_code", {**_KEY, **_CODE}, only=True), variables(_packed(request))
        )
        if request.properties.get("Code") != request.previous.get("Code"):
            await request.client("lambda").update_function_code(**code)
        return await super().update(request)


_CODE = {
    name: f"properties.Code.{name}"
    for name in ("ZipFile", "S3Bucket", "S3Key", "S3ObjectVersion", "ImageUri")
}


def _packed(request: Request) -> Request:
    code = request.properties.get("Code", {})
    if not isinstance(code.get("ZipFile"), str):
        return request
    suffix = "py" if str(request.properties.get("Runtime", "")).startswith("python") else "js"
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr(zipfile.ZipInfo(f"index.{suffix}"), code["ZipFile"])
    return replace(request, properties={**request.properties, "Code": {**code, "ZipFile": packed.getvalue()}})


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
        ready="State != 'Pending'",
        failed="State == 'Failed' && StateReason",
        parts=(
            Tags(
                Call("tag_resource", {"Resource": "attributes.Arn", "Tags": "added"}, only=True),
                Call("untag_resource", {"Resource": "attributes.Arn", "TagKeys": "removed"}, only=True),
            ),
            Put(Call("update_function_configuration", _KEY), at_creation=False),
        ),
        delete=Call("delete_function", _KEY, only=True),
    ),
    Type(
        "AWS::Lambda::Permission",
        "lambda",
        create=Call("add_permission", {"StatementId": "join('-', [logical_id, token])"}),
        id="join('-', [logical_id, token])",
        delete=Call("remove_permission", {"StatementId": "id"}),
    ),
)
