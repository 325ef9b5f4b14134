"""Repositories: made, shown and removed, for the API and for what makes them by itself (templates)."""

from __future__ import annotations

from typing import Any

from homeport.engine.services.context import Context
from homeport.engine.services.ecr.images import find_repository
from homeport.engine.services.ecr.names import is_repository
from homeport.engine.services.ecr.tables import IMAGES, LAYERS, MANIFESTS, REPOSITORIES, TAGS
from homeport.engine.wire.errors import AwsError

Body = dict[str, Any]
EXCLUDING = ("IMMUTABLE_WITH_EXCLUSION", "MUTABLE_WITH_EXCLUSION")


def make_repository(ctx: Context, name: str, settings: Body) -> Body:
    """Create the repository. `settings` are members of CreateRepository, and `policyText` and
    `lifecyclePolicyText`. Raises RepositoryAlreadyExistsException, InvalidParameterException."""
    if not is_repository(name):
        raise AwsError(
            "InvalidParameterException",
            f"Invalid parameter at 'repositoryName' failed to satisfy constraint: 'must satisfy regular expression "
            f"'(?:[a-z0-9]+(?:[._-][a-z0-9]+)*/)*[a-z0-9]+(?:[._-][a-z0-9]+)*''; it is '{name}'",
        )
    if REPOSITORIES.get(ctx, name) is not None:
        raise AwsError(
            "RepositoryAlreadyExistsException",
            f"The repository with name '{name}' already exists in the registry with id '{ctx.scope.account}'",
        )
    mutability = settings.get("imageTagMutability") or "MUTABLE"
    filters = settings.get("imageTagMutabilityExclusionFilters")
    check_mutability(mutability, filters)
    row = {
        "repositoryName": name,
        "createdAt": ctx.now(),
        "imageTagMutability": mutability,
        "imageTagMutabilityExclusionFilters": filters,
        "imageScanningConfiguration": {
            "scanOnPush": bool((settings.get("imageScanningConfiguration") or {}).get("scanOnPush"))
        },
        "encryptionConfiguration": settings.get("encryptionConfiguration") or {"encryptionType": "AES256"},
        "tags": checked_tags(settings.get("tags") or []),
        "policyText": settings.get("policyText"),
        "lifecyclePolicyText": settings.get("lifecyclePolicyText"),
    }
    REPOSITORIES.put(ctx, row)
    return row


def show_repository(ctx: Context, row: Body) -> Body:
    """The repository as the API tells it."""
    name = row["repositoryName"]
    host = f"{ctx.scope.account}.dkr.ecr.{ctx.scope.region}.amazonaws.com"
    shown = {
        "repositoryArn": ctx.arn(f"repository/{name}", service="ecr"),
        "registryId": ctx.scope.account,
        "repositoryName": name,
        "repositoryUri": f"{host}/{name}",
        "createdAt": row["createdAt"],
        "imageTagMutability": row["imageTagMutability"],
        "imageScanningConfiguration": row["imageScanningConfiguration"],
        "encryptionConfiguration": row["encryptionConfiguration"],
    }
    if row.get("imageTagMutabilityExclusionFilters"):
        shown["imageTagMutabilityExclusionFilters"] = row["imageTagMutabilityExclusionFilters"]
    return shown


def remove_repository(ctx: Context, name: str, force: bool) -> Body:
    """Delete the repository and, with `force`, its images. Raises RepositoryNotEmptyException."""
    row = find_repository(ctx, name)
    if not force and IMAGES.list(ctx, name, limit=1):
        raise AwsError(
            "RepositoryNotEmptyException",
            f"The repository with name '{name}' in registry with id '{ctx.scope.account}' cannot be deleted "
            "because it still contains images",
        )
    with ctx.store.transaction():
        for table in (TAGS, MANIFESTS, IMAGES, LAYERS):
            for held in table.list(ctx, name):
                table.delete(ctx, *(held[field] for field in table.key))
        REPOSITORIES.delete(ctx, name)
    return row


def check_mutability(mutability: str, filters: list[Body] | None) -> None:
    """Raise InvalidParameterException when the setting and its filters do not go together."""
    if bool(filters) != (mutability in EXCLUDING):
        need = "needs" if mutability in EXCLUDING else "does not take"
        raise AwsError(
            "InvalidParameterException",
            f"Invalid parameter at 'imageTagMutabilityExclusionFilters' failed to satisfy constraint: "
            f"'imageTagMutability {mutability} {need} exclusion filters'",
        )
    for entry in filters or []:
        if entry["filter"].count("*") > 2:
            raise AwsError(
                "InvalidParameterException",
                f"Invalid parameter at 'imageTagMutabilityExclusionFilters' failed to satisfy constraint: "
                f"'the filter '{entry['filter']}' has more than two wildcards'",
            )


def checked_tags(tags: list[Body]) -> list[Body]:
    """The resource tags, one for each key. Raises InvalidTagParameterException, TooManyTagsException."""
    by_key = {tag["Key"]: tag for tag in tags}
    if len(by_key) > 50:
        raise AwsError("TooManyTagsException", "A repository has at most 50 tags")
    for key in by_key:
        if not key or len(key) > 128 or key.lower().startswith("aws:"):
            raise AwsError(
                "InvalidTagParameterException",
                f"The tag key '{key}' is invalid: 1 to 128 characters that do not begin with aws:",
            )
    return list(by_key.values())
