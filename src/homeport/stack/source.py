"""Where the code comes from, and what starts the pipeline."""

from __future__ import annotations

from typing import Any

from homeport.manifest.model import Manifest
from homeport.stack.cloudformation import Resources, Value, allow, arn, attribute, ref, resource, role


def resources(manifest: Manifest) -> Resources:
    """The repository and the rule that hears its pushes, or the connection."""
    if manifest.source.provider == "connection":
        if manifest.source.connection:
            return {}
        name = {"ConnectionName": manifest.app[:32], "ProviderType": "GitHub"}
        return {"Connection": resource("AWS::CodeConnections::Connection", name)}
    pipeline = arn("codepipeline", "${Pipeline}")
    found: Resources = {}
    if not manifest.source.existing:
        found["SourceRepository"] = resource(
            "AWS::CodeCommit::Repository",
            {"RepositoryName": _repository(manifest), "RepositoryDescription": f"the code of {manifest.app}"},
            DeletionPolicy="RetainExceptOnCreate",
            UpdateReplacePolicy="Retain",
        )
    return found | {
        "PushRole": role(
            "events",
            {"start-pipeline": [allow(["codepipeline:StartPipelineExecution"], pipeline)]},
            "EventBridge starts the pipeline when the branch changes",
        ),
        "PushRule": resource(
            "AWS::Events::Rule",
            {
                "Description": f"a push to {manifest.source.branch} starts the pipeline",
                "EventPattern": {
                    "source": ["aws.codecommit"],
                    "detail-type": ["CodeCommit Repository State Change"],
                    "resources": [_arn(manifest)],
                    "detail": {
                        "event": ["referenceCreated", "referenceUpdated"],
                        "referenceType": ["branch"],
                        "referenceName": [manifest.source.branch],
                    },
                },
                "Targets": [{"Id": "pipeline", "Arn": pipeline, "RoleArn": attribute("PushRole", "Arn")}],
            },
        ),
    }


def action(manifest: Manifest) -> dict[str, Any]:
    """The pipeline's source action."""
    source = manifest.source
    if source.provider == "connection":
        provider = "CodeStarSourceConnection"
        configuration: dict[str, Any] = {
            "ConnectionArn": _connection(manifest),
            "FullRepositoryId": source.repository,
            "BranchName": source.branch,
            "DetectChanges": not _paths(manifest),
        }
    else:
        provider = "CodeCommit"
        configuration = {
            "RepositoryName": _repository(manifest)
            if source.existing
            else attribute("SourceRepository", "Name"),
            "BranchName": source.branch,
            "PollForSourceChanges": False,
        }
    return {
        "Name": "Source",
        "Namespace": "SourceVariables",
        "ActionTypeId": {"Category": "Source", "Owner": "AWS", "Provider": provider, "Version": "1"},
        "Configuration": configuration,
        "OutputArtifacts": [{"Name": "Source"}],
    }


def triggers(manifest: Manifest) -> list[dict[str, Any]] | None:
    """The filters of a connection's pushes; None when every push to the branch counts."""
    source = manifest.source
    if source.provider != "connection" or not _paths(manifest):
        return None
    push = {"Branches": {"Includes": [source.branch]}, "FilePaths": {"Includes": _paths(manifest)}}
    git = {"SourceActionName": "Source", "Push": [push]}
    return [{"ProviderType": "CodeStarSourceConnection", "GitConfiguration": git}]


def statements(manifest: Manifest) -> list[dict[str, Any]]:
    """What the pipeline's role needs of the source."""
    if manifest.source.provider == "connection":
        old = ":codestar-connections:" in (manifest.source.connection or "")
        prefix = "codestar-connections" if old else "codeconnections"  # as the ARN has it
        return [allow([f"{prefix}:UseConnection"], _connection(manifest))]
    actions = ["GetBranch", "GetCommit", "UploadArchive", "GetUploadArchiveStatus", "CancelUploadArchive"]
    return [allow([f"codecommit:{name}" for name in actions], _arn(manifest))]


def outputs(manifest: Manifest) -> dict[str, dict[str, Value]]:
    """Where to push."""
    if manifest.source.provider == "connection" or manifest.source.existing:
        return {}
    clone = attribute("SourceRepository", "CloneUrlHttp")
    return {"CloneUrl": {"Description": "where to push the code", "Value": clone}}


def _connection(manifest: Manifest) -> Value:
    return manifest.source.connection or ref("Connection")


def _paths(manifest: Manifest) -> list[str]:
    source = manifest.source
    return source.paths or ([f"{source.folder.rstrip('/')}/**"] if source.folder else [])


def _arn(manifest: Manifest) -> Value:
    if manifest.source.existing:
        return arn("codecommit", _repository(manifest))
    return attribute("SourceRepository", "Arn")


def _repository(manifest: Manifest) -> str:
    return manifest.source.repository or manifest.app
