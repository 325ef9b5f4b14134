"""One pipeline's executions under way, loaded, changed and saved inside one transaction."""

from __future__ import annotations

import uuid
from typing import Any

from homeport.engine.services.codepipeline import events, tables
from homeport.engine.services.codepipeline.modes import Position
from homeport.engine.services.codepipeline.tables import ACTIONS, EXECUTIONS, PIPELINES, RULES, STAGES, Row
from homeport.engine.services.context import Context

ENDED = frozenset({"Succeeded", "Failed", "Stopped", "Superseded", "Cancelled"})


class Board:
    """The rows of one pipeline, as the scheduler moves executions over them."""

    def __init__(self, ctx: Context, pipeline_name: str) -> None:
        self.ctx = ctx
        self.name = pipeline_name
        self.pipeline = tables.pipeline(ctx, pipeline_name)
        self.executions = {
            row["pipelineExecutionId"]: row for row in EXECUTIONS.list(ctx, pipeline_name, underWay=1)
        }
        self._declarations: dict[int, Row] = {}
        self._stages: dict[str, Row] = {}

    def declaration(self, version: int) -> Row:
        """The declaration of a version; executions keep to the one they were started with."""
        if version not in self._declarations:
            self._declarations[version] = tables.declaration(self.ctx, self.name, version)
        return self._declarations[version]

    def stage_declaration(self, execution: Row, stage_name: str) -> Row:
        """A stage as the execution's version declares it."""
        stages = self.declaration(execution["pipelineVersion"])["stages"]
        return next(stage for stage in stages if stage["name"] == stage_name)

    def stage(self, stage_name: str) -> Row:
        """The stage row: transition, and what ran there last."""
        if stage_name not in self._stages:
            self._stages[stage_name] = tables.stage(self.ctx, self.name, stage_name)
        return self._stages[stage_name]

    def positions(self) -> list[Position]:
        """Where the executions under way are."""
        return [
            Position(
                id=row["pipelineExecutionId"],
                number=row["number"],
                stage=row["stage"],
                waiting=row["waiting"],
                mode=row["executionMode"],
                rollback=row["executionType"] == "ROLLBACK",
            )
            for row in self.executions.values()
        ]

    def save(self, execution: Row) -> None:
        """Write an execution that was changed."""
        execution["lastUpdateTime"] = self.ctx.now()
        execution["underWay"] = int(execution["status"] not in ENDED)
        EXECUTIONS.put(self.ctx, execution)
        if execution["underWay"]:
            self.executions[execution["pipelineExecutionId"]] = execution
        else:
            self.executions.pop(execution["pipelineExecutionId"], None)

    def save_stage(self, stage: Row) -> None:
        """Write a stage row that was changed."""
        STAGES.put(self.ctx, stage)

    def new_execution(self, **members: Any) -> Row:
        """Write a new execution that waits before its first stage."""
        now = self.ctx.now()
        execution = {
            "pipelineName": self.name,
            "number": self._next("executions"),
            "pipelineExecutionId": str(uuid.uuid4()),
            "status": "InProgress",
            "executionType": "STANDARD",
            "startTime": now,
            "waiting": True,
            "attempt": 1,
            "stages": {},
            "artifacts": {},
            "namespaces": {},
            "revisions": [],
            "variables": [],
            "overrides": [],
            **members,
        }
        self.save(execution)
        events.pipeline_changed(self.ctx, execution, "STARTED")
        return execution

    def new_action(self, execution: Row, stage_name: str, action: Row) -> Row:
        """Write the row of an action execution that starts now."""
        now = self.ctx.now()
        row = {
            "pipelineName": self.name,
            "sequence": self._next("sequence"),
            "pipelineExecutionId": execution["pipelineExecutionId"],
            "pipelineVersion": execution["pipelineVersion"],
            "number": execution["number"],
            "actionExecutionId": str(uuid.uuid4()),
            "stageName": stage_name,
            "actionName": action["name"],
            "declaration": action,
            "region": action.get("region", self.ctx.region),
            "status": "InProgress",
            "startTime": now,
            "lastUpdateTime": now,
        }
        ACTIONS.put(self.ctx, row)
        stage = self.stage(stage_name)
        stage["actions"][action["name"]] = row["sequence"]
        self.save_stage(stage)
        return row

    def new_rule(self, execution: Row, stage_name: str, condition: str, rule: Row) -> Row:
        """Write the row of a rule execution that starts now."""
        now = self.ctx.now()
        row = {
            "pipelineName": self.name,
            "sequence": self._next("sequence"),
            "pipelineExecutionId": execution["pipelineExecutionId"],
            "pipelineVersion": execution["pipelineVersion"],
            "number": execution["number"],
            "ruleExecutionId": str(uuid.uuid4()),
            "stageName": stage_name,
            "condition": condition,
            "ruleName": rule["name"],
            "declaration": rule,
            "region": rule.get("region", self.ctx.region),
            "status": "InProgress",
            "startTime": now,
            "lastUpdateTime": now,
        }
        RULES.put(self.ctx, row)
        return row

    def _next(self, counter: str) -> int:
        self.pipeline[counter] = self.pipeline.get(counter, 0) + 1
        PIPELINES.put(self.ctx, self.pipeline)
        return self.pipeline[counter]
