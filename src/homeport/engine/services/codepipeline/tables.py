"""CodePipeline's tables.

A pipeline row holds the counters `executions` and `sequence`; declarations are kept by version. A stage row
holds the inbound transition and points to what ran there last. An execution row is the whole state of one
execution: where it is, its stages with the status of each action, its artifacts and variables. Action and rule
rows are the history.
"""

from __future__ import annotations

from typing import Any

from homeport.engine.store.database import At
from homeport.engine.store.table import Table
from homeport.engine.wire.errors import AwsError

Row = dict[str, Any]

PIPELINES = Table("codepipeline_pipelines", key=("pipelineName",))
VERSIONS = Table("codepipeline_versions", key=("pipelineName", "version"))
STAGES = Table("codepipeline_stages", key=("pipelineName", "stageName"))
EXECUTIONS = Table(
    "codepipeline_executions",
    key=("pipelineName", "number"),
    columns=("pipelineExecutionId", "underWay", "clientRequestToken"),
)
ACTIONS = Table(
    "codepipeline_actions",
    key=("pipelineName", "sequence"),
    columns=("pipelineExecutionId", "actionExecutionId"),
)
RULES = Table(
    "codepipeline_rules", key=("pipelineName", "sequence"), columns=("pipelineExecutionId", "ruleExecutionId")
)
WEBHOOKS = Table("codepipeline_webhooks", key=("name",))


def pipeline(at: At, name: str) -> Row:
    """The pipeline row. Raises PipelineNotFoundException."""
    row = PIPELINES.get(at, name)
    if row is None:
        raise AwsError(
            "PipelineNotFoundException",
            f"Account '{at.scope.account}' does not have a pipeline with name '{name}'",
        )
    return row


def declaration(at: At, name: str, version: int) -> Row:
    """The declaration of one version. Raises PipelineVersionNotFoundException."""
    row = VERSIONS.get(at, name, version)
    if row is None:
        raise AwsError(
            "PipelineVersionNotFoundException",
            f"Pipeline '{name}' does not have a version '{version}'",
        )
    return row["declaration"]


def execution(at: At, name: str, id: str) -> Row:
    """The execution row. Raises PipelineExecutionNotFoundException."""
    rows = EXECUTIONS.list(at, name, pipelineExecutionId=id)
    if not rows:
        raise AwsError(
            "PipelineExecutionNotFoundException",
            f"Pipeline '{name}' does not have an execution with id '{id}'",
        )
    return rows[0]


def stage(at: At, name: str, stage_name: str) -> Row:
    """The stage row; one that was never written is enabled and has run nothing."""
    return STAGES.get(at, name, stage_name) or {
        "pipelineName": name,
        "stageName": stage_name,
        "transition": {"enabled": True},
        "latest": None,
        "actions": {},
    }
