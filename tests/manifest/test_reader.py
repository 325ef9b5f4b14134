"""homeport.yml is read, or refused in sentences that say where and how to mend it."""

from __future__ import annotations

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from homeport.manifest import reference, schema
from homeport.manifest.model import Manifest
from homeport.manifest.reader import Invalid, parse


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

    assert [problem.split(":")[0] for problem in found] == ["line 1", "line 5", "line 3"]


def test_memory_that_fargate_does_not_offer_is_refused_with_the_nearest() -> None:
    (problem,) = problems("app: shop\nservice: {cpu: 1024, memory: 1000}\n")

    assert "it may be 2048 to 8192 (nearest: 2048)" in problem


def test_a_connection_needs_owner_and_name() -> None:
    (problem,) = problems("app: shop\nsource: {provider: connection, repository: shop}\n")

    assert "owner/name" in problem


def test_the_schema_for_editors_is_up_to_date() -> None:
    assert schema.FILE.read_text() == schema.schema(), "run: python -m homeport.manifest.schema"


def test_the_reference_is_up_to_date() -> None:
    assert reference.FILE.read_text() == reference.reference(), "run: python -m homeport.manifest.reference"


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


@given(documents)
def test_anything_is_read_or_refused_in_sentences(document: object) -> None:
    try:
        parse(yaml.safe_dump(document))
    except Invalid as error:
        assert all(problem.message and problem.line >= 1 for problem in error.problems)


@given(st.text())
def test_any_text_is_read_or_refused_in_sentences(text: str) -> None:
    try:
        parse(text)
    except Invalid as error:
        assert error.problems
