"""The buildspec: what authors write, what is refused, and in which words."""

from __future__ import annotations

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from homeport.engine.services.codebuild.buildspec import Artifacts, OnFailure, parse
from homeport.engine.services.codebuild.yaml_reader import YamlFileError

ARTICLE = r"""version: 0.2
phases:
  pre_build:
    commands:
      - echo Logging into Amazon ECR...
      - aws ecr get-login-password --region $AWS_REGION \
        | docker login --username AWS --password-stdin $ACCOUNT_ID.dkr.ecr.$AWS_REGION.amazonaws.com
      - IMAGE_TAG=$(echo $CODEBUILD_RESOLVED_SOURCE_VERSION | cut -c 1-7)
  build:
    commands:
      - true
  post_build:
    commands:
      - printf '{"ImageURI":"%s"}' $REPOSITORY_URI:$IMAGE_TAG > imageDetail.json
artifacts:
  files:
    - imageDetail.json
"""


def test_commands_are_what_their_author_typed():
    spec = parse(ARTICLE)

    assert spec.phases["build"].commands == ("true",)
    assert spec.phases["post_build"].commands[0].startswith("""printf '{"ImageURI":"%s"}' $REPOSITORY_URI""")
    assert spec.artifacts == Artifacts(files=("imageDetail.json",))


def test_a_plain_value_is_a_list_of_one_as_in_the_pipelines_of_the_cdk():
    spec = parse(
        '{"version": "0.2", "phases": {"build": {"commands": "make"}}, "artifacts": {"files": "**/*"}}'
    )

    assert spec.phases["build"].commands == ("make",)
    assert spec.artifacts == Artifacts(files=("**/*",))


def test_a_command_continued_by_a_backslash_is_one_pipeline_and_its_author_is_told():
    spec = parse(ARTICLE)

    assert "$AWS_REGION \\\n| docker login" in spec.phases["pre_build"].commands[1]
    assert "Commands[1] at line 6" in spec.notices[0]


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("", "The buildspec is empty at line 1"),
        ("version: 0.2\nphases: {build: [1,", "did not find expected node content at line 3"),
        (
            "version: 0.2\nphases:\n  build:\n\tcommands: []",
            "found character that cannot start any token at line 4",
        ),
        (
            "version: 0.2\nphases:\n  steps: {}",
            "Invalid buildspec phase name: steps. Expecting: build,install,post_build",
        ),
        (
            "version: 0.2\nphases:\n  build:\n    commands:\n      - echo a\n      - echo FATAL: b",
            "Expected Commands[1] to be of string type: found subkeys instead at line 6, value of the key",
        ),
        ("version: 0.9", "Invalid buildspec version: '0.9' at line 1. Expecting: 0.1, 0.2"),
        ("phases: {}", "buildspec lacks the key version at line 1. Begin the file with 'version: 0.2'"),
        ("version: 0.2\nphases:\n  build:\n    on-failure: RETRY-101", "Invalid retry count: 101 at line 4"),
        (
            "version: 0.2\nphases:\n  build:\n    on-failure: RETRY-2-(",
            "Invalid regular expression in on-failure: '('",
        ),
        (
            "version: 0.2\nphases:\n  build: {}\n  build: {}",
            "mapping key 'build' at line 4 already defined at line 3",
        ),
        (
            "version: 0.2\nenv:\n  variables:\n    1A: x\nphases: {build: {}}",
            "Invalid environment variable name: '1A' at line 4",
        ),
        (
            "version: 0.2\nphases:\n  build:\n    runtime-versions: {python: 3.11}",
            "runtime-versions is allowed in the phase install",
        ),
        (
            "version: 0.2\nphases: {build: {}}\nartifacts: {name: x}",
            "artifacts lacks the key files at line 3",
        ),
        (
            "version: 0.2\nphases: {build: {}}\nreports: {unit: {files: [x], file-format: TAP}}",
            "Invalid file-format: 'TAP' at line 3",
        ),
    ],
)
def test_a_buildspec_that_cannot_be_used_is_refused_with_line_key_and_mend(text, complaint):
    with pytest.raises(YamlFileError) as refused:
        parse(text)

    assert complaint in str(refused.value)


@pytest.mark.parametrize(
    ("text", "parsed"),
    [
        ("ABORT", OnFailure("ABORT")),
        ("CONTINUE", OnFailure("CONTINUE")),
        ("RETRY", OnFailure("RETRY", 3)),
        ("RETRY-0", OnFailure("RETRY", 0)),
        ("RETRY-7", OnFailure("RETRY", 7)),
        ("RETRY-.*Throttl.*", OnFailure("RETRY", 3, ".*Throttl.*")),
        ("RETRY-2-.*time-out", OnFailure("RETRY", 2, ".*time-out")),
    ],
)
def test_each_form_of_on_failure(text, parsed):
    spec = parse(f"version: 0.2\nphases:\n  build:\n    on-failure: {text}\n    commands: [make]")

    assert spec.phases["build"].on_failure == parsed


def test_version_01_has_its_own_name_for_variables_and_a_shell_for_each_command():
    spec = parse(
        "version: 0.1\nenvironment_variables:\n  plaintext:\n    A: 1\nphases:\n  build:\n    commands: [a]"
    )

    assert spec.env.variables == {"A": "1"}
    assert not spec.one_shell


def test_anchors_and_merges():
    spec = parse(
        "version: 0.2\nx: &base\n  run-as: app\n  commands: [a]\nphases:\n  build:\n    <<: *base\n    commands: [b]"
    )

    assert (spec.phases["build"].run_as, spec.phases["build"].commands) == ("app", ("b",))
    assert "has the key 'x' at line 2, which means nothing" in spec.notices[0]


def test_a_matrix_is_every_combination():
    spec = parse(
        "version: 0.2\nbatch:\n  build-matrix:\n    dynamic:\n      env:\n        image: [a, b]\n"
        "        variables:\n          V: ['1', '2', '3']\nphases: {build: {commands: [make]}}"
    )

    assert spec.batch is not None
    found = {(build.image, build.variables["V"]) for build in spec.batch.builds}
    assert found == {(image, value) for image in "ab" for value in "123"}


def test_builds_of_a_graph_that_wait_for_each_other_are_refused():
    graph = "version: 0.2\nbatch: {build-graph: [{identifier: a, depend-on: [b]}, {identifier: b, depend-on: [a]}]}"

    with pytest.raises(YamlFileError, match="The builds a, b wait for each other"):
        parse(graph)


@given(st.lists(st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1), min_size=1, max_size=8))
def test_commands_survive_whatever_style_yaml_gives_them(commands):
    text = yaml.safe_dump({"version": 0.2, "phases": {"build": {"commands": commands}}}, allow_unicode=True)

    assert parse(text).phases["build"].commands == tuple(commands)


_YAML = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                [
                    "version",
                    "phases",
                    "build",
                    "commands",
                    "env",
                    "variables",
                    "batch",
                    "reports",
                    "artifacts",
                ]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@given(st.text() | _YAML.map(yaml.safe_dump))
def test_any_text_is_a_buildspec_or_a_complaint_with_a_line(text):
    try:
        parse(text)
    except YamlFileError as error:
        assert " line " in str(error)
