"""`homeport synth` and `validate` need neither AWS nor its libraries, and start at once."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from homeport import __version__
from homeport.cli.main import _PANELS, VERBS, app


@pytest.mark.parametrize("verb", VERBS)
def test_each_verb_is_found_and_explains_itself(verb: str) -> None:
    shown = CliRunner().invoke(app, [verb, "--help"])

    assert shown.exit_code == 0, shown.output
    assert f"homeport {verb}" in shown.output


def test_a_misspelt_verb_is_told_the_nearest() -> None:
    refused = CliRunner().invoke(app, ["synht"])

    assert refused.exit_code == 2
    assert "'synth'" in refused.output


def test_help_has_a_line_for_each_verb_under_headings_and_the_version_is_told() -> None:
    shown = CliRunner().invoke(app, ["--help"], env={"COLUMNS": "90"}).output

    assert re.findall("─ ([A-Z][a-z ]+) ─", shown)[1:] == list(_PANELS.values())
    assert all(re.search(rf"│ {verb} +\S.* │", shown) for verb in VERBS)
    assert CliRunner().invoke(app, ["--version"]).output == f"homeport {__version__}\n"


def test_synth_imports_no_library_of_aws(tmp_path: Path) -> None:
    (tmp_path / "homeport.yml").write_text("app: shop")
    program = (
        "import sys; sys.argv = ['homeport', 'synth']; from homeport.cli.main import main\n"
        "try: main()\n"
        "finally: print(sorted({'boto3', 'botocore', 'cfnlint', 'rich'} & set(sys.modules)), file=sys.stderr)"
    )

    done = subprocess.run([sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True)

    assert done.stdout.startswith("AWSTemplateFormatVersion: '2010-09-09'\nDescription: 'shop: ")
    assert done.stderr == "[]\n"


def test_a_missing_manifest_is_a_sentence(tmp_path: Path) -> None:
    refused = CliRunner().invoke(app, ["synth", "--file", str(tmp_path / "homeport.yml")])

    assert refused.exit_code == 1
    assert "Write one:  homeport init" in refused.output


def test_validate_says_what_is_valid_and_tells_all_problems_at_once(tmp_path: Path) -> None:
    file = tmp_path / "homeport.yml"
    file.write_text("app: shop")
    valid = CliRunner().invoke(app, ["validate", "--file", str(file)])
    file.write_text("app: shop\ndeploy: {strategy: canary, percent: 33.3}")
    thirds = CliRunner().invoke(app, ["validate", "--file", str(file)])
    file.write_text("app: shop\nservice: {prot: 80}\nimage: {keep: 0}\n")
    refused = CliRunner().invoke(app, ["validate", "--file", str(file)])

    assert (valid.exit_code, valid.output.endswith("is valid: shop, production, rolling.\n")) == (0, True)
    assert thirds.exit_code == 0, thirds.output
    assert refused.exit_code == 1
    assert "has 2 problems" in refused.output


def test_validate_tells_programs_what_cfn_lint_found_and_where(tmp_path: Path) -> None:
    file = tmp_path / "homeport.yml"
    bucket = "{Type: AWS::S3::Bucket, Properties: {Nmae: x}}"
    file.write_text(f"app: shop\noverride: {{resources: {{Bucket: {bucket}}}}}\n")
    refused = CliRunner().invoke(app, ["validate", "--file", str(file), "--output", "json"])

    found = json.loads(refused.output)
    assert (refused.exit_code, found["valid"], found["app"]) == (1, False, "shop")
    assert found["findings"][0]["at"] == "Resources.Bucket.Properties.Nmae"
