"""Pipeline structures: what CreatePipeline and UpdatePipeline accept, and the defaults they fill in.

https://docs.aws.amazon.com/codepipeline/latest/userguide/reference-pipeline-structure.html
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from homeport.engine.services.codepipeline import declared_conditions, variables
from homeport.engine.services.codepipeline.actions.contract import ActionProvider, ActionTypeId
from homeport.engine.services.codepipeline.rules.contract import RuleProvider
from homeport.engine.wire.errors import AwsError

Declaration = dict[str, Any]
Providers = Mapping[ActionTypeId, ActionProvider]

MAXIMUM_STAGES = 50
MAXIMUM_ACTIONS_IN_STAGE = 100
SECRET = "****"


def validate(
    given: Declaration, providers: Providers, rules: Mapping[str, RuleProvider], region: str
) -> Declaration:
    """The structure with its defaults filled in. Raises the errors of CreatePipeline."""
    declaration = with_defaults(given)
    _check_stages(declaration)
    _check_artifact_stores(declaration, region)
    _check_type(declaration, providers)
    for stage in declaration["stages"]:
        for action in stage["actions"]:
            _check_action(action, providers, region)
    _check_artifacts(declaration)
    _check_namespaces(declaration)
    _check_variables(declaration)
    _check_triggers(declaration)
    declared_conditions.check(declaration, rules)
    return declaration


def with_defaults(given: Declaration) -> Declaration:
    """As GetPipeline shows it: every action has a runOrder, a configuration and its artifact lists."""
    stages = [{**stage, "actions": [_action(one) for one in stage["actions"]]} for stage in given["stages"]]
    return {"executionMode": "SUPERSEDED", "pipelineType": "V1", **given, "stages": stages}


def actions_of(declaration: Declaration) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    """Every action with its stage, in the order of stages, then of runOrder."""
    for stage in declaration["stages"]:
        for action in sorted(stage["actions"], key=lambda one: one["runOrder"]):
            yield stage, action


def stage_named(declaration: Declaration, name: str) -> dict[str, Any]:
    """The stage of this name. Raises StageNotFoundException."""
    for stage in declaration["stages"]:
        if stage["name"] == name:
            return stage
    raise AwsError(
        "StageNotFoundException", f"Stage '{name}' does not exist in pipeline '{declaration['name']}'"
    )


def action_named(stage: dict[str, Any], name: str) -> dict[str, Any]:
    """The action of this name. Raises ActionNotFoundException."""
    for action in stage["actions"]:
        if action["name"] == name:
            return action
    raise AwsError("ActionNotFoundException", f"Action '{name}' does not exist in stage '{stage['name']}'")


def without_secrets(action: dict[str, Any], providers: Providers) -> dict[str, str]:
    """The action's configuration as it may be shown."""
    provider = providers.get(ActionTypeId.of(action["actionTypeId"]))
    secret = {one.name for one in provider.properties if one.secret} if provider else set()
    return {key: SECRET if key in secret else value for key, value in action["configuration"].items()}


def _action(given: dict[str, Any]) -> dict[str, Any]:
    return {"runOrder": 1, "configuration": {}, "outputArtifacts": [], "inputArtifacts": [], **given}


def _structure(message: str) -> AwsError:
    return AwsError("InvalidStructureException", message)


def _invalid_action(message: str) -> AwsError:
    return AwsError("InvalidActionDeclarationException", message)


def _invalid_stage(message: str) -> AwsError:
    return AwsError("InvalidStageDeclarationException", message)


def _check_stages(declaration: Declaration) -> None:
    stages = declaration["stages"]
    if len(stages) < 2:
        raise _structure(
            f"Pipeline has only {len(stages)} stage(s). There should be a minimum of 2 stages in a pipeline"
        )
    if len(stages) > MAXIMUM_STAGES:
        raise _structure(f"Pipeline has {len(stages)} stages. There can be at most {MAXIMUM_STAGES} stages")
    if double := _double(stage["name"] for stage in stages):
        raise _structure(f"Stage names must be unique within a pipeline: '{double}' is used more than once")
    for index, stage in enumerate(stages):
        actions = stage["actions"]
        if not actions:
            raise _invalid_stage(f"Stage '{stage['name']}' must have at least one action")
        if len(actions) > MAXIMUM_ACTIONS_IN_STAGE:
            raise _invalid_stage(
                f"Stage '{stage['name']}' has {len(actions)} actions;"
                f" there can be at most {MAXIMUM_ACTIONS_IN_STAGE}"
            )
        if double := _double(action["name"] for action in actions):
            raise _invalid_stage(
                f"Action names must be unique within a stage: '{double}' is used more than once"
                f" in stage '{stage['name']}'"
            )
        sources = [action["actionTypeId"]["category"] == "Source" for action in actions]
        if index == 0 and not all(sources):
            raise _structure("Pipeline should start with a stage that only contains source actions")
        if index > 0 and any(sources):
            raise _structure(
                f"Stage '{stage['name']}' contains source actions; only the first stage can contain them"
            )


