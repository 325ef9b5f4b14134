"""Objects of S3, through boto3 and a running engine."""

from __future__ import annotations

import hashlib
import io
import os
import sqlite3
import time
from typing import Any

import pytest
import urllib3
from botocore.config import Config
from botocore.exceptions import ClientError

from homeport.pytest_plugin import RunningEngine


@pytest.fixture
def s3(engine: RunningEngine) -> Any:
    client = engine.client("s3")
    client.create_bucket(Bucket="things")
    return client


def code(error: pytest.ExceptionInfo[ClientError]) -> str:
    return error.value.response["Error"]["Code"]


def test_an_object_comes_back_as_it_was_put(s3: Any) -> None:
    s3.put_object(
        Bucket="things",
        Key="a b/ü+.txt",
        Body=b"hello",
        ContentType="text/plain",
        CacheControl="no-store",
        Metadata={"Colour": "blue"},
        Tagging="team=x",
    )
    found = s3.get_object(Bucket="things", Key="a b/ü+.txt")
    assert found["Body"].read() == b"hello"
    assert found["ETag"] == f'"{hashlib.md5(b"hello").hexdigest()}"'
    assert (found["ContentType"], found["CacheControl"]) == ("text/plain", "no-store")
    assert found["Metadata"] == {"colour": "blue"}
    assert found["TagCount"] == 1
    assert found["ServerSideEncryption"] == "AES256"
    assert s3.head_object(Bucket="things", Key="a b/ü+.txt")["ContentLength"] == 5


def test_what_is_missing_is_named(s3: Any) -> None:
    with pytest.raises(ClientError) as error:
        s3.get_object(Bucket="things", Key="nothing")
    assert code(error) == "NoSuchKey"
    with pytest.raises(ClientError) as error:
        s3.head_object(Bucket="things", Key="nothing")
    assert code(error) == "404"
    with pytest.raises(ClientError) as error:
        s3.list_objects_v2(Bucket="nowhere")
    assert code(error) == "NoSuchBucket"


def test_ranges(s3: Any) -> None:
    s3.put_object(Bucket="things", Key="k", Body=b"0123456789")
    for header, body, shown in [
        ("bytes=0-3", b"0123", "bytes 0-3/10"),
        ("bytes=7-", b"789", "bytes 7-9/10"),
        ("bytes=-2", b"89", "bytes 8-9/10"),
        ("bytes=5-100", b"56789", "bytes 5-9/10"),
    ]:
        found = s3.get_object(Bucket="things", Key="k", Range=header)
        assert (found["Body"].read(), found["ContentRange"]) == (body, shown)
        assert found["ResponseMetadata"]["HTTPStatusCode"] == 206
    with pytest.raises(ClientError) as error:
        s3.get_object(Bucket="things", Key="k", Range="bytes=10-")
    assert code(error) == "InvalidRange"


def test_conditions(s3: Any) -> None:
    etag = s3.put_object(Bucket="things", Key="k", Body=b"1", IfNoneMatch="*")["ETag"]
    with pytest.raises(ClientError) as error:
        s3.put_object(Bucket="things", Key="k", Body=b"2", IfNoneMatch="*")
    assert code(error) == "PreconditionFailed"
    with pytest.raises(ClientError) as error:
        s3.get_object(Bucket="things", Key="k", IfNoneMatch=etag)
    assert error.value.response["ResponseMetadata"]["HTTPStatusCode"] == 304
    with pytest.raises(ClientError) as error:
        s3.get_object(Bucket="things", Key="k", IfMatch='"other"')
    assert code(error) == "PreconditionFailed"
    s3.put_object(Bucket="things", Key="k", Body=b"3", IfMatch=etag)
    assert s3.get_object(Bucket="things", Key="k")["Body"].read() == b"3"


@pytest.mark.parametrize("algorithm", ["CRC32", "CRC32C", "CRC64NVME", "SHA1", "SHA256"])
def test_checksums_are_verified_and_kept(s3: Any, algorithm: str) -> None:
    put = s3.put_object(Bucket="things", Key="k", Body=io.BytesIO(b"hello"), ChecksumAlgorithm=algorithm)
    found = s3.get_object(Bucket="things", Key="k", ChecksumMode="ENABLED")
    assert found[f"Checksum{algorithm}"] == put[f"Checksum{algorithm}"]
    assert found["Body"].read() == b"hello"
    with pytest.raises(ClientError) as error:
        s3.put_object(
            Bucket="things", Key="k", Body=b"hellO", **{f"Checksum{algorithm}": put[f"Checksum{algorithm}"]}
        )
    assert code(error) == "BadDigest"


