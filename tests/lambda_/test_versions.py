"""Versions, aliases, and the names by which functions are asked for."""

from __future__ import annotations

import json

import pytest
from botocore.exceptions import ClientError

from homeport.pytest_plugin import RunningEngine
from tests.lambda_.functions import archive, call, create, role, updated


def test_versions_stay_and_aliases_move(engine: RunningEngine) -> None:
    role(engine)
    source = (
        "import os\ndef handler(event, context): return [{}, context.function_version, os.environ.get('A')]"
    )
    arn = create(engine, source.format(1), Environment={"Variables": {"A": "a"}})
    functions = engine.client("lambda")
    one = functions.publish_version(FunctionName="f", Description="first")
    assert (one["Version"], one["FunctionArn"]) == ("1", f"{arn}:1")
    assert functions.publish_version(FunctionName="f")["Version"] == "1", "nothing has changed"
    functions.update_function_code(FunctionName="f", ZipFile=archive({"index.py": source.format(2)}))
    updated(engine)
    assert functions.publish_version(FunctionName="f")["Version"] == "2"
    alias = functions.create_alias(FunctionName="f", Name="live", FunctionVersion="1")
    assert alias["AliasArn"] == f"{arn}:live"

    assert call(engine) == [2, "$LATEST", "a"]
    assert call(engine, name="f:live") == call(engine, name=f"{arn}:1") == [1, "1", "a"]
    functions.update_alias(FunctionName="f", Name="live", FunctionVersion="2")
    assert call(engine, name=f"{engine.account}:function:f", Qualifier="live") == [2, "2", "a"]
    with pytest.raises(ClientError, match=r"aliases reference it: \[live\]"):
        functions.delete_function(FunctionName="f", Qualifier="2")
    functions.delete_function(FunctionName="f", Qualifier="1")
    listed = functions.list_versions_by_function(FunctionName="f")["Versions"]
    assert [each["Version"] for each in listed] == ["$LATEST", "2"]
    functions.delete_alias(FunctionName="f", Name="live")
    with pytest.raises(ClientError, match=f"Function not found: {arn}:live"):
        call(engine, name="f:live")


def test_invocations_without_a_result(engine: RunningEngine) -> None:
    role(engine)
    functions = engine.client("lambda")
    with pytest.raises(ClientError) as refused:
        functions.invoke(FunctionName="f")
    assert refused.value.response["Error"]["Code"] == "ResourceNotFoundException"
    create(engine, "def handler(event, context): return object()")
    assert functions.invoke(FunctionName="f", InvocationType="DryRun")["StatusCode"] == 204
    with pytest.raises(ClientError, match="Could not parse request body into json"):
        functions.invoke(FunctionName="f", Payload=b"{")
    with pytest.raises(ClientError, match="payload is too large for the Event"):
        functions.invoke(FunctionName="f", InvocationType="Event", Payload=json.dumps("x" * 2**20).encode())
    assert call(engine)["errorType"] == "Runtime.MarshalError"
    functions.tag_resource(
        Resource=f"arn:aws:lambda:{engine.region}:{engine.account}:function:f", Tags={"a": "b"}
    )
    assert functions.get_function(FunctionName="f")["Tags"] == {"a": "b"}
