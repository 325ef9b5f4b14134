"""What the request itself does not tell of its resources: true ARNs and tags, asked of the services that own them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, Any

from homeport.engine.services.context import Context
from homeport.engine.services.iam import tables
from homeport.engine.services.iam.keys import request_tags
from homeport.engine.services.iam.resources import Ask
from homeport.engine.services.kms.ciphertext import InvalidCiphertext, key_of
from homeport.engine.store.database import Place, Scope
from homeport.engine.wire import model
from homeport.engine.wire.call import Call
from homeport.engine.wire.errors import AwsError

if TYPE_CHECKING:
    from homeport.engine.services.engine import Engine


async def true_resource(engine: Engine, call: Call, ask: Ask) -> str:
    """The ARN of the resource, looked up where the request names it otherwise; as it was when there is none."""
    prefix = ask.action.partition(":")[0]
    try:
        if prefix == "iam":
            return _iam_resource(engine, call, ask)
        if (look := _LOOKUPS.get(prefix)) and _is_open(ask.resource):
            return await look(_asker(engine, call), call.params, ask.resource)
    except (AwsError, InvalidCiphertext):
        pass
    return ask.resource


async def resource_tags(engine: Engine, call: Call, arn: str) -> dict[str, str]:
    """The tags of a resource; none when it is not there yet or its service knows no tags."""
    ctx = _asker(engine, call)
    client = ctx.client(call.service, as_service=True)
    try:
        if arn.startswith("arn:aws:iam::"):
            return request_tags(_iam_body(engine, arn.split(":")[4], arn) or {})
        if read := _TAGS.get(call.service):
            return request_tags(await read(client, call.params, arn))
        listing = model.operations(call.service).get("list_tags_for_resource")
        if listing is None or listing.input_shape is None or not listing.input_shape.required_members:
            return {}
        member = listing.input_shape.required_members[0]
        return request_tags(await client.list_tags_for_resource(**{member: arn.removesuffix(":log-stream:")}))
    except AwsError:
        return {}


def _asker(engine: Engine, call: Call) -> Context:
    return engine.context("iam", Scope(call.account, call.region))


def _is_open(arn: str) -> bool:
    return arn.endswith(("*", "??????")) or ":key/alias/" in arn


_ENTITIES = {
    "role": tables.ROLES,
    "user": tables.USERS,
    "group": tables.GROUPS,
    "instance-profile": tables.INSTANCE_PROFILES,
    "server-certificate": tables.SERVER_CERTIFICATES,
}


def _iam_resource(engine: Engine, call: Call, ask: Ask) -> str:
    if ask.resource.endswith(":user/*") and "UserName" not in call.params and call.principal.type == "User":
        return call.principal.arn
    body = _iam_body(engine, call.account, ask.resource)
    return body["Arn"] if body else ask.resource


def _iam_body(engine: Engine, account: str, arn: str) -> dict[str, Any] | None:
    kind, _, path = arn.rpartition(":")[2].partition("/")
    at = Place(engine.store, Scope(account, tables.GLOBAL))
    if kind == "policy":
        return tables.POLICIES.get(at, arn)
    table = _ENTITIES.get(kind)
    return table.get(at, path.rpartition("/")[2]) if table else None


async def _secret(ctx: Context, request: Mapping[str, Any], arn: str) -> str:
    name = arn.partition(":secret:")[2].removesuffix("-??????")
    return (await ctx.client("secretsmanager", as_service=True).describe_secret(SecretId=name))["ARN"]


async def _key(ctx: Context, request: Mapping[str, Any], arn: str) -> str:
    name = arn.partition(":key/")[2]
    if name == "*":
        blob = request.get("CiphertextBlob")
        name = request.get("KeyId") or (key_of(blob)[0] if isinstance(blob, bytes) else name)
    client = ctx.client("kms", as_service=True)
    return (await client.describe_key(KeyId=name))["KeyMetadata"]["Arn"]


async def _task_definition(ctx: Context, request: Mapping[str, Any], arn: str) -> str:
    family, _, revision = arn.partition(":task-definition/")[2].partition(":")
    if revision != "*" or "family" in request:
        return arn
    client = ctx.client("ecs", as_service=True)
    return (await client.describe_task_definition(taskDefinition=family))["taskDefinition"][
        "taskDefinitionArn"
    ]


async def _deployment_group(ctx: Context, request: Mapping[str, Any], arn: str) -> str:
    if "deploymentId" not in request:
        return arn
    client = ctx.client("codedeploy", as_service=True)
    info = (await client.get_deployment(deploymentId=request["deploymentId"]))["deploymentInfo"]
    if "deploymentGroupName" not in info:  # it is one of a stack
        return arn
    return ctx.arn(
        f"deploymentgroup:{info['applicationName']}/{info['deploymentGroupName']}", service="codedeploy"
    )


_LOOKUPS: dict[str, Callable[[Context, Mapping[str, Any], str], Awaitable[str]]] = {
    "codedeploy": _deployment_group,
    "ecs": _task_definition,
    "kms": _key,
    "secretsmanager": _secret,
}


async def _s3_tags(client: Any, request: Mapping[str, Any], arn: str) -> dict[str, Any]:
    bucket, _, key = arn.rpartition(":::")[2].partition("/")
    if not key:
        return {"Tagging": await client.get_bucket_tagging(Bucket=bucket)}
    return {
        "Tagging": await client.get_object_tagging(Bucket=bucket, Key=key, VersionId=request.get("VersionId"))
    }


async def _load_balancer_tags(client: Any, request: Mapping[str, Any], arn: str) -> dict[str, Any]:
    return (await client.describe_tags(ResourceArns=[arn]))["TagDescriptions"][0]


async def _function_tags(client: Any, request: Mapping[str, Any], arn: str) -> dict[str, Any]:
    return await client.list_tags(Resource=":".join(arn.split(":")[:7]))


async def _parameter_tags(client: Any, request: Mapping[str, Any], arn: str) -> dict[str, Any]:
    path = arn.partition(":parameter/")[2]
    named = [request.get("Name"), request.get("ResourceId"), *(request.get("Names") or ())]
    names = [name.partition(":")[0] for name in named if isinstance(name, str)]
    name = next((name for name in names if name.lstrip("/") == path), f"/{path}" if "/" in path else path)
    return await client.list_tags_for_resource(ResourceType="Parameter", ResourceId=name)


async def _secret_tags(client: Any, request: Mapping[str, Any], arn: str) -> dict[str, Any]:
    return await client.describe_secret(SecretId=arn)


async def _key_tags(client: Any, request: Mapping[str, Any], arn: str) -> dict[str, Any]:
    return await client.list_resource_tags(KeyId=arn)


async def _project_tags(client: Any, request: Mapping[str, Any], arn: str) -> dict[str, Any]:
    projects = (await client.batch_get_projects(names=[arn.rpartition("/")[2]]))["projects"]
    return projects[0] if projects else {}


async def _stack_tags(client: Any, request: Mapping[str, Any], arn: str) -> dict[str, Any]:
    return (await client.describe_stacks(StackName=arn.partition(":stack/")[2].partition("/")[0]))["Stacks"][
        0
    ]


_TAGS: dict[str, Callable[[Any, Mapping[str, Any], str], Awaitable[dict[str, Any]]]] = {
    "cloudformation": _stack_tags,
    "codebuild": _project_tags,
    "elbv2": _load_balancer_tags,
    "kms": _key_tags,
    "lambda": _function_tags,
    "s3": _s3_tags,
    "secretsmanager": _secret_tags,
    "ssm": _parameter_tags,
}
