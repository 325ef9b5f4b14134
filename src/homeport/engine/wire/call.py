"""One call of an operation, however it came: over the wire or from another service."""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import dataclass, field
from typing import Any

from botocore.model import OperationModel

from homeport.engine.wire.principal import Principal


@dataclass(slots=True)
class Call:
    """`service` and `name` are boto3's service name and AWS's operation name; `region` is where the call goes.
    `invoked_by` is the service principal on whose way a caller's credentials are used (`aws:CalledVia`);
    `source_arn` is the resource on whose account an AWS service calls (`aws:SourceArn`);
    `token` is that of the durable step for which the call is carried out once;
    `headers` are the HTTP headers of a call over the wire. `decision` is filled in by the authorization: which
    statement decided, for the audit trail."""

    service: str
    operation: OperationModel
    params: dict[str, Any]
    principal: Principal
    account: str
    region: str
    request_id: str
    source_ip: str = "127.0.0.1"
    user_agent: str = ""
    secure: bool = False
    invoked_by: str | None = None
    source_arn: str | None = None
    token: str | None = None
    presigned: bool = False
    headers: dict[str, str] = field(default_factory=dict)
    decision: dict[str, Any] = field(default_factory=dict)

    @property
    def name(self) -> str:
        return self.operation.name

    @property
    def identity(self) -> str:
        """What tells this call from others: the operation, and a digest of its input."""
        digest = hashlib.sha256(json.dumps(self.params, sort_keys=True, default=repr).encode()).hexdigest()
        return f"{self.service}:{self.name}:{digest}"


def new_id() -> str:
    """A random UUID, for requests and what is told of them: uuid.uuid4 takes three times as long for its text."""
    digits = os.urandom(16).hex()
    variant = "89ab"[int(digits[16], 16) & 3]
    return f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-{variant}{digits[17:20]}-{digits[20:]}"