def test_versions(s3: Any) -> None:
    first = s3.put_object(Bucket="things", Key="k", Body=b"before")
    assert "VersionId" not in first
    s3.put_bucket_versioning(Bucket="things", VersioningConfiguration={"Status": "Enabled"})
    one = s3.put_object(Bucket="things", Key="k", Body=b"one")["VersionId"]
    two = s3.put_object(Bucket="things", Key="k", Body=b"two")["VersionId"]
    marker = s3.delete_object(Bucket="things", Key="k")
    assert marker["DeleteMarker"]
    with pytest.raises(ClientError) as error:
        s3.get_object(Bucket="things", Key="k")
    assert code(error) == "NoSuchKey"
    assert s3.get_object(Bucket="things", Key="k", VersionId=one)["Body"].read() == b"one"
    assert s3.get_object(Bucket="things", Key="k", VersionId="null")["Body"].read() == b"before"
    listed = s3.list_object_versions(Bucket="things")
    assert [version["VersionId"] for version in listed["Versions"]] == [two, one, "null"]
    assert [each["IsLatest"] for each in listed["DeleteMarkers"]] == [True]
    s3.delete_object(Bucket="things", Key="k", VersionId=marker["VersionId"])
    assert s3.get_object(Bucket="things", Key="k")["Body"].read() == b"two"
    s3.delete_object(Bucket="things", Key="k", VersionId=two)
    assert s3.get_object(Bucket="things", Key="k")["Body"].read() == b"one"
    with pytest.raises(ClientError) as error:
        s3.delete_bucket(Bucket="things")
    assert code(error) == "BucketNotEmpty"


def test_multipart(s3: Any) -> None:
    part = os.urandom(5 * 1024 * 1024)
    upload = s3.create_multipart_upload(
        Bucket="things", Key="big", ChecksumAlgorithm="CRC32", ChecksumType="FULL_OBJECT"
    )
    parts = []
    for number, body in enumerate([part, b"tail"], 1):
        answer = s3.upload_part(
            Bucket="things", Key="big", UploadId=upload["UploadId"], PartNumber=number, Body=body
        )
        parts.append({"PartNumber": number, "ETag": answer["ETag"], "ChecksumCRC32": answer["ChecksumCRC32"]})
    listed = s3.list_parts(Bucket="things", Key="big", UploadId=upload["UploadId"])
    assert [each["Size"] for each in listed["Parts"]] == [len(part), 4]
    assert [each["Key"] for each in s3.list_multipart_uploads(Bucket="things")["Uploads"]] == ["big"]
    done = s3.complete_multipart_upload(
        Bucket="things", Key="big", UploadId=upload["UploadId"], MultipartUpload={"Parts": parts}
    )
    assert done["ETag"].endswith('-2"')
    assert s3.get_object(Bucket="things", Key="big")["Body"].read() == part + b"tail"
    crossing = s3.get_object(Bucket="things", Key="big", Range=f"bytes={len(part) - 2}-{len(part) + 1}")
    assert crossing["Body"].read() == part[-2:] + b"ta"
    second = s3.get_object(Bucket="things", Key="big", PartNumber=2)
    assert (second["Body"].read(), second["PartsCount"]) == (b"tail", 2)
    whole = s3.put_object(Bucket="things", Key="whole", Body=part + b"tail", ChecksumAlgorithm="CRC32")
    assert done["ChecksumCRC32"] == whole["ChecksumCRC32"]
    assert "Uploads" not in s3.list_multipart_uploads(Bucket="things")


def test_a_part_that_is_too_small_or_unknown_is_refused(s3: Any) -> None:
    upload = s3.create_multipart_upload(Bucket="things", Key="big")["UploadId"]
    tags = [
        s3.upload_part(Bucket="things", Key="big", UploadId=upload, PartNumber=number, Body=b"x")["ETag"]
        for number in (1, 2)
    ]

    def complete(*parts: tuple[int, str]) -> None:
        listed = [{"PartNumber": number, "ETag": tag} for number, tag in parts]
        s3.complete_multipart_upload(
            Bucket="things", Key="big", UploadId=upload, MultipartUpload={"Parts": listed}
        )

    for parts, expected in [
        ([(1, tags[0]), (2, tags[1])], "EntityTooSmall"),
        ([(2, tags[1]), (1, tags[0])], "InvalidPartOrder"),
        ([(1, '"0"')], "InvalidPart"),
    ]:
        with pytest.raises(ClientError) as error:
            complete(*parts)
        assert code(error) == expected
    s3.abort_multipart_upload(Bucket="things", Key="big", UploadId=upload)
    with pytest.raises(ClientError) as error:
        complete((1, tags[0]))
    assert code(error) == "NoSuchUpload"


