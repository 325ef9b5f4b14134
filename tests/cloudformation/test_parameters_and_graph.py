"""Parameters, dependencies, schemas and changes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from homeport.engine.services.cloudformation.changes import compare, replacement
from homeport.engine.services.cloudformation.dynamic import parse_secret, resolve
from homeport.engine.services.cloudformation.graph import check_references, dependencies, find_circle, reverse
from homeport.engine.services.cloudformation.parameters import bind
from homeport.engine.services.cloudformation.schemas import schema_of
from homeport.engine.services.cloudformation.template import parse
from homeport.engine.services.cloudformation.values import UNKNOWN
from homeport.engine.wire.errors import AwsError

DECLARED = parse("""
  Name: {Type: String, AllowedPattern: "[a-z]+", MaxLength: 5}
  Size: {Type: Number, Default: 2, MinValue: 1}
  Zones: {Type: CommaDelimitedList, Default: "a, b"}
  Secret: {Type: String, NoEcho: true, Default: ""}
""").body


def given_values(**values: str) -> list[dict[str, str]]:
    return [{"ParameterKey": key, "ParameterValue": value} for key, value in values.items()]


def test_parameters_take_given_values_previous_values_and_defaults():
    bound = bind(
        DECLARED, [*given_values(Size="3"), {"ParameterKey": "Name", "UsePreviousValue": True}], {"Name": "x"}
    )

    assert {name: item.reference for name, item in bound.items()} == {
        "Name": "x",
        "Size": "3",
        "Zones": ["a", "b"],
        "Secret": "",
    }
    assert bound["Secret"].described() == {"ParameterKey": "Secret", "ParameterValue": "****"}


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({}, "Parameters: [Name] must have values"),
        ({"Name": "x", "Other": "1"}, "Parameters: [Other] do not exist in the template"),
        ({"Name": "X"}, "Parameter 'Name' must match pattern [a-z]+"),
        ({"Name": "abcdef"}, "Parameter 'Name' must contain at most 5 characters"),
        ({"Name": "x", "Size": "0"}, "Parameter 'Size' must be a number not less than 1"),
        ({"Name": "x", "Size": "many"}, "Parameter 'Size' must be a number; 'many' is not."),
    ],
)
def test_unfit_parameters_are_refused(values: dict[str, str], message: str):
    with pytest.raises(AwsError) as error:
        bind(DECLARED, given_values(**values), {})
    assert error.value.message == message


def test_dependencies_follow_only_the_branch_that_is_taken():
    template = parse("""
      Conditions: {Big: !Equals [1, 1]}
      Resources:
        A: {Type: T, Properties: {X: !If [Big, !Ref B, !Ref C], Y: !Sub "${D.Arn}"}}
        B: {Type: T, DependsOn: [D]}
        C: {Type: T}
        D: {Type: T}
    """)

    graph = dependencies(template.resources, {"Big": True})
    assert graph == {"A": {"B", "D"}, "B": {"D"}, "C": set(), "D": set()}
    assert reverse(graph)["D"] == {"A", "B"}


def test_a_circle_is_named():
    template = parse(
        "Resources: {A: {Type: T, DependsOn: B}, B: {Type: T, Properties: {X: !Ref A}}, C: {Type: T}}"
    )

    with pytest.raises(AwsError) as error:
        dependencies(template.resources, {})
    assert error.value.message == "Circular dependency between resources: [A, B]"


def test_unresolved_references_are_named():
    for text, message in (
        (
            "Resources: {A: {Type: T, Properties: {X: !Ref Nope}}}",
            "Unresolved resource dependencies [Nope] in the",
        ),
        (
            "Parameters: {P: {Type: String}}\nResources: {A: {Type: T, Properties: {X: !GetAtt P.Q}}}",
            "undefined resource P",
        ),
        ("Resources: {A: {Type: T, Condition: Nope}}", "Unresolved condition dependency Nope"),
    ):
        with pytest.raises(AwsError) as error:
            check_references(parse(text))
        assert message in error.value.message


@given(st.dictionaries(st.integers(0, 8), st.frozensets(st.integers(0, 8))))
def test_a_graph_has_a_circle_exactly_when_following_it_never_ends(edges: dict[int, frozenset[int]]):
    graph = {str(a): frozenset(str(b) for b in bs if b in edges) for a, bs in edges.items()}
    reach = dict(graph)
    for _ in graph:
        reach = {a: bs.union(*(reach[b] for b in bs)) for a, bs in reach.items()}

    assert bool(find_circle(graph)) == any(a in bs for a, bs in reach.items())


def test_schemas_say_what_replaces_and_fit_scalars():
    schema = schema_of("AWS::ECS::Service")

    assert "Cluster" in schema.create_only and "LaunchType" in schema.conditional_create_only
    assert schema.conform({"DesiredCount": "3", "Bogus": 1}) == (
        {"DesiredCount": 3, "Bogus": 1},
        ["#: extraneous key [Bogus] is not permitted"],
    )
    assert schema_of("AWS::No::Such") is None


def test_changes_tell_replacement():
    type = "AWS::ECS::Service"

    assert replacement(compare(type, {"DesiredCount": 1}, {"DesiredCount": 2})) == "False"
    assert replacement(compare(type, {"Cluster": "a"}, {"Cluster": "b"})) == "True"
    assert replacement(compare(type, {"Cluster": "a"}, {"Cluster": UNKNOWN})) == "Conditional"


async def test_dynamic_references_are_looked_up():
    class Client:
        async def get_parameter(self, Name: str, WithDecryption: bool) -> dict:
            return {"Parameter": {"Type": "String", "Value": f"<{Name}>"}}

        async def get_secret_value(self, **request: str) -> dict:
            assert request == {
                "SecretId": "arn:aws:secretsmanager:r:1:secret:s-x",
                "VersionStage": "AWSCURRENT",
            }
            return {"SecretString": '{"password": "p"}'}

    value = {
        "A": ["x-{{resolve:ssm:/a:3}}"],
        "B": "{{resolve:secretsmanager:arn:aws:secretsmanager:r:1:secret:s-x:SecretString:password:AWSCURRENT}}",
    }
    assert await resolve(value, lambda service: Client()) == {"A": ["x-</a:3>"], "B": "p"}
    assert parse_secret("name").key == ""
