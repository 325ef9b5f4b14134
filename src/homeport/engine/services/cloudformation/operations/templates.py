"""Templates: read back, summarized, validated; exports and imports.

https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_GetTemplate.html
"""

from __future__ import annotations

import json
from typing import Any

from homeport.engine.services.cloudformation import template as templates
from homeport.engine.services.cloudformation.capabilities import needed_capabilities
from homeport.engine.services.cloudformation.execution.outputs import importers
from homeport.engine.services.cloudformation.parameters import check_declarations, default_of, is_no_echo
from homeport.engine.services.cloudformation.planning import check
from homeport.engine.services.cloudformation.sources import read_source
from homeport.engine.services.cloudformation.tables import EXPORTS, Body, get_stack
from homeport.engine.services.cloudformation.template import Template
from homeport.engine.services.cloudformation.values import text
from homeport.engine.services.context import Context
from homeport.engine.services.pagination import page
from homeport.engine.services.service import operation
from homeport.engine.wire.errors import AwsError

_PAGE = 100


@operation
async def get_template(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_GetTemplate.html"""
    from homeport.engine.services.cloudformation.operations.changesets import find_change_set

    if "ChangeSetName" in request:
        body = find_change_set(ctx, request)["members"]
    else:
        body = get_stack(ctx, request["StackName"])
    if "source" not in body:
        return {"StagesAvailable": []}  # a stack that is only planned yet
    processed = request.get("TemplateStage") == "Processed"
    shown = json.dumps(body["template"]) if processed else body["source"]
    return {"TemplateBody": shown, "StagesAvailable": ["Original", "Processed"]}


@operation
async def get_template_summary(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_GetTemplateSummary.html"""
    if "StackName" in request:
        source = get_stack(ctx, request["StackName"])["source"]
    else:
        source = await read_source(ctx, request, {})
    template = templates.parse(source)
    resources = template.section("Resources")
    types = sorted({str(item.get("Type")) for item in resources.values() if isinstance(item, dict)})
    constraints = {
        name: {"ParameterConstraints": {"AllowedValues": [text(value) for value in item["AllowedValues"]]}}
        for name, item in template.section("Parameters").items()
        if "AllowedValues" in item
    }
    parameters = [
        {**shown, "ParameterType": template.section("Parameters")[name]["Type"], **constraints.get(name, {})}
        for shown in _parameters(template)
        for name in (shown["ParameterKey"],)
    ]
    summary = {
        **_summary(template),
        "Parameters": parameters,
        "ResourceTypes": types,
        "Version": str(template.body.get("AWSTemplateFormatVersion", "2010-09-09")),
        "ResourceIdentifierSummaries": [],
    }
    if "Metadata" in template.body:
        summary["Metadata"] = json.dumps(template.body["Metadata"])
    return summary


@operation
async def validate_template(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_ValidateTemplate.html"""
    template = templates.parse(await read_source(ctx, request, {}))
    check_declarations(template.section("Parameters"))
    if not template.transforms:
        check(ctx, template)
    return {**_summary(template), "Parameters": _parameters(template)}


@operation
async def list_exports(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_ListExports.html"""
    chunk, token = page(
        EXPORTS.list(ctx), _PAGE, request.get("NextToken"), lambda each: each["Name"], "ValidationError"
    )
    shown = [{name: each[name] for name in ("ExportingStackId", "Name", "Value")} for each in chunk]
    return {"Exports": shown, "NextToken": token}


@operation
async def list_imports(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_ListImports.html"""
    name = request["ExportName"]
    users = importers(ctx, name)
    if not users:
        raise AwsError("ValidationError", f"Export '{name}' is not imported by any stack.")
    return {"Imports": users}


def _summary(template: Template) -> Body:
    capabilities, reason = needed_capabilities(template)
    if template.transforms:
        capabilities = [*capabilities, "CAPABILITY_AUTO_EXPAND"]
    summary: Body = {"Capabilities": capabilities, "DeclaredTransforms": template.transforms}
    if reason:
        summary["CapabilitiesReason"] = reason
    if template.body.get("Description"):
        summary["Description"] = text(template.body["Description"])
    return summary


def _parameters(template: Template) -> list[Body]:
    shown = []
    for name, declared in template.section("Parameters").items():
        body: Body = {"ParameterKey": name, "NoEcho": is_no_echo(declared)}
        default = default_of(declared)
        if default is not None:
            body["DefaultValue"] = default
        if declared.get("Description"):
            body["Description"] = text(declared["Description"])
        shown.append(body)
    return shown
