"""Policies of buckets and repositories take part in decisions."""

from __future__ import annotations

import urllib.error
import urllib.request
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.iam.conftest import allow, deny, document


def refusal(call: Any, **params: Any) -> tuple[str, str]:
    with pytest.raises(ClientError) as refused:
        call(**params)
    error = refused.value.response["Error"]
    return error["Code"], error["Message"]


@pytest.fixture
def bucket(engine: Any) -> str:
    s3 = engine.client("s3")
    s3.create_bucket(Bucket="artifacts")
    s3.put_object(Bucket="artifacts", Key="app.zip", Body=b"zip")
    return "artifacts"


def test_a_bucket_policy_lets_a_user_in_by_itself(engine, user, bucket) -> None:
    ann = user("ann")
    code, message = refusal(ann.client("s3").get_object, Bucket=bucket, Key="app.zip")
    assert (code, message) == (
        "AccessDenied",
        "User: arn:aws:iam::123456789012:user/ann is not authorized to perform: s3:GetObject on resource: "
        '"arn:aws:s3:::artifacts/app.zip" because no identity-based policy allows the s3:GetObject action',
    )

    to_ann = {"AWS": "arn:aws:iam::123456789012:user/ann"}
    policy = document(allow("s3:GetObject", resource="arn:aws:s3:::artifacts/*", Principal=to_ann))
    engine.client("s3").put_bucket_policy(Bucket=bucket, Policy=policy)

    assert ann.client("s3").get_object(Bucket=bucket, Key="app.zip")["Body"].read() == b"zip"
    assert refusal(ann.client("s3").put_object, Bucket=bucket, Key="app.zip", Body=b"")[0] == "AccessDenied"


def test_a_bucket_policy_denies_even_root_but_not_without_tls(engine, bucket) -> None:
    both = ["arn:aws:s3:::artifacts", "arn:aws:s3:::artifacts/*"]
    plain = {"Bool": {"aws:SecureTransport": "false"}}
    unencrypted = {"Null": {"s3:x-amz-server-side-encryption": "true"}}
    s3 = engine.client("s3")
    s3.put_bucket_policy(
        Bucket=bucket,
        Policy=document(
            deny("s3:*", resource=both, Principal="*", Condition=plain),
            deny("s3:PutObject", resource=both, Principal="*", Condition=unencrypted),
        ),
    )

    assert s3.get_object(Bucket=bucket, Key="app.zip")["Body"].read() == b"zip"
    code, message = refusal(s3.put_object, Bucket=bucket, Key="x", Body=b"")
    s3.put_object(Bucket=bucket, Key="x", Body=b"", ServerSideEncryption="AES256")

    assert code == "AccessDenied"
    assert message.endswith("with an explicit deny in a resource-based policy")


def test_listing_is_limited_to_a_prefix(user, bucket) -> None:
    home = {"StringLike": {"s3:prefix": "${aws:username}/*"}}
    ann = user("ann", allow("s3:ListBucket", resource="arn:aws:s3:::artifacts", Condition=home))

    ann.client("s3").list_objects_v2(Bucket=bucket, Prefix="ann/")

    assert refusal(ann.client("s3").list_objects_v2, Bucket=bucket, Prefix="bob/")[0] == "AccessDenied"
    assert refusal(ann.client("s3").list_objects_v2, Bucket=bucket)[0] == "AccessDenied"


def test_strangers_see_public_objects_only(engine, bucket) -> None:
    s3 = engine.client("s3")
    url = f"{engine.url}/{bucket}/app.zip"
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(url)
    refused.value.close()
    assert refused.value.code == 403

    limits = {"Bucket": bucket, "PublicAccessBlockConfiguration": {"RestrictPublicBuckets": True}}
    s3.put_public_access_block(**limits)
    public = allow("s3:GetObject", resource="arn:aws:s3:::artifacts/*", Principal="*")
    s3.put_bucket_policy(Bucket=bucket, Policy=document(public))
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(url)
    refused.value.close()
    assert refused.value.code == 403

    s3.delete_public_access_block(Bucket=bucket)
    with urllib.request.urlopen(url) as answer:
        assert answer.read() == b"zip"


def test_a_repository_policy_denies(engine, user) -> None:
    ecr = engine.client("ecr")
    ecr.create_repository(repositoryName="app")
    ann = user("ann", allow("ecr:*"))
    ann.client("ecr").describe_images(repositoryName="app")

    statement = {"Effect": "Deny", "Principal": "*", "Action": "ecr:DescribeImages"}
    ecr.set_repository_policy(repositoryName="app", policyText=document(statement))

    _, message = refusal(ann.client("ecr").describe_images, repositoryName="app")
    assert message.endswith("with an explicit deny in a resource-based policy")


def test_an_attempt_to_write_a_policy_that_is_none(engine, bucket) -> None:
    wrong = document(allow("GetObject", resource="arn:aws:s3:::artifacts/*", Principal="*"))

    assert refusal(engine.client("s3").put_bucket_policy, Bucket=bucket, Policy=wrong)[0] == "MalformedPolicy"
