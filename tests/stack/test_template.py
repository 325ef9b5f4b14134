"""Manifests become templates that AWS's own linter accepts without a word.

`GOLDEN=write pytest tests/stack` writes the golden templates anew; read the difference before committing it.
"""

from __future__ import annotations

import os
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml
from cfnlint.config import ConfigMixIn
from cfnlint.decode.decode import decode_str
from cfnlint.runner import Runner
from hypothesis import HealthCheck, Phase, given, settings

from homeport.manifest.model import Manifest
from homeport.manifest.reader import Invalid, parse
from homeport.stack.template import BadOverride, render, synthesize
from tests.stack.manifests import MATRIX, PATTERNS
from tests.stack.strategies import valid

GOLDEN = Path(__file__).with_name("golden")


EXAMPLES = int(os.environ.get("MANIFEST_EXAMPLES", "8"))
"""How many templates of any manifests are linted; thousands by hand, for cfn-lint takes most of a second for each."""


@cache
def linter() -> Runner:
    """cfn-lint with its rules, which take as long to load as a template takes to check."""
    return Runner(ConfigMixIn(regions=["us-east-1"]))


def lint(text: str) -> list[str]:
    """What cfn-lint says: errors, warnings, and what it would have otherwise."""
    template, unreadable = decode_str(text)
    return [str(match) for match in unreadable or linter().validate_template(template)]


@pytest.mark.parametrize("name", PATTERNS)
def test_a_pattern_gives_its_golden_template(name: str) -> None:
    text = render(synthesize(parse(PATTERNS[name])))
    golden = GOLDEN / f"{name}.yml"
    if os.environ.get("GOLDEN") == "write":
        golden.write_text(text)

    assert text == golden.read_text()


@pytest.mark.parametrize("name", [*PATTERNS, *MATRIX])
def test_the_linter_finds_nothing(name: str) -> None:
    assert lint(render(synthesize(parse({**PATTERNS, **MATRIX}[name])))) == []


@settings(
    max_examples=EXAMPLES, phases=[Phase.generate], deadline=None, suppress_health_check=list(HealthCheck)
)
@given(valid)
def test_any_valid_manifest_gives_a_template_that_the_linter_accepts(value: dict[str, Any]) -> None:
    try:
        manifest = parse(yaml.safe_dump(value))
    except Invalid as refused:
        assert "differ in hyphens only" in str(refused) or "the sidecar" in str(refused)
        return
    assert lint(render(synthesize(manifest))) == []


@settings(max_examples=EXAMPLES * 3, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(valid)
def test_a_manifest_and_its_template_survive_being_written(value: dict[str, Any]) -> None:
    try:
        manifest = parse(yaml.safe_dump(value))
    except Invalid:
        return
    template = synthesize(manifest)

    assert Manifest.model_validate(manifest.model_dump(by_alias=True)) == manifest
    assert yaml.load(render(template), yaml.CSafeLoader) == template


def test_a_patch_sets_a_value_and_all_misspelt_paths_are_refused_at_once() -> None:
    patched = parse("app: shop\noverride: {patch: {Resources.Cluster.Properties.ClusterName: main}}")
    misspelt = parse(
        "app: shop\noverride: {patch: {Resources.Clustre.Type: x, Resources.Service.Propertees.x: 1}, "
        "resources: {Vpc: {Type: x}}}"
    )

    assert synthesize(patched)["Resources"]["Cluster"]["Properties"]["ClusterName"] == "main"
    with pytest.raises(BadOverride) as refused:
        synthesize(misspelt)
    assert "override.resources.Vpc: the template has this resource" in str(refused.value)
    assert "did you mean 'Cluster'" in str(refused.value)
    assert "did you mean 'Properties'" in str(refused.value)
