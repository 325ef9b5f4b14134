"""Repository creation templates: how a repository looks that ECR creates by itself.

https://docs.aws.amazon.com/AmazonECR/latest/userguide/repository-creation-templates.html
"""

from __future__ import annotations

from typing import Any

from homeport.engine.services.context import Context
from homeport.engine.services.ecr.repositories import make_repository
from homeport.engine.services.ecr.tables import REPOSITORIES, TEMPLATES

Body = dict[str, Any]
ROOT = "ROOT"


def find_template(ctx: Context, repository: str, purpose: str) -> Body | None:
    """The template for a repository: that with the longest prefix; ROOT is the last. `purpose` is one of
    PULL_THROUGH_CACHE, REPLICATION, CREATE_ON_PUSH."""
    fitting = [
        template
        for template in TEMPLATES.list(ctx)
        if purpose in template["appliedFor"]
        and (template["prefix"] == ROOT or repository.startswith(template["prefix"].rstrip("/") + "/"))
    ]
    return max(fitting, key=lambda each: 0 if each["prefix"] == ROOT else len(each["prefix"]), default=None)


def ensure_repository(ctx: Context, repository: str, purpose: str) -> None:
    """Create the repository, if it is not there, as its template says, or with ECR's own settings."""
    if REPOSITORIES.get(ctx, repository) is not None:
        return
    template = find_template(ctx, repository, purpose) or {}
    settings = {
        "imageTagMutability": template.get("imageTagMutability"),
        "imageTagMutabilityExclusionFilters": template.get("imageTagMutabilityExclusionFilters"),
        "encryptionConfiguration": template.get("encryptionConfiguration"),
        "tags": template.get("resourceTags"),
        "policyText": template.get("repositoryPolicy"),
        "lifecyclePolicyText": template.get("lifecyclePolicy"),
    }
    make_repository(ctx, repository, settings)
