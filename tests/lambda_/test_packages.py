"""Where a function's code comes from, and what is refused."""

from __future__ import annotations

import io
import stat
import urllib.request
import zipfile
from typing import Any

import pytest
from botocore.exceptions import ClientError

from homeport.pytest_plugin import RunningEngine
from tests.lambda_.functions import archive, call, create, role, updated

ANSWER = "def handler(event, context): return {}"


def link(target: str) -> bytes:
    """An archive with a symbolic link in it."""
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w") as made:
        entry = zipfile.ZipInfo("link")
        entry.external_attr = (stat.S_IFLNK | 0o777) << 16
        made.writestr(entry, target)
        made.writestr("index.py", ANSWER)
    return written.getvalue()


@pytest.mark.parametrize(
    ("package", "reason"),
    [
        (b"no archive", "Could not unzip uploaded file"),
        (archive({}), "Uploaded file must be a non-empty zip"),
        (archive({"../index.py": ANSWER}), "'../index.py' lies outside of the archive's folder"),
        (archive({"a/../../index.py": ANSWER}), "lies outside of the archive's folder"),
        (archive({"/etc/passwd": ANSWER}), "lies outside of the archive's folder"),
        (link("/etc/passwd"), "the link 'link' leads out of the archive's folder"),
        (link("../../etc/passwd"), "the link 'link' leads out of the archive's folder"),
    ],
)
def test_an_archive_that_would_leave_its_folder_is_refused(
    engine: RunningEngine, package: bytes, reason: str
) -> None:
    role(engine)
    with pytest.raises(ClientError) as refused:
        create(engine, "", Code={"ZipFile": package})
    assert refused.value.response["Error"]["Code"] == "InvalidParameterValueException"
    assert reason in refused.value.response["Error"]["Message"]


def test_code_comes_from_s3_and_is_changed(engine: RunningEngine) -> None:
    role(engine)
    s3, functions = engine.client("s3"), engine.client("lambda")
    s3.create_bucket(Bucket="code")
    with pytest.raises(ClientError, match="S3 Error Code: NoSuchKey"):
        create(engine, "", Code={"S3Bucket": "code", "S3Key": "fn.zip"})
    files = {"pkg/__init__.py": "", "pkg/main.py": ANSWER.format(1), "pkg/data.txt": "one"}
    package = archive(files)
    s3.put_object(Bucket="code", Key="fn.zip", Body=package)
    create(engine, "", Code={"S3Bucket": "code", "S3Key": "fn.zip"}, Handler="pkg/main.handler")
    assert call(engine) == 1
    before = functions.get_function(FunctionName="f")["Configuration"]
    location = functions.get_function(FunctionName="f")["Code"]["Location"]
    with urllib.request.urlopen(location, timeout=10) as downloaded:
        assert downloaded.read() == package
    functions.update_function_code(
        FunctionName="f",
        ZipFile=archive({"pkg/main.py": "import os\nhandler = lambda e, c: os.listdir('.')"}),
    )
    updated(engine)
    assert call(engine) == ["pkg"]
    after = functions.get_function_configuration(FunctionName="f")
    assert (before["CodeSha256"] != after["CodeSha256"], before["CodeSize"] > 0) == (True, True)


@pytest.mark.parametrize(
    ("settings", "reason"),
    [
        ({"Runtime": "java21"}, "homeport does not run the runtime java21"),
        ({"Layers": ["arn:aws:lambda:us-east-1:123456789012:layer:l:1"]}, "does not have Layers yet"),
        ({"Timeout": 901}, "between 1 and 900"),
        (
            {"Environment": {"Variables": {"AWS_REGION": "x"}}},
            "Reserved keys used in this request: AWS_REGION",
        ),
    ],
)
def test_what_there_is_not_is_refused(engine: RunningEngine, settings: dict[str, Any], reason: str) -> None:
    role(engine)
    with pytest.raises(ClientError, match=reason):
        create(engine, ANSWER, **settings)
