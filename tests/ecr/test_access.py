"""Who may pull and push: tokens, IAM and repository policies."""

from __future__ import annotations

import ast
import base64
import json
import subprocess
import time
from typing import Any

import pytest

from tests.ecr.oci import Registry, basic, digest_of, error_of
from tests.ecr.users import as_user

PULL = ["ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer", "ecr:BatchCheckLayerAvailability"]
PUSH = [*PULL, "ecr:InitiateLayerUpload", "ecr:UploadLayerPart", "ecr:CompleteLayerUpload", "ecr:PutImage"]


def test_a_token_is_told_with_its_endpoint_and_end(engine: Any, ecr: Any) -> None:
    (data,) = ecr.get_authorization_token()["authorizationData"]
    assert data["proxyEndpoint"] == f"https://{engine.account}.dkr.ecr.{engine.region}.amazonaws.com"
    assert base64.b64decode(data["authorizationToken"]).startswith(b"AWS:")
    password = engine.aws("ecr", "get-login-password").stdout.strip()
    assert Registry(engine.url, basic(password)).call("GET", "/v2/").status == 200


def test_without_a_token_there_is_a_challenge(engine: Any) -> None:
    refused = Registry(engine.url, None).call("GET", "/v2/")
    assert refused.status == 401
    assert refused.headers["www-authenticate"].startswith('Basic realm="http://127.0.0.1:')
    assert Registry(engine.url, basic("nonsense")).call("GET", "/v2/").status == 401


def test_who_may_push_pushes(engine: Any, registry: Registry) -> None:
    user = as_user(engine, *PUSH)
    user.push_image("app", "v1", b"one")
    assert user.call("GET", f"/v2/app/blobs/{digest_of(b'one')}").data == b"one"


@pytest.mark.parametrize("missing", ["ecr:PutImage", "ecr:InitiateLayerUpload", "ecr:CompleteLayerUpload"])
def test_a_push_that_may_not_is_told_which_action_it_lacks(
    engine: Any, registry: Registry, missing: str
) -> None:
    user = as_user(engine, *(action for action in PUSH if action != missing))
    with pytest.raises(AssertionError) as refused:
        user.push_image("app", "v1", b"one")
    told = json.loads(ast.literal_eval(str(refused.value).splitlines()[0]))["errors"][0]
    assert told["code"] == "DENIED"
    # pytest may shorten the middle of what an assertion says, so its ends are looked at
    assert told["message"].startswith(
        f"User: arn:aws:iam::{engine.account}:user/dev is not authorized to perform: "
    )
    assert told["message"].endswith(f" because no identity-based policy allows the {missing} action")


def test_who_may_not_pull_does_not(engine: Any, registry: Registry) -> None:
    registry.push_image("app", "v1", b"one")
    user = as_user(engine)
    assert error_of(user.call("GET", "/v2/app/manifests/v1")) == "DENIED"
    assert error_of(user.call("GET", f"/v2/app/blobs/{digest_of(b'one')}")) == "DENIED"


def test_a_repository_policy_lets_a_user_pull(engine: Any, ecr: Any, registry: Registry) -> None:
    registry.push_image("app", "v1", b"one")
    user = as_user(engine)
    arn = f"arn:aws:iam::{engine.account}:user/dev"
    statement = {"Effect": "Allow", "Principal": {"AWS": arn}, "Action": PULL}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    ecr.set_repository_policy(repositoryName="app", policyText=policy)
    assert user.call("GET", "/v2/app/manifests/v1").status == 200
    assert error_of(user.call("POST", "/v2/app/blobs/uploads/")) == "DENIED"


def test_a_repository_policy_denies_even_the_root_user(ecr: Any, registry: Registry) -> None:
    registry.push_image("app", "v1", b"one")
    statement = {"Effect": "Deny", "Principal": "*", "Action": "ecr:BatchGetImage"}
    ecr.set_repository_policy(
        repositoryName="app", policyText=json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    )
    assert error_of(registry.call("GET", "/v2/app/manifests/v1")) == "DENIED"


def test_mounting_needs_the_right_to_read_the_source(engine: Any, registry: Registry) -> None:
    registry.push_blob("other", b"secret")
    user = as_user(engine, *PUSH)
    answer = user.call("POST", f"/v2/app/blobs/uploads/?mount={digest_of(b'secret')}&from=other")
    assert answer.status == 202
    anonymous = user.call("POST", f"/v2/app/blobs/uploads/?mount={digest_of(b'secret')}")
    assert anonymous.status == 202


def test_docker_logs_in_and_is_told_the_denial(engine: Any, registry: Registry, tmp_path: Any) -> None:
    if subprocess.run(["docker", "version"], capture_output=True).returncode:
        pytest.skip("needs Docker")
    user = as_user(engine, *PULL)
    password = base64.b64decode(user._headers["authorization"].split()[1]).decode()[4:]
    docker = ["docker", "--config", str(tmp_path)]
    host = f"127.0.0.1:{engine.port}"
    login = [*docker, "login", "-u", "AWS", "--password-stdin", host]
    assert "Login Succeeded" in subprocess.run(login, input=password, capture_output=True, text=True).stdout
    image = f"{host}/app:denied"
    subprocess.run(["docker", "import", "-", image], input=b"\0" * 10240, check=True, capture_output=True)
    try:
        pushed = subprocess.run([*docker, "push", image], capture_output=True, text=True)
    finally:
        subprocess.run(["docker", "rmi", image], capture_output=True)
    assert pushed.returncode == 1
    assert (
        f"denied: User: arn:aws:iam::{engine.account}:user/dev is not authorized to perform: "
        in pushed.stderr
    )


def test_a_registry_of_another_account_is_closed(ecr: Any) -> None:
    with pytest.raises(
        ecr.exceptions.ClientError, match=r"AccessDenied.*arn:aws:ecr:us-east-1:999999999999:"
    ):
        ecr.create_repository(repositoryName="app", registryId="999999999999")


def test_an_expired_token_is_told_so(own_engine: Any) -> None:
    own_engine.start("--auth", "permissive", HOMEPORT_CLOCK_SPEED="100000")
    ecr = own_engine.client("ecr", aws_access_key_id="AKIAANYBODY", aws_secret_access_key="any")
    token = ecr.get_authorization_token()["authorizationData"][0]["authorizationToken"]
    registry = Registry(own_engine.url, token)
    time.sleep(0.6)
    refused = registry.call("GET", "/v2/")
    assert (refused.status, error_of(refused)) == (403, "DENIED")
    assert refused.json()["errors"][0]["message"].startswith("Your authorization token has expired.")


def test_pushes_and_denials_are_in_the_audit_trail(engine: Any, registry: Registry) -> None:
    registry.push_image("app", "v1", b"one")
    as_user(engine).call("GET", "/v2/app/manifests/v1")
    events = engine.client("cloudtrail").lookup_events()["Events"]
    told = {(event["EventName"], json.loads(event["CloudTrailEvent"]).get("errorCode")) for event in events}
    assert ("PutImage", None) in told
    assert ("BatchGetImage", "AccessDenied") in {(name, code and "AccessDenied") for name, code in told}
