"""Systems Manager's and Secrets Manager's types: AWS::SSM::Parameter, AWS::SecretsManager::*."""

from __future__ import annotations

import json

from homeport.engine.services.cloudformation.resources.calls import Call, variables
from homeport.engine.services.cloudformation.resources.generic import Type
from homeport.engine.services.cloudformation.resources.parts import Put, Tags
from homeport.engine.services.cloudformation.resources.provider import (
    Made,
    Request,
    ResourceProvider,
    is_absent,
)
from homeport.engine.wire.errors import AwsError

_PARAMETER = {"ResourceType": "'Parameter'", "ResourceId": "id"}


class Secret(ResourceProvider):
    """AWS::SecretsManager::Secret. Its value may be generated, and a template's key set in it."""

    async def create(self, request: Request) -> Made:
        properties = request.properties
        client = request.client("secretsmanager")
        name = properties.get("Name") or request.name(limit=200)
        text = properties.get("SecretString")
        if "GenerateSecretString" in properties:
            text = await self._generated(request)
        try:
            made = await client.create_secret(
                Name=name,
                Description=properties.get("Description"),
                KmsKeyId=properties.get("KmsKeyId"),
                SecretString=text,
                Tags=properties.get("Tags"),
                ClientRequestToken=request.token,
            )
        except AwsError as error:
            if not (request.resumed and error.code == "ResourceExistsException"):
                raise
            made = await client.describe_secret(SecretId=name)
        return Made(made["ARN"], {"Id": made["ARN"]})

    async def update(self, request: Request) -> Made:
        properties, previous = request.properties, request.previous
        client = request.client("secretsmanager")
        changes = {}
        if properties.get("SecretString") != previous.get("SecretString"):
            changes["SecretString"] = properties.get("SecretString")
        if properties.get("GenerateSecretString") != previous.get("GenerateSecretString"):
            changes["SecretString"] = await self._generated(request)
        await client.update_secret(
            SecretId=request.id,
            Description=properties.get("Description", ""),
            KmsKeyId=properties.get("KmsKeyId"),
            ClientRequestToken=request.token,
            **changes,
        )
        await _TAGS.updated(request, "secretsmanager", variables(request))
        return Made(request.id, request.attributes)

    async def delete(self, request: Request) -> None:
        try:
            await request.client("secretsmanager").delete_secret(
                SecretId=request.id, ForceDeleteWithoutRecovery=True
            )
        except AwsError as error:
            if not is_absent(error):
                raise

    async def _generated(self, request: Request) -> str:
        wanted = dict(request.properties["GenerateSecretString"])
        template, key = wanted.pop("SecretStringTemplate", None), wanted.pop("GenerateStringKey", None)
        answer = await request.client("secretsmanager").get_random_password(**wanted)
        password: str = answer["RandomPassword"]
        if template is None or key is None:
            return password
        try:
            return json.dumps({**json.loads(template), key: password})
        except ValueError:
            raise AwsError("ValidationError", "SecretStringTemplate is not a JSON object") from None


_TAGS = Tags(
    Call("tag_resource", {"SecretId": "id", "Tags": "added"}, only=True),
    Call("untag_resource", {"SecretId": "id", "TagKeys": "removed"}, only=True),
)

TYPES = (
    Type(
        "AWS::SSM::Parameter",
        "ssm",
        named="Name",
        limit=1011,
        create=Call("put_parameter"),
        id="name",
        read=Call("get_parameter", {"Name": "id"}, only=True),
        found="Parameter",
        parts=(
            Tags(
                Call("add_tags_to_resource", {**_PARAMETER, "Tags": "added"}, only=True),
                Call("remove_tags_from_resource", {**_PARAMETER, "TagKeys": "removed"}, only=True),
            ),
            Put(
                Call("put_parameter", {"Name": "id", "Overwrite": "`true`", "Tags": "`null`"}),
                at_creation=False,
            ),
        ),
        delete=Call("delete_parameter", {"Name": "id"}, only=True),
    ),
    Secret("AWS::SecretsManager::Secret"),
    Type(
        "AWS::SecretsManager::ResourcePolicy",
        "secretsmanager",
        create=Call("put_resource_policy"),
        id="properties.SecretId",
        parts=(Put(Call("put_resource_policy"), at_creation=False),),
        delete=Call("delete_resource_policy", {"SecretId": "id"}, only=True),
    ),
)