def test_copies(s3: Any) -> None:
    s3.put_object(Bucket="things", Key="a b", Body=b"hello", Metadata={"x": "1"}, Tagging="t=1")
    copied = s3.copy_object(Bucket="things", Key="copy", CopySource={"Bucket": "things", "Key": "a b"})
    assert copied["CopyObjectResult"]["ETag"] == f'"{hashlib.md5(b"hello").hexdigest()}"'
    found = s3.get_object(Bucket="things", Key="copy")
    assert (found["Body"].read(), found["Metadata"], found["TagCount"]) == (b"hello", {"x": "1"}, 1)
    s3.copy_object(
        Bucket="things",
        Key="copy",
        CopySource="things/copy",
        MetadataDirective="REPLACE",
        Metadata={"y": "2"},
    )
    assert s3.head_object(Bucket="things", Key="copy")["Metadata"] == {"y": "2"}
    with pytest.raises(ClientError) as error:
        s3.copy_object(Bucket="things", Key="copy", CopySource="things/copy")
    assert code(error) == "InvalidRequest"
    upload = s3.create_multipart_upload(Bucket="things", Key="joined")["UploadId"]
    part = s3.upload_part_copy(
        Bucket="things",
        Key="joined",
        UploadId=upload,
        PartNumber=1,
        CopySource="things/copy",
        CopySourceRange="bytes=1-3",
    )
    s3.complete_multipart_upload(
        Bucket="things",
        Key="joined",
        UploadId=upload,
        MultipartUpload={"Parts": [{"PartNumber": 1, "ETag": part["CopyPartResult"]["ETag"]}]},
    )
    assert s3.get_object(Bucket="things", Key="joined")["Body"].read() == b"ell"


def test_listings_page_through_prefixes(s3: Any) -> None:
    keys = [f"{folder}/{n}" for folder in "abc" for n in range(5)] + ["top", "z z"]
    for key in keys:
        s3.put_object(Bucket="things", Key=key, Body=b"")
    pages = s3.get_paginator("list_objects_v2").paginate(
        Bucket="things", Delimiter="/", PaginationConfig={"PageSize": 2}
    )
    found: list[str] = []
    for page in pages:
        assert page["KeyCount"] <= 2
        found += [each["Prefix"] for each in page.get("CommonPrefixes", [])]
        found += [each["Key"] for each in page.get("Contents", [])]
    assert found == ["a/", "b/", "c/", "top", "z z"]
    for name in ("list_objects_v2", "list_objects"):
        pages = s3.get_paginator(name).paginate(Bucket="things", PaginationConfig={"PageSize": 4})
        assert [each["Key"] for page in pages for each in page.get("Contents", [])] == keys
    only = s3.list_objects_v2(Bucket="things", Prefix="b/", StartAfter="b/2")
    assert [each["Key"] for each in only["Contents"]] == ["b/3", "b/4"]
    s3.put_bucket_versioning(Bucket="things", VersioningConfiguration={"Status": "Enabled"})
    for _ in range(5):
        s3.put_object(Bucket="things", Key="a/1", Body=b"")
    pages = s3.get_paginator("list_object_versions").paginate(
        Bucket="things", PaginationConfig={"PageSize": 3}
    )
    versions = [(each["Key"], each["VersionId"]) for page in pages for each in page.get("Versions", [])]
    assert len(versions) == len(set(versions)) == len(keys) + 5
    assert [key for key, _ in versions] == sorted([*keys, *["a/1"] * 5])


def test_delete_objects(s3: Any) -> None:
    for key in ("a", "b", "<c>&"):
        s3.put_object(Bucket="things", Key=key, Body=b"x")
    answer = s3.delete_objects(
        Bucket="things", Delete={"Objects": [{"Key": "a"}, {"Key": "<c>&"}, {"Key": "gone"}]}
    )
    assert [each["Key"] for each in answer["Deleted"]] == ["a", "<c>&", "gone"]
    assert [each["Key"] for each in s3.list_objects_v2(Bucket="things")["Contents"]] == ["b"]


