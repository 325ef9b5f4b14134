"""A stack's outputs, and the exports by which other stacks read them.

https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/using-cfn-stack-exports.html
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from homeport.engine.services.cloudformation.environment import stack_environment, stack_template
from homeport.engine.services.cloudformation.errors import invalid
from homeport.engine.services.cloudformation.intrinsics import evaluate, function_of
from homeport.engine.services.cloudformation.tables import EXPORTS, IMPORTS, STACKS, Body
from homeport.engine.services.cloudformation.values import NO_VALUE, Environment, text
from homeport.engine.services.context import Context


def evaluate_outputs(ctx: Context, stack: Body) -> list[Body]:
    """The outputs as DescribeStacks shows them, once all resources are there. Raises ValidationError, also for
    exports that cannot be made, changed or removed."""
    template = stack_template(stack)
    env = stack_environment(ctx, stack)
    outputs: list[Body] = []
    for name, declared in template.section("Outputs").items():
        if "Condition" not in declared or env.conditions[declared["Condition"]]:
            outputs.append(_output(name, declared, env))
    _check_exports(ctx, stack["StackId"], _exports(outputs))
    return outputs


def write_outputs(ctx: Context, stack: Body, outputs: list[Body]) -> None:
    """Write the outputs into the stack's row, and bring its exports and imports up to date."""
    stack_id = stack["StackId"]
    _forget_exports(ctx, stack_id)
    for name, value in _exports(outputs).items():
        EXPORTS.put(
            ctx,
            {"Name": name, "Value": value, "ExportingStackId": stack_id, "StackName": stack["StackName"]},
        )
    _forget_imports(ctx, stack_id)
    for name in _imported(stack, stack_environment(ctx, stack)):
        IMPORTS.put(ctx, {"Name": name, "StackId": stack_id, "StackName": stack["StackName"]})
    stack["Outputs"] = outputs
    STACKS.put(ctx, stack)


def forget_outputs(ctx: Context, stack_id: str) -> None:
    """Remove the exports and imports of a stack that is deleted."""
    _forget_exports(ctx, stack_id)
    _forget_imports(ctx, stack_id)


def importers(ctx: Context, name: str) -> list[str]:
    """The names of the stacks that import an export."""
    return [row["StackName"] for row in IMPORTS.list(ctx, name)]


def check_exports_free(ctx: Context, stack_id: str) -> None:
    """Raise ValidationError when another stack imports what this one exports."""
    for export in EXPORTS.list(ctx, ExportingStackId=stack_id):
        if users := importers(ctx, export["Name"]):
            raise invalid(f"Export {export['Name']} cannot be deleted as it is in use by {', '.join(users)}")


def _output(name: str, declared: Body, env: Environment) -> Body:
    value = evaluate(declared["Value"], env)
    if value is NO_VALUE or isinstance(value, dict | list):
        raise invalid(f"The Value field of every Outputs member must evaluate to a String: {name} does not.")
    output = {"OutputKey": name, "OutputValue": text(value)}
    if declared.get("Description"):
        output["Description"] = text(declared["Description"])
    if declared.get("Export"):
        output["ExportName"] = text(evaluate(declared["Export"]["Name"], env))
    return output


def _exports(outputs: list[Body]) -> dict[str, str]:
    return {each["ExportName"]: each["OutputValue"] for each in outputs if "ExportName" in each}


def _check_exports(ctx: Context, stack_id: str, exports: dict[str, str]) -> None:
    for old in EXPORTS.list(ctx, ExportingStackId=stack_id):
        users = importers(ctx, old["Name"])
        if users and exports.get(old["Name"]) != old["Value"]:
            verb = "updated" if old["Name"] in exports else "deleted"
            raise invalid(f"Export {old['Name']} cannot be {verb} as it is in use by {', '.join(users)}")
    for name in exports:
        taken = EXPORTS.get(ctx, name)
        if taken and taken["ExportingStackId"] != stack_id:
            other = taken["StackName"]
            raise invalid(
                f"Export with name {name} is already exported by stack {other}. Export names are unique."
            )


def _forget_exports(ctx: Context, stack_id: str) -> None:
    for old in EXPORTS.list(ctx, ExportingStackId=stack_id):
        EXPORTS.delete(ctx, old["Name"])


def _forget_imports(ctx: Context, stack_id: str) -> None:
    sql = "DELETE FROM cfn_imports WHERE account = ? AND region = ? AND StackId = ?"
    ctx.store.execute(sql, *ctx.scope, stack_id)


def _imported(stack: Body, env: Environment) -> set[str]:
    body = stack["template"]
    arguments = _imports_in([body.get("Resources"), body.get("Outputs")])
    return {text(evaluate(argument, env)) for argument in arguments}


def _imports_in(value: Any) -> Iterator[Any]:
    if isinstance(value, dict):
        if function_of(value) == "Fn::ImportValue":
            yield value["Fn::ImportValue"]
        for item in value.values():
            yield from _imports_in(item)
    elif isinstance(value, list):
        for item in value:
            yield from _imports_in(item)
