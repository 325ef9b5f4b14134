"""Where commands go: what options and the environment say of it."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from homeport.cli.target import CannotReach, Target, TargetName


def test_a_profile_is_for_an_aws_account() -> None:
    with pytest.raises(CannotReach, match="Add --target aws, or leave --profile out"):
        Target(profile="work")


def test_the_region_of_the_command_line_counts_at_home_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    facts = {"pid": os.getpid(), "url": "http://127.0.0.1:1", "region": "us-east-1", "account": "1" * 12}
    keys = {"access_key_id": "AKIA", "secret_access_key": "s"}
    (tmp_path / "engine.json").write_text(json.dumps(facts | keys))

    own, other = Target(data=tmp_path), Target(data=tmp_path, region="eu-west-1")

    assert own.client("ecs").meta.region_name == "us-east-1"
    assert other.client("ecs").meta.region_name == other.environment["AWS_REGION"] == "eu-west-1"


def test_aws_region_counts_as_it_does_for_the_other_tools_of_aws(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("AWS_REGION", "eu-north-1")

    assert Target(TargetName.aws).session.region_name == "eu-north-1"
    assert Target(TargetName.aws, region="eu-west-3").session.region_name == "eu-west-3"


def test_hints_lead_to_the_same_place() -> None:
    assert Target().words == ""
    assert (
        Target(TargetName.aws, "work", "eu-west-1").words == " --target aws --profile work --region eu-west-1"
    )
    assert Target(data=Path("/my data")).words == " --data '/my data'"
