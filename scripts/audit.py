"""Run checkov and parliament over the templates of all strategies and networks: `make audit`.

Both live in an environment of their own, for their pins are not ours. What they find must stand in docs/security.md,
with the reason, and what stands there must still be found.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.stack.documents import statements, table
from tests.stack.manifests import MATRIX, PATTERNS

from homeport.manifest.reader import parse
from homeport.stack.template import render, synthesize

VALUES = {
    "AWS::Partition": "aws",
    "AWS::Region": "us-east-1",
    "AWS::AccountId": "123456789012",
    "AWS::StackName": "shop",
}
ARNS = {
    "AWS::CodeBuild::Project": "codebuild:us-east-1:123456789012:project/shop",
    "AWS::CodeCommit::Repository": "codecommit:us-east-1:123456789012:shop",
    "AWS::CodeConnections::Connection": "codeconnections:us-east-1:123456789012:connection/1",
    "AWS::ECR::Repository": "ecr:us-east-1:123456789012:repository/shop",
    "AWS::ECS::Cluster": "ecs:us-east-1:123456789012:cluster/cluster",
    "AWS::ECS::Service": "ecs:us-east-1:123456789012:service/cluster/production",
    "AWS::IAM::Role": "iam::123456789012:role/shop",
    "AWS::Logs::LogGroup": "logs:us-east-1:123456789012:log-group:shop:*",
    "AWS::S3::Bucket": "s3:::artifacts",
    "AWS::SNS::Topic": "sns:us-east-1:123456789012:shop",
}


def main(tools: Path) -> int:
    """0 when nothing was found that is not listed."""
    manifests = {name: parse(text) for name, text in (PATTERNS | MATRIX).items()}
    templates = {name: synthesize(each) for name, each in manifests.items() if each.image.scan}
    problems = [*_checkov(tools, templates), *_parliament(tools, templates)]
    print("\n".join(problems) or f"checkov and parliament: nothing new in {len(templates)} templates")
    return 1 if problems else 0


def _checkov(tools: Path, templates: dict[str, Any]) -> Iterator[str]:
    listed = {(row[0], kind) for row in table("Checks of checkov that fail") for kind in row[1]}
    found: dict[tuple[str, str], str] = {}
    with tempfile.TemporaryDirectory() as folder:
        for name, template in templates.items():
            (Path(folder) / f"{name.replace(', ', '-')}.yml").write_text(render(template))
        command = [str(tools / "checkov"), "--directory", folder, "--framework", "cloudformation"]
        command += ["--compact", "--quiet", "--skip-download", "--output", "json"]
        report = json.loads(subprocess.run(command, capture_output=True, text=True).stdout)
    for each in report["results"]["failed_checks"]:
        kind = each["resource"].rpartition(".")[0]
        found[each["check_id"], kind] = f"{each['check_id']} {each['check_name']}: {each['file_path']} {kind}"
    yield from (text for pair, text in found.items() if pair not in listed)
    yield from (
        f"{check} on {kind} is listed and does not fail any more" for check, kind in listed - set(found)
    )


def _parliament(tools: Path, templates: dict[str, Any]) -> Iterator[str]:
    """Findings about stars are those of the table of statements about any resource."""
    anywhere = {action for row in table("Statements about any resource") for action in row[1]}
    program = (
        "import json, sys, parliament\n"
        "for line in sys.stdin:\n"
        "    found = parliament.analyze_policy_string(line).findings\n"
        "    print(json.dumps([[each.issue, str(each.detail)] for each in found]))"
    )
    asked = [
        (name, role, _literal(statement, template))
        for name, template in templates.items()
        for role, statement in statements(template)
    ]
    lines = "\n".join(
        json.dumps({"Version": "2012-10-17", "Statement": [statement]}) for _, _, statement in asked
    )
    command = [str(tools / "python"), "-W", "ignore", "-c", program]
    done = subprocess.run(command, input=lines, capture_output=True, text=True, check=True)
    for (name, role, statement), answer in zip(asked, done.stdout.splitlines(), strict=True):
        for issue, detail in json.loads(answer):
            if issue != "RESOURCE_STAR" or not set(statement["Action"]) <= anywhere:
                yield f"{name}: {role}: {issue} {detail}"


def _literal(value: Any, template: dict[str, Any]) -> Any:
    """The statement as IAM sees it: ARNs in place of intrinsic functions."""
    match value:
        case {"Ref": str(name)}:
            return VALUES.get(name) or _arn(name, template)
        case {"Fn::GetAtt": [str(name), "Arn"]}:
            return _arn(name, template)
        case {"Fn::Sub": str(text)}:
            for name, known in VALUES.items():
                text = text.replace(f"${{{name}}}", known)
            return text.replace("${Artifacts.Arn}", "arn:aws:s3:::artifacts").replace("${Pipeline}", "shop")
        case dict():
            return {key: _literal(each, template) for key, each in value.items()}
        case list():
            return [_literal(each, template) for each in value]
    return value


def _arn(name: str, template: dict[str, Any]) -> str:
    return f"arn:aws:{ARNS[template['Resources'][name]['Type']]}"


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
