"""Templates: both syntaxes, their lines, and AWS's sentences for what is not a template."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from homeport.engine.services.cloudformation.template import check_structure, parse
from homeport.engine.wire.errors import AwsError

YAML = """\
AWSTemplateFormatVersion: 2010-09-09
Resources:
  Bucket:
    Type: AWS::S3::Bucket
    DependsOn: Role
    Properties:
      BucketName: !Sub "${AWS::StackName}-b"
  Role:
    Type: AWS::IAM::Role
    Properties:
      Arn: !GetAtt Bucket.Arn
      Pick: !Select [0, !Split [",", !Ref Names]]
"""


def refused(text: str) -> str:
    with pytest.raises(AwsError) as error:
        check_structure(parse(text))
    assert error.value.code == "ValidationError"
    return error.value.message


def test_yaml_with_short_tags_knows_its_lines():
    template = parse(YAML)

    bucket, role = template.resources.values()
    assert (bucket.line, role.line) == (3, 8)
    assert bucket.depends_on == ("Role",)
    assert bucket.properties == {"BucketName": {"Fn::Sub": "${AWS::StackName}-b"}}
    assert role.properties["Arn"] == {"Fn::GetAtt": ["Bucket", "Arn"]}
    assert role.properties["Pick"] == {"Fn::Select": [0, {"Fn::Split": [",", {"Ref": "Names"}]}]}
    assert template.body["AWSTemplateFormatVersion"] == "2010-09-09"


def test_json_knows_its_lines_though_it_is_indented_with_tabs():
    template = parse('{\n\t"Resources": {\n\t\t"A": {"Type": "AWS::SNS::Topic"}\n\t}\n}')

    assert template.resources["A"].line == 3


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("- a\n- b", "Template format error: unsupported structure."),
        ("{}", "Template format error: At least one Resources member must be defined."),
        ('{"a": }', "Template format error: JSON not well-formed. (line 1, column 7)"),
        ("a: [1", "Template format error: YAML not well-formed. (line 1, column 6)"),
        (
            "Resources: {A: {}}",
            "Template format error: [/Resources/A] Every Resources object must contain a Type",
        ),
        ("Resources: {A: {Type: T, Foo: 1}}", "Invalid template resource property 'Foo'"),
        ("Foo: 1", "Invalid template property or properties [Foo]"),
        ("Resources: {A-b: {Type: T}}", "Template format error: Resource name A-b is non alphanumeric."),
        ("a: &x 1\nb: *x", "Template error: YAML aliases are not allowed in CloudFormation templates"),
        ("Resources:\n  A: {Type: T}\n  A: {Type: T}", "Template format error: duplicate key 'A' (line 3)."),
        (
            "Resources: {A: {Type: T, Properties: {B: null}}}",
            "Template format error: [/Resources/A/Properties/B] 'null' values are not allowed in templates",
        ),
    ],
)
def test_what_is_not_a_template_is_refused_with_aws_sentence(text: str, message: str):
    assert refused(text).startswith(message)


plain = st.recursive(
    st.booleans() | st.integers(-(2**40), 2**40) | st.text(st.characters(codec="ascii", min_codepoint=32)),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text("abcXYZ09", min_size=1), inner, max_size=3)
    ),
    max_leaves=12,
)


@given(plain)
def test_json_means_the_same_read_as_yaml(value: object):
    text = json.dumps({"Metadata": value})

    assert parse(text).body == {"Metadata": value}
    assert parse("# a comment makes it YAML\n" + text).body == {"Metadata": value}


@given(st.text(max_size=80))
def test_any_text_is_a_template_or_a_validation_error(text: str):
    try:
        check_structure(parse(text))
    except AwsError as error:
        assert error.code == "ValidationError"