def _check_artifact_stores(declaration: Declaration, region: str) -> None:
    single, stores = declaration.get("artifactStore"), declaration.get("artifactStores")
    if bool(single) == bool(stores):
        raise _structure("Exactly one of artifactStore and artifactStores must be specified")
    if stores and region not in stores:
        raise _structure(f"artifactStores has no artifact store for the pipeline's own region {region}")
    available = set(stores or {region: single})
    for _, action in actions_of(declaration):
        where = action.get("region", region)
        if where != region and action["actionTypeId"]["category"] == "Source":
            raise _invalid_action(
                f"Source action '{action['name']}' must run in the pipeline's own region {region}, not in {where}"
            )
        if where not in available:
            raise _invalid_action(
                f"Action '{action['name']}' runs in region {where}, for which artifactStores has no store"
            )


def _check_type(declaration: Declaration, providers: Providers) -> None:
    if declaration["pipelineType"] == "V2":
        return
    v2_only = [key for key in ("variables", "triggers") if declaration.get(key)]
    if declaration["executionMode"] != "SUPERSEDED":
        v2_only.append(f"executionMode {declaration['executionMode']}")
    conditions = ("beforeEntry", "onSuccess", "onFailure")
    v2_only += [key for stage in declaration["stages"] for key in conditions if stage.get(key)]
    for _, action in actions_of(declaration):
        provider = providers.get(ActionTypeId.of(action["actionTypeId"]))
        if provider and provider.v2_only:
            v2_only.append(f"the action {action['name']} ({provider.type.provider})")
    if v2_only:
        raise _structure(f"{', '.join(v2_only)} can be used with pipelineType V2 only")


def _check_action(action: dict[str, Any], providers: Providers, region: str) -> None:
    name, kind = action["name"], ActionTypeId.of(action["actionTypeId"])
    provider = providers.get(kind)
    if provider is None:
        raise _invalid_action(
            f"ActionType (Category: '{kind.category}', Provider: '{kind.provider}', Owner: '{kind.owner}', "
            f"Version: '{kind.version}') in action '{name}' is not available in region "
            f"{action.get('region', region).upper().replace('-', '_')}"
        )
    for noun, key, (least, most) in (
        ("input", "inputArtifacts", provider.inputs),
        ("output", "outputArtifacts", provider.outputs),
    ):
        count = len(action[key])
        if not least <= count <= most:
            limit = (
                f"less than the minimum of {least}" if count < least else f"more than the maximum of {most}"
            )
            raise _invalid_action(f"Action '{name}' has {count} {noun} artifact(s), which is {limit}")
    _check_configuration(action, provider)
    if "timeoutInMinutes" in action and kind.category == "Source":
        raise _invalid_action(f"Action '{name}' is a source action: timeoutInMinutes cannot be set for it")
    if kind.provider == "Commands" and not action.get("commands"):
        raise _invalid_action(f"Action '{name}' must have at least one command")
    if kind.provider != "Commands" and (action.get("commands") or action.get("outputVariables")):
        raise _invalid_action(f"Action '{name}': commands and outputVariables belong to the Commands action")


def _check_configuration(action: dict[str, Any], provider: ActionProvider) -> None:
    name, given = action["name"], action["configuration"]
    for one in provider.properties:
        if one.required and not given.get(one.name):
            raise _invalid_action(
                f"Action configuration for action '{name}' is missing required configuration '{one.name}'"
            )
    unknown = sorted(set(given) - {one.name for one in provider.properties})
    if unknown and not provider.open_configuration:
        raise _invalid_action(
            f"Action configuration for action '{name}' contains unknown configuration '{unknown[0]}'"
        )
    for key, value in given.items():
        if len(value) > 50_000:
            raise _invalid_action(f"Configuration '{key}' of action '{name}' is longer than 50000 characters")


