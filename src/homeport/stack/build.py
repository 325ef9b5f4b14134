"""The build: a CodeBuild project that may reach its artifacts, its logs, its repository and named secrets only."""

from __future__ import annotations

import posixpath
from typing import Any

import yaml

from homeport.manifest.model import Manifest
from homeport.stack.cloudformation import Resources, Value, allow, attribute, ref, resource, role, sub
from homeport.stack.network import place
from homeport.stack.secrets import secret_statements

_COMPUTE = {
    "small": "BUILD_GENERAL1_SMALL",
    "medium": "BUILD_GENERAL1_MEDIUM",
    "large": "BUILD_GENERAL1_LARGE",
}
_PUSH = ["BatchCheckLayerAvailability", "BatchGetImage", "CompleteLayerUpload"]
_PUSH += ["InitiateLayerUpload", "PutImage", "UploadLayerPart"]


def resources(manifest: Manifest) -> Resources:
    """The project, its role and its logs."""
    build = manifest.build
    found: Resources = {
        "BuildLogs": resource(
            "AWS::Logs::LogGroup",
            {
                "LogGroupName": sub("/aws/codebuild/${AWS::StackName}"),
                "RetentionInDays": manifest.cost.log_days,
            },
        ),
        "BuildRole": role(
            "codebuild", _statements(manifest), "builds: artifacts, logs, the image repository"
        ),
        "Build": resource(
            "AWS::CodeBuild::Project",
            {
                "Name": ref("AWS::StackName"),
                "Description": f"tests {manifest.app} and builds its image",
                "ServiceRole": attribute("BuildRole", "Arn"),
                "Source": {"Type": "CODEPIPELINE", "BuildSpec": _buildspec(manifest)},
                "Artifacts": {"Type": "CODEPIPELINE"},
                "Environment": {
                    "Type": "LINUX_CONTAINER",
                    "ComputeType": _COMPUTE[build.compute],
                    "Image": build.image,
                    "PrivilegedMode": True,
                    "EnvironmentVariables": _variables(manifest),
                },
                "Cache": {"Type": "LOCAL", "Modes": ["LOCAL_DOCKER_LAYER_CACHE"]}
                if build.cache == "docker"
                else None,
                "LogsConfig": {"CloudWatchLogs": {"Status": "ENABLED", "GroupName": ref("BuildLogs")}},
                "TimeoutInMinutes": build.timeout,
                "VpcConfig": _vpc(manifest),
            },
        ),
    }
    if manifest.network.private_builds:
        found["BuildSecurityGroup"] = resource(
            "AWS::EC2::SecurityGroup",
            {
                "GroupDescription": "builds reach out; nothing reaches them",
                "VpcId": place(manifest).vpc,
                "SecurityGroupEgress": [
                    {"IpProtocol": "-1", "CidrIp": "0.0.0.0/0", "Description": "packages, registries, AWS"}
                ],
            },
        )
    return found


def buildspec(manifest: Manifest) -> str:
    """The buildspec for an application that has none: its tests, then its Dockerfile."""
    build, folder = manifest.build, manifest.source.folder
    tests = [f"(cd {folder} && {test})" for test in build.test] if folder else build.test
    tag = "IMAGE_TAG=$(echo $CODEBUILD_RESOLVED_SOURCE_VERSION | cut -c 1-7)"
    login = "aws ecr get-login-password --region $AWS_REGION | docker login --username AWS --password-stdin"
    image = "$REPOSITORY_URI:$IMAGE_TAG"
    spec = {
        "version": 0.2,
        "phases": {
            "pre_build": {"commands": [*tests, f"{login} $REPOSITORY_HOST", tag]},
            "build": {
                "on-failure": "ABORT",
                "commands": [
                    f"docker build --file {_inside(folder, build.dockerfile)} --tag {image}"
                    f" {_inside(folder, build.context)}",
                    f"docker push {image}",
                    f"""printf '[{{"name":"{manifest.container}","imageUri":"%s"}}]' {image} > imagedefinitions.json""",
                ],
            },
        },
        "artifacts": {"files": ["imagedefinitions.json"]},
    }
    return yaml.safe_dump(spec, sort_keys=False, width=1000)


def _buildspec(manifest: Manifest) -> str:
    build = manifest.build
    return _inside(manifest.source.folder, build.buildspec) if build.buildspec else buildspec(manifest)


def _inside(folder: str | None, path: str) -> str:
    return posixpath.normpath(posixpath.join(folder or "", path))


def _variables(manifest: Manifest) -> list[dict[str, Value]]:
    host = sub("${AWS::AccountId}.dkr.ecr.${AWS::Region}.${AWS::URLSuffix}")
    plain = {"REPOSITORY_URI": attribute("Repository", "RepositoryUri"), "REPOSITORY_HOST": host}
    plain |= {"ACCOUNT_ID": ref("AWS::AccountId"), **manifest.build.environment}
    found = [{"Name": name, "Value": value} for name, value in plain.items()]
    for name, source in manifest.build.secrets.items():
        parameter = ":ssm:" in source
        value = source.partition(":parameter")[2] if parameter else source
        found.append(
            {"Name": name, "Value": value, "Type": "PARAMETER_STORE" if parameter else "SECRETS_MANAGER"}
        )
    return found


def _vpc(manifest: Manifest) -> dict[str, Any] | None:
    if not manifest.network.private_builds:
        return None
    where = place(manifest)
    return {
        "VpcId": where.vpc,
        "Subnets": where.private,
        "SecurityGroupIds": [attribute("BuildSecurityGroup", "GroupId")],
    }


def _statements(manifest: Manifest) -> dict[str, list[dict[str, Any]]]:
    found = {
        "artifacts": [
            allow(["s3:GetObject", "s3:GetObjectVersion", "s3:PutObject"], sub("${Artifacts.Arn}/*")),
        ],
        "logs": [allow(["logs:CreateLogStream", "logs:PutLogEvents"], attribute("BuildLogs", "Arn"))],
        "images": [
            allow(["ecr:GetAuthorizationToken"], "*"),
            allow([f"ecr:{name}" for name in _PUSH], attribute("Repository", "Arn")),
        ],
        "secrets": secret_statements(manifest.build.secrets.values()),
        "builds": [allow(each.actions, each.resources) for each in manifest.build.permissions],
    }
    if manifest.network.private_builds:
        found["network"] = [
            allow(
                [
                    "ec2:CreateNetworkInterface",
                    "ec2:DeleteNetworkInterface",
                    "ec2:DescribeDhcpOptions",
                    "ec2:DescribeNetworkInterfaces",
                    "ec2:DescribeSecurityGroups",
                    "ec2:DescribeSubnets",
                    "ec2:DescribeVpcs",
                ],
                "*",
            ),
            allow(
                ["ec2:CreateNetworkInterfacePermission"],
                sub("arn:${AWS::Partition}:ec2:${AWS::Region}:${AWS::AccountId}:network-interface/*"),
                {"StringEquals": {"ec2:AuthorizedService": "codebuild.amazonaws.com"}},
            ),
        ]
    return found
