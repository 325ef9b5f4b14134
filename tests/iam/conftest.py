"""Callers for IAM's tests: users and role sessions with the policies that a test gives them."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

Policy = dict[str, Any] | None


def document(*statements: dict[str, Any]) -> str:
    """A policy document of these statements."""
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def allow(*actions: str, resource: str | list[str] = "*", **more: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": list(actions), "Resource": resource, **more}


def deny(*actions: str, resource: str | list[str] = "*", **more: Any) -> dict[str, Any]:
    return {**allow(*actions, resource=resource, **more), "Effect": "Deny"}


def trust(principal: dict[str, Any], **more: Any) -> str:
    """A role's trust policy that lets one principal assume it."""
    return document({"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole", **more})


class Caller:
    """Somebody with keys of their own."""

    def __init__(self, engine: Any, keys: dict[str, str]) -> None:
        self._engine = engine
        self.keys = keys

    def client(self, service: str) -> Any:
        return self._engine.client(service, **self.keys)


def session_keys(credentials: dict[str, Any]) -> dict[str, str]:
    """The options of a boto3 client for STS's Credentials."""
    return {
        "aws_access_key_id": credentials["AccessKeyId"],
        "aws_secret_access_key": credentials["SecretAccessKey"],
        "aws_session_token": credentials["SessionToken"],
    }


@pytest.fixture
def user(engine: Any) -> Callable[..., Caller]:
    """Make a user with inline statements: `user("ann", allow("s3:*"))`."""

    def make(name: str, *statements: dict[str, Any], **members: Any) -> Caller:
        iam = engine.client("iam")
        iam.create_user(UserName=name, **members)
        if statements:
            iam.put_user_policy(UserName=name, PolicyName="own", PolicyDocument=document(*statements))
        key = iam.create_access_key(UserName=name)["AccessKey"]
        keys = {"aws_access_key_id": key["AccessKeyId"], "aws_secret_access_key": key["SecretAccessKey"]}
        return Caller(engine, keys)

    return make


@pytest.fixture
def role(engine: Any) -> Callable[..., str]:
    """Make a role that the account trusts, with inline statements; its ARN."""

    def make(name: str, *statements: dict[str, Any], trusted: str | None = None, **members: Any) -> str:
        iam = engine.client("iam")
        everyone = trust({"AWS": f"arn:aws:iam::{engine.account}:root"})
        made = iam.create_role(RoleName=name, AssumeRolePolicyDocument=trusted or everyone, **members)
        if statements:
            iam.put_role_policy(RoleName=name, PolicyName="own", PolicyDocument=document(*statements))
        return made["Role"]["Arn"]

    return make


@pytest.fixture
def session(engine: Any) -> Callable[..., Caller]:
    """Assume a role as the root user."""

    def assume(arn: str, **options: Any) -> Caller:
        answer = engine.client("sts").assume_role(RoleArn=arn, RoleSessionName="test", **options)
        return Caller(engine, session_keys(answer["Credentials"]))

    return assume
