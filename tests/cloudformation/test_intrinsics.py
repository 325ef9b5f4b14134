"""Intrinsic functions, conditions and language extensions."""

import base64
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from homeport.engine.services.cloudformation.conditions import evaluate_conditions
from homeport.engine.services.cloudformation.extensions import expand
from homeport.engine.services.cloudformation.intrinsics import evaluate
from homeport.engine.services.cloudformation.template import parse
from homeport.engine.services.cloudformation.transforms import transformed
from homeport.engine.services.cloudformation.values import NO_VALUE, UNKNOWN, Environment
from homeport.engine.wire.errors import AwsError

ENV = Environment(
    parameters={"Env": "prod", "Names": ["a", "b"], "Port": "80", "AWS::Region": "us-east-1"},
    mappings={"Sizes": {"prod": {"cpu": 512, "zones": ["a", "b"]}}},
    conditions={"IsProd": True, "IsTest": False},
    reference=lambda id: UNKNOWN if id == "New" else f"physical-{id}",
    attribute=lambda id, name: f"{id}/{name}",
    exported=lambda name: f"exported {name}",
    zones=lambda region: [f"{region}a", f"{region}b"],
)


@pytest.mark.parametrize(
    ("source", "value"),
    [
        ("!Ref Env", "prod"),
        ("!Ref Bucket", "physical-Bucket"),
        ("!GetAtt Bucket.Endpoint.Address", "Bucket/Endpoint.Address"),
        (
            '!Sub "${Env}-${Bucket}-${Bucket.Arn}-${!Env}-${ Port }"',
            "prod-physical-Bucket-Bucket/Arn-${Env}-80",
        ),
        ('!Sub ["${A}$x${Env}", {A: !Ref Port}]', "80$xprod"),
        ('!Join [":", [a, !Ref Port, 1, true]]', "a:80:1:true"),
        ('!Join [",", !Ref Names]', "a,b"),
        ('!Split ["|", "x||y"]', ["x", "", "y"]),
        ('!Select ["1", !Ref Names]', "b"),
        ("!FindInMap [Sizes, !Ref Env, cpu]", 512),
        ("!FindInMap [Sizes, dev, cpu, {DefaultValue: 256}]", 256),
        ("!If [IsProd, 1, 2]", 1),
        ("!If [IsTest, 1, !Ref AWS::NoValue]", NO_VALUE),
        ("{A: !If [IsTest, 1, !Ref AWS::NoValue], B: [!Ref AWS::NoValue, 2]}", {"B": [2]}),
        ("!Base64 héllo", base64.b64encode("héllo".encode()).decode()),
        ("!Cidr [10.0.0.0/16, 2, 8]", ["10.0.0.0/24", "10.0.1.0/24"]),
        ('!GetAZs ""', ["us-east-1a", "us-east-1b"]),
        ("!ImportValue {Fn::Sub: '${Env}-vpc'}", "exported prod-vpc"),
        ("!Length {Ref: Names}", 2),
        ("!ToJsonString {a: !Ref Port, b: [1]}", '{"a":"80","b":[1]}'),
        ("!Or [!Equals [1, '1'], !Condition IsTest]", True),
        ("{Condition: {StringEquals: {a: !Ref Env}}}", {"Condition": {"StringEquals": {"a": "prod"}}}),
        ('!Sub "${New}/x"', UNKNOWN),
        ('!Join ["", [a, !Ref New]]', UNKNOWN),
    ],
)
def test_a_function_gives_what_aws_gives(source: str, value: Any):
    assert evaluate(parse("V: " + source).body["V"], ENV) == value if value is not NO_VALUE else True
    if value is NO_VALUE:
        assert evaluate(parse("V: " + source).body["V"], ENV) is NO_VALUE


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("!Select [5, [a]]", "Template error: Fn::Select  cannot select nonexistent value at index 5"),
        ("!FindInMap [Sizes, dev, cpu]", "Template error: Unable to get mapping for Sizes::dev::cpu"),
        ("!Join [a]", "Template error: every Fn::Join object requires two parameters"),
        ("!Foo [a]", "Template error: Encountered unsupported function: Fn::Foo"),
        ("!Cidr [10.0.0.0/30, 9, 8]", "Template error: Fn::Cidr cannot"),
        ("!If [Nope, 1, 2]", "Template format error: Unresolved condition dependency Nope"),
    ],
)
def test_a_misused_function_is_refused(source: str, message: str):
    with pytest.raises(AwsError, match="ValidationError") as error:
        evaluate(parse("V: " + source).body["V"], ENV)
    assert error.value.message.startswith(message)


