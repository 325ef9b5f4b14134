"""The binary messages of a Session Manager data channel, as the Session Manager plugin reads and writes them.

    header length 4 · type 32 · schema version 4 · created 8 · sequence number 8 · flags 8 · id 16 · SHA-256 of the
    payload 32 · payload type 4 · payload length 4 · payload

Numbers are big-endian. https://github.com/aws/session-manager-plugin (src/message)
"""

from __future__ import annotations

import hashlib
import json
import struct
import time
import uuid
from typing import Any, NamedTuple

INPUT, OUTPUT, ACKNOWLEDGE, CLOSED = (
    "input_stream_data",
    "output_stream_data",
    "acknowledge",
    "channel_closed",
)
DATA, SIZE = 1, 3
"""Payload types: bytes of the stream, and the terminal's size as JSON (`cols`, `rows`)."""

_HEADER = struct.Struct(">I32sIQqQ16s32sI")
_LENGTH = struct.Struct(">I")
_SYN, _FIN = 1, 2


class Malformed(Exception):
    """These bytes are not a message of the channel."""


class Message(NamedTuple):
    """One message. `sequence` counts the stream data of one direction from 0."""

    type: str
    sequence: int
    payload: bytes
    payload_type: int = 0
    id: str = ""


def encode(message: Message) -> bytes:
    """The message's bytes."""
    id = uuid.UUID(message.id or str(uuid.uuid4())).bytes
    flags = _SYN if message.sequence == 0 and message.type in (INPUT, OUTPUT) else 0
    if message.type in (ACKNOWLEDGE, CLOSED):
        flags = _SYN | _FIN
    header = _HEADER.pack(
        _HEADER.size,
        message.type.encode().ljust(32),
        1,
        int(time.time() * 1000),
        message.sequence,
        flags,
        id[8:] + id[:8],
        hashlib.sha256(message.payload).digest(),
        message.payload_type,
    )
    return header + _LENGTH.pack(len(message.payload)) + message.payload


def decode(data: bytes) -> Message:
    """The message in these bytes. Raises Malformed."""
    try:
        _, kind, _, _, sequence, _, id, digest, payload_type = _HEADER.unpack_from(data)
        (length,) = _LENGTH.unpack_from(data, _HEADER.size)
    except struct.error as error:
        raise Malformed(str(error)) from None
    payload = data[_HEADER.size + _LENGTH.size :][:length]
    if hashlib.sha256(payload).digest() != digest:
        raise Malformed("the payload does not have the digest that its header tells")
    name = kind.decode("ascii", "replace").strip(" \0")
    return Message(name, sequence, payload, payload_type, str(uuid.UUID(bytes=id[8:] + id[:8])))


def acknowledgement(message: Message) -> bytes:
    """What answers a message of stream data."""
    content = {
        "AcknowledgedMessageType": message.type,
        "AcknowledgedMessageId": message.id,
        "AcknowledgedMessageSequenceNumber": message.sequence,
        "IsSequentialMessage": True,
    }
    return encode(Message(ACKNOWLEDGE, 0, _json(content)))


def closed(session: str, output: str) -> bytes:
    """What tells the client that the session has ended; `output` is shown to the user."""
    id = str(uuid.uuid4())
    content = {
        "MessageType": CLOSED,
        "MessageId": id,
        "CreatedDate": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "SessionId": session,
        "SchemaVersion": 1,
        "Output": output,
    }
    return encode(Message(CLOSED, 0, _json(content), id=id))


def opening(token: str) -> str:
    """The first message of a client, a text: it proves with the session's token who opens the channel."""
    content = {
        "MessageSchemaVersion": "1.0",
        "RequestId": str(uuid.uuid4()),
        "TokenValue": token,
        "ClientId": str(uuid.uuid4()),
        "ClientVersion": "1.2.0.0",
    }
    return json.dumps(content)


def size(rows: int, columns: int, sequence: int) -> bytes:
    """What tells the other end how large the user's terminal is."""
    return encode(Message(INPUT, sequence, _json({"cols": columns, "rows": rows}), SIZE))


def _json(content: dict[str, Any]) -> bytes:
    return json.dumps(content, separators=(",", ":")).encode()
