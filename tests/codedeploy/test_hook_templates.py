"""What the hook AWS::CodeDeploy::BlueGreen takes, and what it refuses.
https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/blue-green-considerations.html"""

import copy
import json
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError
from hypothesis import given
from hypothesis import strategies as st

from homeport.engine.services.cloudformation.blue_green.colours import (
    coloured,
    routes,
    same_shares,
    shared,
)
from homeport.engine.services.cloudformation.blue_green.hook import read_hook
from homeport.engine.services.cloudformation.template import Template
from homeport.engine.services.cloudformation.values import Environment
from homeport.pytest_plugin import RunningEngine
from tests.codedeploy.hooked import Hooked, template

Body = dict[str, Any]
SCHEMA = "Please ensure the AWS::CodeDeploy::BlueGreen Hook matches the expected schema."
CANARY = {"StepPercentage": 20, "BakeTimeMins": 1}


def properties(made: Body) -> Body:
    found: Body = made["Hooks"]["Shift"]["Properties"]
    return found


def attributes(made: Body) -> Body:
    found: Body = properties(made)["Applications"][0]["ECSAttributes"]
    return found


def with_routing(**config: Any) -> Callable[[Body], Any]:
    return lambda made: properties(made).update(TrafficRoutingConfig=config)


def resource(id: str, **members: Any) -> Callable[[Body], Any]:
    return lambda made: made["Resources"].update({id: members})