names = st.text("abcdefghij", min_size=1, max_size=5)


@given(st.lists(names, min_size=1), st.sampled_from([",", "|", "::"]))
def test_split_undoes_join(items: list[str], delimiter: str):
    assert evaluate({"Fn::Split": [delimiter, {"Fn::Join": [delimiter, items]}]}, ENV) == items


@given(st.dictionaries(names, st.text(max_size=20), min_size=1))
def test_sub_puts_each_value_where_its_name_stands(values: dict[str, str]):
    text = "-".join(f"${{{name}}}" for name in values)

    assert evaluate({"Fn::Sub": [text, values]}, ENV) == "-".join(values.values())


json_values = st.recursive(
    st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names, inner, max_size=3),
    max_leaves=8,
)
FUNCTION_NAMES = (
    "Ref Fn::Sub Fn::Join Fn::Select Fn::Split Fn::If Fn::Cidr Fn::FindInMap Fn::GetAtt Fn::Base64 Fn::And Fn::Not "
    "Fn::Equals Fn::GetAZs Fn::ImportValue Fn::Length"
)
functions = st.sampled_from(FUNCTION_NAMES.split())


@given(functions, json_values)
@example("Fn::GetAtt", ["Bucket", False, False])
def test_any_argument_gives_a_value_or_a_validation_error(function: str, argument: Any):
    try:
        evaluate({function: argument}, ENV)
    except AwsError as error:
        assert error.code == "ValidationError"


def test_conditions_refer_to_each_other_in_any_order():
    section = parse(
        "A: !Not [!Condition B]\nB: !Equals [!Ref Env, prod]\nC: !And [!Condition A, !Condition B]"
    ).body

    assert evaluate_conditions(section, ENV) == {"A": False, "B": True, "C": False}


def test_conditions_in_a_circle_or_on_a_resource_are_refused():
    for text, words in (
        ("A: !Not [!Condition B]\nB: !Not [!Condition A]", "circular condition"),
        ("A: !Equals [!Ref Bucket, x]", "Cannot reference resources in the Conditions block"),
    ):
        with pytest.raises(AwsError, match=words):
            evaluate_conditions(parse(text).body, ENV)


def test_for_each_makes_resources_and_properties():
    body = parse("""
      Resources:
        Fn::ForEach::Topics:
          - Name
          - !Ref Names
          - Topic${Name}:
              Type: AWS::SNS::Topic
              Properties: {TopicName: !Sub "${Name}-${Env}", DisplayName: !Ref Name}
    """).body

    resources = expand(body, ENV)["Resources"]
    assert list(resources) == ["Topica", "Topicb"]
    assert resources["Topicb"]["Properties"] == {"TopicName": {"Fn::Sub": "b-${Env}"}, "DisplayName": "b"}


async def test_the_sam_transform_is_awss_own():
    template = parse("""
      Transform: AWS::Serverless-2016-10-31
      Resources:
        Table: {Type: AWS::Serverless::SimpleTable}
    """)

    async def policies() -> dict[str, str]:
        return {}

    async def fetch(location: str) -> str:
        raise AssertionError(location)

    made = await transformed(template, ENV, fetch, policies)
    assert made.resources["Table"].type == "AWS::DynamoDB::Table"
    assert "Transform" not in made.body