@pytest.mark.parametrize("version", ["s3v4", "s3"])
def test_presigned_urls(s3: Any, engine: RunningEngine, version: str) -> None:
    signer = engine.client("s3", config=Config(signature_version=version))
    put = signer.generate_presigned_url("put_object", {"Bucket": "things", "Key": "a b"})
    with urllib3.PoolManager() as http:
        assert http.request("PUT", put, body=b"by url").status == 200
        wanted = {"Bucket": "things", "Key": "a b", "ResponseContentType": "a/b"}
        get = signer.generate_presigned_url("get_object", wanted)
        answer = http.request("GET", get)
        assert (answer.data, answer.headers["content-type"]) == (b"by url", "a/b")
        assert http.request("GET", get.replace("/a%20b?", "/other?")).status == 403
        past = signer.generate_presigned_url("get_object", {"Bucket": "things", "Key": "a b"}, ExpiresIn=1)
        time.sleep(2)
        assert http.request("GET", past).status == 403


def test_the_bucket_may_be_in_the_host_name(engine: RunningEngine, s3: Any) -> None:
    s3.put_object(Bucket="things", Key="a/b", Body=b"x")
    endpoint = engine.url.replace("127.0.0.1", "s3.localhost")
    style = Config(s3={"addressing_style": "virtual"}, signature_version="s3v4")
    url = engine.client("s3", endpoint_url=endpoint, config=style).generate_presigned_url(
        "get_object", {"Bucket": "things", "Key": "a/b"}
    )
    host = url.split("/")[2]
    assert host.startswith("things.s3.localhost:")
    with urllib3.PoolManager() as http:
        # Not every machine resolves names below localhost.
        answer = http.request("GET", url.replace(host, f"127.0.0.1:{engine.port}"), headers={"host": host})
        assert answer.data == b"x"


@pytest.mark.parametrize("size", [10, 200_000])
def test_unreferenced_blobs_are_collected(s3: Any, engine: RunningEngine, size: int) -> None:
    """Large bodies are files, small ones rows."""

    def blobs() -> int:
        with sqlite3.connect(f"file:{engine.data / 'homeport.db'}?mode=ro", uri=True) as store:
            rows = store.execute("SELECT count(*) FROM s3_small").fetchone()[0]
        store.close()
        return rows + len(list((engine.data / "blobs" / "sha256").glob("??/*")))

    shared, other = b"s" * size, b"o" * size
    s3.put_object(Bucket="things", Key="a", Body=shared)
    s3.copy_object(Bucket="things", Key="b", CopySource="things/a")
    assert blobs() == 1
    s3.delete_object(Bucket="things", Key="a")
    assert s3.get_object(Bucket="things", Key="b")["Body"].read() == shared
    s3.put_object(Bucket="things", Key="b", Body=other)
    assert s3.get_object(Bucket="things", Key="b", Range="bytes=1-2")["Body"].read() == b"oo"
    assert blobs() == 1
    with pytest.raises(ClientError):
        s3.put_object(Bucket="things", Key="c", Body=b"never kept", ChecksumSHA256="AAAA")
    assert blobs() == 1


def test_an_object_that_is_deleted_while_it_is_read_is_read_to_its_end(
    s3: Any, engine: RunningEngine
) -> None:
    part = os.urandom(6 * 1024 * 1024)
    upload = s3.create_multipart_upload(Bucket="things", Key="big")["UploadId"]
    parts = []
    for number in (1, 2, 3):
        answer = s3.upload_part(Bucket="things", Key="big", UploadId=upload, PartNumber=number, Body=part)
        parts.append({"PartNumber": number, "ETag": answer["ETag"]})
    s3.complete_multipart_upload(
        Bucket="things", Key="big", UploadId=upload, MultipartUpload={"Parts": parts}
    )
    body = s3.get_object(Bucket="things", Key="big")["Body"]
    first = body.read(1000)
    engine.client("s3").delete_object(Bucket="things", Key="big")
    assert first + body.read() == part * 3
    deadline = time.monotonic() + 5
    while list((engine.data / "blobs" / "sha256").glob("??/*")) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not list((engine.data / "blobs" / "sha256").glob("??/*"))