REFUSED: dict[str, tuple[Callable[[Body], Any], str]] = {
    "a canary of 13 per cent": (
        with_routing(Type="TimeBasedCanary", TimeBasedCanary={"StepPercentage": 13}),
        f"{SCHEMA} StepPercentage must be between 14 and 99, not 13.",
    ),
    "a canary that does not say how": (
        with_routing(Type="TimeBasedCanary"),
        "A TrafficRoutingConfig of the Type TimeBasedCanary cannot have no TimeBasedCanary.",
    ),
    "both ways to shift": (
        with_routing(Type="TimeBasedLinear", TimeBasedLinear=CANARY, TimeBasedCanary=CANARY),
        "cannot have TimeBasedCanary, TimeBasedLinear.",
    ),
    "a strange way to shift": (with_routing(Type="Slowly"), "TrafficRoutingConfig.Type must be AllAtOnce"),
    "two applications": (
        lambda made: properties(made)["Applications"].append(properties(made)["Applications"][0]),
        "a single ECS service is the target of a deployment",
    ),
    "an unknown property": (lambda made: properties(made).update(Colour="red"), "cannot have Colour."),
    "functions that nobody may invoke": (
        lambda made: properties(made).update(LifecycleEventHooks={"AfterInstall": "f"}),
        "LifecycleEventHooks need a ServiceRole",
    ),
    "a reference to a resource": (
        lambda made: properties(made).update(ServiceRole={"Ref": "Cluster"}),
        "It must name resources by their logical IDs, and refer to none.",
    ),
    "one colour only": (
        lambda made: attributes(made).update(TaskSets=["BlueTasks"]),
        "TaskSets must be two logical IDs: the blue one and the green one.",
    ),
    "both colours in the template": (
        lambda made: made["Resources"].update(GreenTasks=made["Resources"]["BlueTasks"]),
        'Failed to parse the template resource "Resources->BlueTasks". Please validate the template configuration.',
    ),
    "a service that ECS deploys": (
        lambda made: made["Resources"]["Service"]["Properties"].pop("DeploymentController"),
        'resource "Resources->Service". Please validate the template configuration. Its DeploymentController',
    ),
    "a listener that leads elsewhere": (
        lambda made: made["Resources"]["Production"]["Properties"].update(
            DefaultActions=[{"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "200"}}]
        ),
        "None of its DefaultActions forwards to a target group of the hook.",
    ),
    "outputs": (
        lambda made: made.update(Outputs={"Cluster": {"Value": {"Ref": "Cluster"}}}),
        "Declaring Outputs is not supported",
    ),
    "imports": (
        resource("Topic", Type="AWS::SNS::Topic", Properties={"TopicName": {"Fn::ImportValue": "name"}}),
        "Fn::ImportValue is not supported",
    ),
    "nested stacks": (
        resource("Inner", Type="AWS::CloudFormation::Stack", Properties={"TemplateURL": "https://x"}),
        "cannot be used in a template with nested stacks: Inner.",
    ),
    "another kind of hook": (
        lambda made: made["Hooks"]["Shift"].update(Type="AWS::Other::Hook"),
        "A hook must be an object of the Type AWS::CodeDeploy::BlueGreen.",
    ),
}


@pytest.mark.parametrize("what", REFUSED)
def test_what_cannot_be_deployed_is_refused_before_anything_is_made(engine: RunningEngine, what: str):
    change, why = REFUSED[what]
    made = template()
    change(made)
    api = engine.client("cloudformation")
    with pytest.raises(ClientError) as refused:
        api.create_stack(
            StackName="shop", TemplateBody=json.dumps(made), Capabilities=["CAPABILITY_AUTO_EXPAND"]
        )
    told = refused.value.response["Error"]
    assert told["Code"] == "ValidationError" and why in told["Message"], told
    assert api.describe_stacks()["Stacks"] == []


def test_an_update_changes_the_application_or_the_rest(engine: RunningEngine):
    shop = Hooked(engine)

    def refusal(made: Body, **options: Any) -> str:
        with pytest.raises(ClientError) as refused:
            shop.update(made, **options)
        return str(refused.value)

    both = shop.template("v2")
    both["Resources"]["Service"]["Properties"]["DesiredCount"] = 2
    both["Resources"]["Topic"] = {"Type": "AWS::SNS::Topic"}
    message = (
        "'Shift' of type AWS::CodeDeploy::BlueGreen failed with message: Additional resource diff other than ECS "
        "application related resource update is detected, CodeDeploy can't perform BlueGreen style update properly. "
        "Diff resource logical Ids: [Service, Topic]"
    )
    assert message in refusal(both)
    shop.api.create_change_set(StackName="shop", ChangeSetName="both", **shop.body(both))
    found = shop.api.describe_change_set(StackName="shop", ChangeSetName="both")
    assert (found["Status"], found["StatusReason"]) == ("FAILED", message)

    untransformed = {key: value for key, value in shop.template("v2").items() if key != "Transform"}
    assert (
        "The TaskDefinition logical Id [BlueDefinition] is the same between initial and final template, CodeDeploy "
        "can't perform BlueGreen style update properly"
    ) in refusal(untransformed)

    hidden = shop.template("v2")
    hidden["Parameters"] = {"Word": {"Type": "String", "NoEcho": True}}
    [container] = hidden["Resources"]["BlueDefinition"]["Properties"]["ContainerDefinitions"]
    container["Environment"] = [{"Name": "WORD", "Value": {"Ref": "Word"}}]
    word = {"ParameterKey": "Word", "ParameterValue": "swordfish"}
    assert "Values that CloudFormation hides cannot be part of a green deployment" in refusal(
        hidden, Parameters=[word]
    )
    container["Environment"] = [{"Name": "WORD", "Value": "{{resolve:ssm:/word}}"}]
    assert "nor dynamic references: [BlueDefinition]" in refusal(hidden, Parameters=[word])
    assert shop.status() == "CREATE_COMPLETE"

    sized = shop.template("v1")  # a parameter changes the application as well as a word of the template does
    sized["Parameters"] = {"Cpu": {"Type": "String", "Default": "256"}}
    sized["Resources"]["BlueDefinition"]["Properties"]["Cpu"] = {"Ref": "Cpu"}
    more = {"ParameterKey": "Cpu", "ParameterValue": "512"}
    for name, values in (("same", []), ("more", [more])):
        shop.api.create_change_set(
            StackName="shop", ChangeSetName=name, Parameters=values, **shop.body(sized)
        )
    found = shop.api.describe_change_set(StackName="shop", ChangeSetName="more")["Changes"]
    added = [
        each["ResourceChange"]["LogicalResourceId"]
        for each in found
        if each["ResourceChange"]["Action"] == "Add"
    ]
    assert added == ["GreenDefinition", "GreenTasks"]
    assert shop.api.describe_change_set(StackName="shop", ChangeSetName="same")["Changes"] == []

    # without the hook, the rest may change together with the application: nobody shifts traffic then
    plain = {"Resources": both["Resources"]}
    shop.update(plain)
    assert shop.ended() == "UPDATE_COMPLETE", shop.reasons()
    assert shop.codedeploy.list_deployments()["deployments"] == []


def hook_of(made: Body) -> Any:
    hook = read_hook(Template(made), Environment())
    assert hook is not None
    return hook


@given(st.sampled_from(["Ref", "Fn::GetAtt", "Fn::Sub"]), st.booleans())
def test_a_template_that_changes_its_colour_twice_is_what_it_was(function: str, listed: bool):
    made = template()
    argument: Any = {
        "Ref": "BlueTasks",
        "Fn::GetAtt": ["BlueTasks", "Id"],
        "Fn::Sub": "${BlueTasks.Id} ${!x}",
    }[function]
    if function == "Fn::Sub" and listed:
        argument = [argument, {"x": {"Ref": "BlueDefinition"}}]
    made["Resources"]["Topic"] = {
        "Type": "AWS::SNS::Topic",
        "DependsOn": ["BlueTasks"] if listed else "BlueTasks",
        "Properties": {"DisplayName": {function: argument}},
    }
    hook = hook_of(made)
    green = coloured(made, hook, 1)
    written = json.dumps(green["Resources"])
    assert "BlueTasks" not in written and "BlueDefinition" not in written
    assert green["Resources"]["GreenTasks"]["Properties"]["LoadBalancers"][0]["TargetGroupArn"] == {
        "Ref": "Green"
    }
    assert coloured(green, hook, 0) == made


@given(st.integers(0, 100))
def test_the_shares_of_a_listener_are_the_same_however_they_are_written(percent: int):
    made = template()
    hook = hook_of(made)
    assert routes(made, hook) == ["Production"]
    listener = made["Resources"]["Production"]
    given_ = shared(listener, hook, 1, percent)
    groups = given_["Properties"]["DefaultActions"][0]["ForwardConfig"]["TargetGroups"]
    assert [each["Weight"] for each in groups] == [percent, 100 - percent]
    assert same_shares(given_, listener, hook) == (percent == 0)
    other = copy.deepcopy(given_)
    for each in other["Properties"]["DefaultActions"][0]["ForwardConfig"]["TargetGroups"]:
        each["Weight"] *= 2
    assert same_shares(given_, other, hook)
