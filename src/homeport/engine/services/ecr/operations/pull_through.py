"""Pull-through cache rules."""

from __future__ import annotations

import re
from typing import Any

from homeport.engine.services.context import Context
from homeport.engine.services.ecr.pull_through import find_credentials
from homeport.engine.services.ecr.scope import registry_of
from homeport.engine.services.ecr.tables import CACHE_RULES
from homeport.engine.services.pagination import page
from homeport.engine.services.service import operation
from homeport.engine.wire.errors import AwsError

Body = dict[str, Any]
_HOST = re.compile(r"[A-Za-z0-9.-]+(:\d+)?")
_SHOWN = (
    "ecrRepositoryPrefix",
    "upstreamRegistryUrl",
    "upstreamRegistry",
    "upstreamRepositoryPrefix",
    "credentialArn",
    "customRoleArn",
    "createdAt",
    "updatedAt",
)


@operation
async def create_pull_through_cache_rule(ctx: Context, request: Body) -> Body:
    """https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_CreatePullThroughCacheRule.html

    The upstream may be any registry that this host reaches.
    """
    ctx, prefix = registry_of(ctx, request), request["ecrRepositoryPrefix"]
    if CACHE_RULES.get(ctx, prefix):
        raise AwsError(
            "PullThroughCacheRuleAlreadyExistsException",
            f"A pull through cache rule with the repository prefix '{prefix}' already exists in the registry with "
            f"id '{ctx.scope.account}'",
        )
    url = request["upstreamRegistryUrl"].removeprefix("https://").rstrip("/")
    if not _HOST.fullmatch(url):
        raise AwsError("UnsupportedUpstreamRegistryException", f"'{url}' is not the host name of a registry")
    rule = {"createdAt": ctx.now(), **request, "upstreamRegistryUrl": url}
    await find_credentials(ctx, rule)
    CACHE_RULES.put(ctx, rule)
    return _shown(ctx, rule)


@operation
async def update_pull_through_cache_rule(ctx: Context, request: Body) -> Body:
    """https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_UpdatePullThroughCacheRule.html"""
    ctx = registry_of(ctx, request)
    rule = _find(ctx, request["ecrRepositoryPrefix"]) | request | {"updatedAt": ctx.now()}
    await find_credentials(ctx, rule)
    CACHE_RULES.put(ctx, rule)
    return _shown(ctx, rule)


@operation
async def delete_pull_through_cache_rule(ctx: Context, request: Body) -> Body:
    """https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_DeletePullThroughCacheRule.html"""
    ctx = registry_of(ctx, request)
    rule = _find(ctx, request["ecrRepositoryPrefix"])
    CACHE_RULES.delete(ctx, request["ecrRepositoryPrefix"])
    return _shown(ctx, rule)


@operation
async def describe_pull_through_cache_rules(ctx: Context, request: Body) -> Body:
    """https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_DescribePullThroughCacheRules.html"""
    ctx = registry_of(ctx, request)
    prefixes = request.get("ecrRepositoryPrefixes")
    rules, token = page(
        [_find(ctx, prefix) for prefix in sorted(prefixes)] if prefixes else CACHE_RULES.list(ctx),
        request.get("maxResults") or 100,
        request.get("nextToken"),
        key=lambda rule: rule["ecrRepositoryPrefix"],
        error="InvalidParameterException",
    )
    return {"pullThroughCacheRules": [_shown(ctx, rule) for rule in rules], "nextToken": token}


@operation
async def validate_pull_through_cache_rule(ctx: Context, request: Body) -> Body:
    """https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_ValidatePullThroughCacheRule.html"""
    from homeport.engine.services.ecr.upstream import open_upstream

    ctx = registry_of(ctx, request)
    rule = _find(ctx, request["ecrRepositoryPrefix"])
    failure = ""
    try:
        credentials = await find_credentials(ctx, rule)
        async with open_upstream(ctx.engine.config, rule["upstreamRegistryUrl"], credentials) as upstream:
            status = await upstream.ping()
        if status not in (200, 404):
            failure = f"{rule['upstreamRegistryUrl']} answered {status}"
    except AwsError as error:
        failure = error.message
    return _shown(ctx, rule) | {"isValid": not failure} | ({"failure": failure} if failure else {})


def _find(ctx: Context, prefix: str) -> Body:
    rule = CACHE_RULES.get(ctx, prefix)
    if rule is None:
        raise AwsError(
            "PullThroughCacheRuleNotFoundException",
            f"The pull through cache rule with the repository prefix '{prefix}' does not exist in the registry with "
            f"id '{ctx.scope.account}'",
        )
    return rule


def _shown(ctx: Context, rule: Body) -> Body:
    return {"registryId": ctx.scope.account} | {key: rule[key] for key in _SHOWN if rule.get(key) is not None}
