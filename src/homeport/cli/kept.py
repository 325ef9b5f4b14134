"""What `homeport destroy` keeps, since it holds the team's work: the repository, which the application's next
deployment uses again, and the bucket of artifacts."""

from __future__ import annotations

from typing import Any

from botocore.exceptions import ClientError

from homeport.cli import stacks
from homeport.cli.target import CannotReach, Target
from homeport.manifest.model import Manifest

REPOSITORY, _BUCKET = "AWS::CodeCommit::Repository", "AWS::S3::Bucket"
TAG = "homeport:app"
"""A tag of each stack that is deployed, and so of what it makes."""


def with_kept_repository(target: Target, manifest: Manifest) -> Manifest:
    """The manifest, with `source.existing` when an earlier stack of the application left its repository. Raises
    CannotReach when the repository is somebody else's."""
    if manifest.source.provider != "codecommit" or manifest.source.existing or manifest.override.template:
        return manifest
    codecommit, name = target.client("codecommit"), repository(manifest)
    try:
        found = codecommit.get_repository(repositoryName=name)["repositoryMetadata"]
    except codecommit.exceptions.RepositoryDoesNotExistException:
        return manifest
    if found["repositoryId"] in _made(target.client("cloudformation"), manifest.app):
        return manifest
    tags = codecommit.list_tags_for_resource(resourceArn=found["Arn"])["tags"]
    if tags.get(TAG) != manifest.app:
        raise CannotReach(
            f"There is a CodeCommit repository {name} already, which was not made for {manifest.app}. To use it, write "
            "`existing: true` under `source` in homeport.yml; for another one name it there as `repository`."
        )
    return manifest.model_copy(
        update={"source": manifest.source.model_copy(update={"existing": True, "repository": name})}
    )


def repository(manifest: Manifest) -> str:
    """The name of the application's CodeCommit repository."""
    return manifest.source.repository or manifest.app


def _made(cloudformation: Any, stack: str) -> dict[str, str]:
    """The repositories that belong to the stack; those of one whose creation was rolled back do not any more."""
    try:
        return stacks.resources(cloudformation, stack, REPOSITORY)
    except ClientError as error:
        if "does not exist" not in str(error):
            raise
        return {}


def described(manifest: Manifest, event: stacks.Event) -> dict[str, str]:
    """A resource that was kept: its `type` and `name`, and what `becomes` of it."""
    kind, name = event["ResourceType"], event["PhysicalResourceId"]
    if kind == REPOSITORY:
        name = repository(manifest)
        remove = f"aws codecommit delete-repository --repository-name {name}"
        return {"type": kind, "name": name, "becomes": f"the next deploy uses it again; or: {remove}"}
    if kind == _BUCKET:
        return {"type": kind, "name": name, "becomes": f"to delete it: aws s3 rb --force s3://{name}"}
    return {"type": kind, "name": name, "becomes": "it is yours to delete"}
