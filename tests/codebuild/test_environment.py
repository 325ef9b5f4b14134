"""Variables, references to secrets, and what of a secret a log shows."""

from __future__ import annotations

import subprocess

from hypothesis import given
from hypothesis import strategies as st

from homeport.engine.services.codebuild.environment import (
    Mask,
    SecretReference,
    Variable,
    as_shell,
    merge,
    parse_secret_reference,
    pick_secret,
)


def test_start_build_overrules_the_project_which_overrules_the_buildspec():
    merged = merge(
        [Variable("A", "buildspec", "PLAINTEXT"), Variable("B", "buildspec", "PLAINTEXT")],
        [Variable("A", "project", "PARAMETER_STORE")],
        [Variable("A", "start", "PLAINTEXT")],
    )

    assert merged == {"A": Variable("A", "start", "PLAINTEXT"), "B": Variable("B", "buildspec", "PLAINTEXT")}


def test_references_to_secrets_by_name_and_by_arn():
    arn = "arn:aws:secretsmanager:us-east-1:123456789012:secret:db-a1b2c3"

    assert parse_secret_reference("db:password") == SecretReference("db", "password")
    assert parse_secret_reference(f"{arn}:password:AWSPREVIOUS") == SecretReference(
        arn, "password", "AWSPREVIOUS"
    )
    assert parse_secret_reference("db:::v1") == SecretReference("db", "", "", "v1")
    assert pick_secret(SecretReference("db", "password"), '{"password": "s3cret"}') == "s3cret"


@given(
    st.dictionaries(
        st.from_regex(r"\AX[A-Z_0-9]{0,8}\Z"),
        st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0")),
    )
)
def test_a_shell_reads_every_value_as_it_was(variables):
    script = as_shell(variables) + "".join(f'printf "%s\\0" "${name}"\n' for name in variables)
    read = subprocess.run(["sh"], input=script.encode(), capture_output=True, check=True).stdout

    assert read.decode().split("\0")[:-1] == list(variables.values())


@given(st.lists(st.text(min_size=1).filter(str.strip), min_size=1), st.data())
def test_no_secret_is_in_a_masked_line(secrets, data):
    line = "".join(data.draw(st.lists(st.sampled_from(secrets) | st.text(max_size=4), max_size=6)))
    masked = Mask(secrets).apply(line).replace("***", "")

    lines = [line for secret in secrets for line in secret.splitlines() if len(line.strip()) >= 4]
    assert not [part for part in lines if part.strip() in masked and "*" not in part]


def test_the_values_of_a_json_secret_are_masked_too():
    assert Mask(['{"user": "app", "password": "hunter22"}']).apply("login with hunter22") == "login with ***"
