"""Variables of the form #{namespace.key}."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from homeport.engine.services.codepipeline.variables import UnresolvedVariable, references, resolve

NAME = st.text("abcXYZ019_-@", min_size=1, max_size=8)
PLAIN = st.text(max_size=20).filter(lambda text: "#{" not in text)


def test_every_reference_in_nested_configuration_is_replaced():
    namespaces = {"Source": {"CommitId": "abc"}, "variables": {"env": "prod"}}
    value = {
        "A": "v-#{Source.CommitId}-#{variables.env}",
        "B": ["#{Source.CommitId}"],
        "C": "#{not a reference}",
    }
    assert resolve(value, namespaces) == {"A": "v-abc-prod", "B": ["abc"], "C": "#{not a reference}"}


@pytest.mark.parametrize("text", ["#{Source.Missing}", "#{Other.CommitId}"])
def test_an_unknown_reference_is_named(text):
    with pytest.raises(UnresolvedVariable, match=text[2:-1].split(".")[1] + "|Other"):
        resolve(text, {"Source": {"CommitId": "abc"}})


@given(PLAIN, NAME, NAME, PLAIN, st.text(max_size=20))
def test_text_around_a_reference_stays_and_the_value_is_taken_literally(before, namespace, key, after, value):
    assert (
        resolve(f"{before}#{{{namespace}.{key}}}{after}", {namespace: {key: value}}) == before + value + after
    )


@given(st.lists(st.tuples(PLAIN, NAME, NAME), max_size=5))
def test_references_finds_all_in_order(parts):
    text = "".join(f"{plain}#{{{namespace}.{key}}}" for plain, namespace, key in parts)
    assert references(text) == [(namespace, key) for _, namespace, key in parts]
