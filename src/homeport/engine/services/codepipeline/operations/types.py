"""The action and rule types that pipelines can use.

https://docs.aws.amazon.com/codepipeline/latest/APIReference/API_ListActionTypes.html
"""

from __future__ import annotations

from typing import Any

from homeport.engine.services.codepipeline.actions import PROVIDERS
from homeport.engine.services.codepipeline.actions.contract import ActionProvider, Property
from homeport.engine.services.codepipeline.rules import RULE_PROVIDERS
from homeport.engine.services.context import Context
from homeport.engine.services.service import operation


@operation
async def list_action_types(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """Every action type, or those of one owner."""
    owner = request.get("actionOwnerFilter")
    found = [one for one in PROVIDERS.values() if owner in (None, one.type.owner)]
    return {"actionTypes": [_action_type(one) for one in sorted(found, key=lambda one: one.type)]}


@operation
async def list_rule_types(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """Every rule type of stage conditions."""
    types = [
        {
            "id": {"category": "Rule", "owner": "AWS", "provider": rule.name, "version": "1"},
            "ruleConfigurationProperties": [_property(one) for one in rule.properties],
            "inputArtifactDetails": {"minimumCount": 0, "maximumCount": 1 if rule.artifacts else 0},
        }
        for rule in RULE_PROVIDERS.values()
    ]
    return {"ruleTypes": types}


def _action_type(provider: ActionProvider) -> dict[str, Any]:
    return {
        "id": provider.type._asdict(),
        "settings": {},
        "actionConfigurationProperties": [_property(one) for one in provider.properties],
        "inputArtifactDetails": dict(zip(("minimumCount", "maximumCount"), provider.inputs, strict=True)),
        "outputArtifactDetails": dict(zip(("minimumCount", "maximumCount"), provider.outputs, strict=True)),
    }


def _property(one: Property) -> dict[str, Any]:
    return {"name": one.name, "required": one.required, "key": True, "secret": one.secret}
