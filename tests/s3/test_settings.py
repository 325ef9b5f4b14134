"""Buckets' settings: kept, read back, and obeyed."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest
import urllib3
from botocore.exceptions import ClientError

from homeport.pytest_plugin import RunningEngine


@pytest.fixture
def s3(engine: RunningEngine) -> Any:
    client = engine.client("s3")
    client.create_bucket(Bucket="things")
    return client


def refused(call: Any, **request: Any) -> str:
    with pytest.raises(ClientError) as error:
        call(Bucket="things", **request)
    return error.value.response["Error"]["Code"]


def test_defaults_are_those_of_a_new_bucket(s3: Any) -> None:
    rule = s3.get_bucket_encryption(Bucket="things")["ServerSideEncryptionConfiguration"]["Rules"][0]
    assert rule["ApplyServerSideEncryptionByDefault"] == {"SSEAlgorithm": "AES256"}
    assert all(s3.get_public_access_block(Bucket="things")["PublicAccessBlockConfiguration"].values())
    controls = s3.get_bucket_ownership_controls(Bucket="things")["OwnershipControls"]
    assert controls == {"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]}
    assert "Status" not in s3.get_bucket_versioning(Bucket="things")
    for call, code in [
        (s3.get_bucket_policy, "NoSuchBucketPolicy"),
        (s3.get_bucket_cors, "NoSuchCORSConfiguration"),
        (s3.get_bucket_tagging, "NoSuchTagSet"),
        (s3.get_bucket_lifecycle_configuration, "NoSuchLifecycleConfiguration"),
        (s3.get_bucket_website, "NoSuchWebsiteConfiguration"),
        (s3.get_object_lock_configuration, "ObjectLockConfigurationNotFoundError"),
    ]:
        assert refused(call) == code


def test_settings_come_back(s3: Any) -> None:
    rules = [{"AllowedMethods": ["GET"], "AllowedOrigins": ["https://*.example.com"], "MaxAgeSeconds": 60}]
    s3.put_bucket_cors(Bucket="things", CORSConfiguration={"CORSRules": rules})
    assert s3.get_bucket_cors(Bucket="things")["CORSRules"] == rules
    s3.put_bucket_tagging(Bucket="things", Tagging={"TagSet": [{"Key": "a", "Value": "b"}]})
    assert s3.get_bucket_tagging(Bucket="things")["TagSet"] == [{"Key": "a", "Value": "b"}]
    rule = {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": "alias/k"}}
    s3.put_bucket_encryption(
        Bucket="things", ServerSideEncryptionConfiguration={"Rules": [{**rule, "BucketKeyEnabled": True}]}
    )
    put = s3.put_object(Bucket="things", Key="k", Body=b"")
    assert (put["ServerSideEncryption"], put["SSEKMSKeyId"]) == ("aws:kms", "alias/k")
    assert (
        refused(s3.put_bucket_website, WebsiteConfiguration={"IndexDocument": {"Suffix": "i"}})
        == "NotImplemented"
    )


def test_browsers_are_answered_as_the_cors_rules_say(s3: Any, engine: RunningEngine) -> None:
    s3.put_object(Bucket="things", Key="k", Body=b"x")
    rule = {
        "AllowedMethods": ["GET", "PUT"],
        "AllowedOrigins": ["https://*.example.com"],
        "AllowedHeaders": ["x-amz-*"],
        "ExposeHeaders": ["ETag"],
        "MaxAgeSeconds": 60,
    }
    url = s3.generate_presigned_url("get_object", {"Bucket": "things", "Key": "k"})
    asked = {"origin": "https://www.example.com", "access-control-request-method": "PUT"}
    asked["access-control-request-headers"] = "X-Amz-Meta-A"
    with urllib3.PoolManager() as http:
        refused = http.request("OPTIONS", f"{engine.url}/things/k", headers=asked)
        assert refused.status == 403 and b"CORS is not enabled for this bucket" in refused.data
        s3.put_bucket_cors(Bucket="things", CORSConfiguration={"CORSRules": [rule]})
        allowed = http.request("OPTIONS", f"{engine.url}/things/k", headers=asked)
        assert allowed.status == 200
        assert allowed.headers["access-control-allow-origin"] == "https://www.example.com"
        assert allowed.headers["access-control-allow-headers"] == "x-amz-meta-a"
        assert allowed.headers["access-control-max-age"] == "60"
        got = http.request("GET", url, headers={"origin": "https://www.example.com"})
        assert (got.data, got.headers["access-control-expose-headers"]) == (b"x", "ETag")
        foreign = http.request("GET", url, headers={"origin": "https://example.org"})
        assert foreign.data == b"x" and "access-control-allow-origin" not in foreign.headers
        wrong = {**asked, "access-control-request-method": "DELETE"}
        assert http.request("OPTIONS", f"{engine.url}/things/k", headers=wrong).status == 403


def test_a_public_policy_is_blocked_until_the_block_is_lifted(s3: Any, engine: RunningEngine) -> None:
    s3.put_object(Bucket="things", Key="open/page", Body=b"for all")
    s3.put_object(Bucket="things", Key="closed", Body=b"for me")
    statement = {
        "Effect": "Allow",
        "Principal": "*",
        "Action": "s3:GetObject",
        "Resource": "arn:aws:s3:::things/open/*",
    }
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    assert refused(s3.put_bucket_policy, Policy=policy) == "AccessDenied"
    s3.delete_public_access_block(Bucket="things")
    s3.put_bucket_policy(Bucket="things", Policy=policy)
    assert s3.get_bucket_policy_status(Bucket="things")["PolicyStatus"]["IsPublic"]
    with urllib3.PoolManager() as http:
        assert http.request("GET", f"{engine.url}/things/open/page").data == b"for all"
        assert http.request("GET", f"{engine.url}/things/closed").status == 403
    assert refused(s3.put_bucket_policy, Policy="{") == "MalformedPolicy"


def test_lifecycle_rules_expire_objects(own_engine: RunningEngine) -> None:
    own_engine.start()
    s3 = own_engine.client("s3")
    s3.create_bucket(Bucket="things")
    rules = [
        {"ID": "tmp", "Status": "Enabled", "Filter": {"Prefix": "tmp/"}, "Expiration": {"Days": 1}},
    ]
    s3.put_bucket_lifecycle_configuration(Bucket="things", LifecycleConfiguration={"Rules": rules})
    put = s3.put_object(Bucket="things", Key="tmp/a", Body=b"x")
    assert 'rule-id="tmp"' in put["Expiration"]
    s3.put_object(Bucket="things", Key="kept", Body=b"x")
    own_engine.stop()
    # Three days pass in which nothing can be asked: requests are signed by another clock.
    own_engine.start(HOMEPORT_CLOCK_SPEED="100000")
    time.sleep(3)
    own_engine.stop()
    own_engine.start()
    assert [each["Key"] for each in s3.list_objects_v2(Bucket="things")["Contents"]] == ["kept"]


def test_wrong_lifecycle_rules_are_refused(s3: Any) -> None:
    for rule, code in [
        ({"Filter": {}}, "InvalidRequest"),
        ({"Filter": {}, "Expiration": {"Days": 0}}, "InvalidArgument"),
        ({"Filter": {}, "Transitions": [{"Days": 1, "StorageClass": "GLACIER"}]}, "NotImplemented"),
    ]:
        found = {"Rules": [{"ID": "r", "Status": "Enabled", **rule}]}
        assert refused(s3.put_bucket_lifecycle_configuration, LifecycleConfiguration=found) == code


def test_bucket_names_are_checked_and_owned(s3: Any) -> None:
    for name in ("UPPER", "a", "under_score", "1.2.3.4", "two..dots"):
        with pytest.raises(Exception, match=r"[Bb]ucket"):
            s3.create_bucket(Bucket=name)
    s3.create_bucket(Bucket="far", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    assert s3.get_bucket_location(Bucket="far")["LocationConstraint"] == "eu-west-1"
    assert s3.head_bucket(Bucket="far")["BucketRegion"] == "eu-west-1"
    assert refused(s3.list_objects_v2, ExpectedBucketOwner="210987654321") == "AccessDenied"
    assert [bucket["Name"] for bucket in s3.list_buckets()["Buckets"]] == ["far", "things"]
