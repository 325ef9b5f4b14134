"""Operations that AWS answers on hosts of their own reach an engine, in the environment that `homeport engine env`
prints."""

from __future__ import annotations

import json

import pytest
from botocore.exceptions import ClientError

from homeport.pytest_plugin import RunningEngine


def test_s3_control_reaches_the_engine_though_it_names_the_account_in_the_host(engine: RunningEngine) -> None:
    s3 = engine.client("s3")
    s3.create_bucket(Bucket="app")
    account, arn = ("--account-id", engine.account), ("--resource-arn", "arn:aws:s3:::app")

    engine.aws("s3control", "tag-resource", *account, *arn, "--tags", "Key=team,Value=web", "Key=a,Value=b")
    engine.aws("s3control", "untag-resource", *account, *arn, "--tag-keys", "a")
    shown = json.loads(engine.aws("s3control", "list-tags-for-resource", *account, *arn).stdout)

    assert shown["Tags"] == s3.get_bucket_tagging(Bucket="app")["TagSet"] == [{"Key": "team", "Value": "web"}]


def test_an_account_blocks_public_policies_of_all_its_buckets(engine: RunningEngine) -> None:
    s3 = engine.client("s3")
    s3.create_bucket(Bucket="app")
    s3.delete_public_access_block(Bucket="app")
    account = ("--account-id", engine.account)
    missing = engine.aws("s3control", "get-public-access-block", *account, check=False)
    assert "(NoSuchPublicAccessBlockConfiguration)" in missing.stderr

    block = ("--public-access-block-configuration", "BlockPublicPolicy=true")
    engine.aws("s3control", "put-public-access-block", *account, *block)

    shown = json.loads(engine.aws("s3control", "get-public-access-block", *account).stdout)
    assert shown["PublicAccessBlockConfiguration"]["BlockPublicPolicy"] is True
    public = {"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::app/*"}
    with pytest.raises(ClientError, match="prevented by the BlockPublicPolicy setting"):
        s3.put_bucket_policy(Bucket="app", Policy=json.dumps({"Statement": [public]}))
    engine.aws("s3control", "delete-public-access-block", *account)
    s3.put_bucket_policy(Bucket="app", Policy=json.dumps({"Statement": [public]}))


def test_an_operation_with_a_prefix_before_its_host_reaches_the_engine(engine: RunningEngine) -> None:
    asked = ("--namespace-name", "none", "--service-name", "none")

    answer = engine.aws("servicediscovery", "discover-instances", *asked, check=False)

    assert "(NamespaceNotFound)" in answer.stderr
