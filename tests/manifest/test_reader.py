"""homeport.yml is read, or refused in sentences that say where and how to mend it."""

from __future__ import annotations

import os
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from homeport.manifest import reference, schema
from homeport.manifest.model import Manifest
from homeport.manifest.reader import Invalid, parse
from tests.stack.strategies import misspelt, valid


def problems(text: str) -> list[str]:
    with pytest.raises(Invalid) as refused:
        parse(text)
    return [str(problem) for problem in refused.value.problems]


def test_one_line_is_enough() -> None:
    manifest = parse("app: shop")

    assert manifest.service.port == 80
    assert manifest.deploy.breaker
    assert list(manifest.environments) == ["production"]


def test_a_misspelt_key_names_its_line_and_the_nearest_key() -> None:
    (problem,) = problems("app: shop\nservice:\n  prot: 80\n")

    assert problem.startswith("line 3: service.prot: there is no such key; did you mean 'port'?")


def test_keys_inside_named_entries_are_known() -> None:
    (problem,) = problems("app: shop\nenvironments:\n  staging:\n    aproval: true\n")

    assert problem.startswith(
        "line 4: environments.staging.aproval: there is no such key; did you mean 'approval'?"
    )


def test_every_problem_is_told_at_once() -> None:
    found = problems("app: Shop\nservice:\n  port: http\nimage:\n  keep: 0\n")

    assert [problem.split(":")[0] for problem in found] == ["line 1", "line 3", "line 5"]


def test_memory_that_fargate_does_not_offer_is_refused_with_the_nearest() -> None:
    (problem,) = problems("app: shop\nservice: {cpu: 1024, memory: 1000}\n")

    assert "it may be 2048 to 8192 (nearest: 2048)" in problem


@pytest.mark.parametrize(
    ("text", "expected"),
    {
        "source: {provider: connection, repository: shop}": "it must be owner/name",
        "source: {provider: connection}": "source.repository: it must be owner/name",
        "source: {paths: [src/**]}": "source.paths: this is for source.provider: connection",
        "deploy: {strategy: rollin}": "found 'rollin'; did you mean 'rolling'? Allowed: 'rolling', ",
        "service: {health: health}": "found 'health'; it should be a path that begins with a slash",
        "service: {environment: {DEBUG: true}}": "found true; it should be a text: put it in quotes",
        "source: {provider: svn}": "found 'svn'; allowed: 'codecommit' or 'connection'",
        "environments: [staging]": "found ['staging']; it should be a mapping, `key: value` in each line",
        "environments: {staging: }": "found nothing; it should be a mapping, `key: value` in each line, or left out",
        "build: {test: pytest}": "found 'pytest'; it should be a list, `- value` in each line",
        "\tservice: {}": "YAML is indented by blanks, not by tabs",
        "notify: mail: me": "put a text with a colon in it in quotes",
        "service: {cpu: 1024}": "service.memory: 512 is not offered for cpu 1024",
        "service: {autoscaling: {min: 20}}": "service.autoscaling.max: it is 10, less than autoscaling.min",
        "service: {sidecars: {agent: {image: a, port: 80}}}": "agent listens on port 80, as the application does",
        "network: {vpc: vpc-0a1b2c3d}": "network.public-subnets: network.vpc needs two of them at least",
        "network: {cidr: 10.0.0.1/16}": "it should be a network such as 10.0.0.0/16",
        "environments: {}": "it needs one environment at least",
        "environments: {ab-c: {}, a-bc: {}}": "ab-c and a-bc differ in hyphens only",
        "cost: {schedule: {environments: [staging]}}": "there is no 'staging'; there are production",
        "cost: {schedule: {start: '21:00'}}": "cost.schedule.stop: it is 20:00, not after start",
        "cost: {schedule: {timezone: Europe/Berlim}}": "did you mean Europe/Berlin?",
        "image: {scan: false, stop-on: high}": "image.stop-on: this needs image.scan: true",
        "image: {keep: 1}\nimage: {keep: 2}": "image: this key is there already, in line 2",
    }.items(),
)
def test_a_problem_says_what_was_found_and_what_is_allowed(text: str, expected: str) -> None:
    assert expected in "\n".join(problems(f"app: shop\n{text}"))


def test_hours_may_be_written_without_quotes() -> None:
    schedule = parse("app: shop\ncost: {schedule: {start: 07:00, stop: 20:00}}").cost.schedule

    assert schedule and (schedule.start, schedule.stop) == ("07:00", "20:00")


def test_the_schema_for_editors_is_up_to_date() -> None:
    assert schema.FILE.read_text() == schema.schema(), "run: python -m homeport.manifest.schema"


def test_the_reference_is_up_to_date() -> None:
    assert reference.FILE.read_text() == reference.reference(), "run: python -m homeport.manifest.reference"


EXAMPLES = int(os.environ.get("MANIFEST_EXAMPLES", "50"))
unhurried = settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=[HealthCheck.too_slow])
"""The machine may be busy."""

scalars = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=10))
documents = st.recursive(
    scalars,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(
            st.one_of(st.sampled_from([*Manifest.model_fields, "port", "keep"]), st.text(max_size=5)), inner
        ),
    ),
    max_leaves=10,
)


@unhurried
@given(documents)
def test_anything_is_read_or_refused_in_sentences(document: object) -> None:
    try:
        parse(yaml.safe_dump(document))
    except Invalid as error:
        assert all(problem.message and problem.line >= 1 for problem in error.problems)


@unhurried
@given(valid, st.data())
def test_a_valid_manifest_with_one_thing_changed_is_read_or_refused_in_sentences(
    value: dict[str, Any], data: st.DataObject
) -> None:
    """Deep in the manifest, where a wrong value meets right neighbours."""
    node: Any = value
    while isinstance(node, dict) and node:
        key = data.draw(st.sampled_from(sorted(node)))
        if not isinstance(node[key], dict) or data.draw(st.booleans()):
            node[key] = data.draw(scalars | st.lists(scalars, max_size=2))
            break
        node = node[key]
    try:
        parse(yaml.safe_dump(value))
    except Invalid as error:
        assert all("Traceback" not in str(problem) and problem.message for problem in error.problems)


@unhurried
@given(misspelt())
def test_a_misspelt_key_is_told_with_its_line_and_the_nearest_key(
    found: tuple[dict[str, Any], tuple[str, ...], str],
) -> None:
    manifest, path, right = found
    text = yaml.safe_dump(manifest, sort_keys=False)
    with pytest.raises(Invalid) as refused:
        parse(text)

    [told] = [each for each in refused.value.problems if each.key == ".".join(path)]
    assert f"did you mean {right!r}?" in told.message
    assert f"{path[-1]}:" in text.splitlines()[told.line - 1]


@unhurried
@given(st.text())
def test_any_text_is_read_or_refused_in_sentences(text: str) -> None:
    try:
        parse(text)
    except Invalid as error:
        assert error.problems