def _check_artifacts(declaration: Declaration) -> None:
    produced: set[str] = set()
    for stage in declaration["stages"]:
        for order in sorted({action["runOrder"] for action in stage["actions"]}):
            together = [action for action in stage["actions"] if action["runOrder"] == order]
            for action in together:
                for artifact in action["inputArtifacts"]:
                    if artifact["name"] not in produced:
                        raise _structure(
                            f"Input Artifact Bundle {artifact['name']} in action {action['name']} is not "
                            "declared as Output Artifact Bundle in any of the preceding actions"
                        )
            for action in together:
                for artifact in action["outputArtifacts"]:
                    if artifact["name"] in produced:
                        raise _structure(
                            f"Output Artifact Bundle name must be unique within the pipeline. "
                            f"{artifact['name']} has been used more than once"
                        )
                    produced.add(artifact["name"])


def _check_namespaces(declaration: Declaration) -> None:
    names = [action["namespace"] for _, action in actions_of(declaration) if action.get("namespace")]
    if double := _double(names):
        raise _structure(
            f"Namespaces must be unique within a pipeline: '{double}' is used by more than one action"
        )
    for name in names:
        if name in variables.RESERVED_NAMESPACES:
            raise _structure(f"The namespace '{name}' is reserved")
    declared = {variable["name"] for variable in declaration.get("variables", ())}
    before: set[str] = set()
    for stage in declaration["stages"]:
        for order in sorted({action["runOrder"] for action in stage["actions"]}):
            together = [action for action in stage["actions"] if action["runOrder"] == order]
            for action in together:
                _check_references(action, declared, before, names)
            before |= {action["namespace"] for action in together if action.get("namespace")}


def _check_references(action: dict[str, Any], declared: set[str], before: set[str], names: list[str]) -> None:
    """An action may refer to what actions produce that have ended for certain when it starts.

    https://docs.aws.amazon.com/codepipeline/latest/userguide/reference-variables.html
    """
    texts = [action["configuration"], action.get("commands", []), action.get("environmentVariables", [])]
    for namespace, key in variables.references(texts):
        if namespace == variables.PIPELINE_NAMESPACE and key not in declared:
            raise _invalid_action(
                f"Action '{action['name']}' refers to the pipeline variable '{key}', which is not declared"
            )
        if namespace in before or namespace in variables.RESERVED_NAMESPACES:
            continue
        why = "whose action does not run before it" if namespace in names else "which no action has"
        raise _invalid_action(f"Action '{action['name']}' refers to the namespace '{namespace}', {why}")


def _check_variables(declaration: Declaration) -> None:
    if double := _double(variable["name"] for variable in declaration.get("variables", ())):
        raise _structure(f"Pipeline variable names must be unique: '{double}' is declared more than once")


def _check_triggers(declaration: Declaration) -> None:
    sources = {
        action["name"]: action["actionTypeId"]["provider"] for action in declaration["stages"][0]["actions"]
    }
    named = [one["gitConfiguration"]["sourceActionName"] for one in declaration.get("triggers", ())]
    if double := _double(named):
        raise _structure(f"There can be only one trigger for each source action; '{double}' has more")
    for trigger in declaration.get("triggers", ()):
        git = trigger["gitConfiguration"]
        if sources.get(git["sourceActionName"]) != "CodeStarSourceConnection":
            raise _structure(
                f"The trigger's sourceActionName '{git['sourceActionName']}' is not the name of "
                "a CodeStarSourceConnection source action of the pipeline"
            )
        if not git.get("push") and not git.get("pullRequest"):
            raise _structure(f"The trigger for '{git['sourceActionName']}' has neither push nor pullRequest")
        for push in git.get("push", ()):
            if push.get("tags") and (push.get("branches") or push.get("filePaths")):
                raise _structure("A push filter has either tags, or branches and filePaths")
        for one in (*git.get("push", ()), *git.get("pullRequest", ())):
            for part in ("tags", "branches", "filePaths"):
                if part in one and not (one[part].get("includes") or one[part].get("excludes")):
                    raise _structure(f"The trigger filter '{part}' has neither includes nor excludes")


def _double(names: Any) -> str | None:
    return next((name for name, count in Counter(names).items() if count > 1), None)
