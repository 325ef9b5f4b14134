"""Using a connection: a role needs `UseConnection` on it, under the service name of the ARN that it is used by.

https://docs.aws.amazon.com/dtconsole/latest/userguide/security-iam.html
"""

from __future__ import annotations

import uuid

from botocore.model import OperationModel

from homeport.engine.services.codeconnections import tables
from homeport.engine.services.codeconnections.tables import Row
from homeport.engine.services.context import Context, principal_name
from homeport.engine.store.database import Scope
from homeport.engine.wire import model
from homeport.engine.wire.call import Call
from homeport.engine.wire.errors import AwsError


async def use(
    ctx: Context, role: str, region: str, arn: str, through: str | None = None
) -> tuple[Context, Row]:
    """The connection, and a context to read its repositories in. `ctx` is that of the service which uses it, `role`
    the one that it acts as. Raises AccessDenied, ResourceNotFoundException and InvalidInputException."""
    principal = ctx.engine.identity.assume_for_service(
        role,
        principal_name(ctx.assumes_as or ctx.service),
        f"{ctx.service}-{ctx.request_id[:8]}",
        through,
    )
    service = "codestar-connections" if ":codestar-connections:" in arn else "codeconnections"
    await ctx.engine.identity.authorize(
        Call(
            service=service,
            operation=_use_connection(service),
            params={"ConnectionArn": arn},
            principal=principal,
            account=ctx.account,
            region=region,
            request_id=str(uuid.uuid4()),
        ),
        None,
    )
    parts = arn.split(":")
    own = ctx.engine.context("codeconnections", Scope(ctx.account, parts[3] if len(parts) > 3 else region))
    connection = tables.connection(own, arn)
    if tables.is_pending(connection):
        raise AwsError(
            "InvalidInputException", f"Unable to use Connection: {arn}. The connection is PENDING."
        )
    return own, connection


def _use_connection(service: str) -> OperationModel:
    """The permission in the form of an operation that takes a connection, as GetConnection does."""
    known = model.load(service)
    like = known.operation_model("GetConnection")
    return OperationModel({**like._operation_model, "name": "UseConnection"}, known, "UseConnection")
