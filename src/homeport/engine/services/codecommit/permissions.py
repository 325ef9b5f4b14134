"""CodeCommit's permissions that no API operation stands for: GitPull, GitPush, UploadArchive."""

from __future__ import annotations

import uuid

from botocore.model import OperationModel

from homeport.engine.services.context import Context
from homeport.engine.wire import model
from homeport.engine.wire.call import Call
from homeport.engine.wire.errors import AwsError
from homeport.engine.wire.principal import Principal


async def authorize(ctx: Context, principal: Principal, action: str, repository_name: str) -> None:
    """Raise AccessDenied unless the principal may do that (`GitPull`) with it; the audit trail tells."""
    call = Call(
        service="codecommit",
        operation=_permission(action),
        params={"repositoryName": repository_name},
        principal=principal,
        account=ctx.account,
        region=ctx.region,
        request_id=str(uuid.uuid4()),
    )
    try:
        await ctx.engine.identity.authorize(call, None)
    except AwsError as error:
        ctx.engine.observe(call, None, error)
        raise
    ctx.engine.observe(call, None, None)


def _permission(action: str) -> OperationModel:
    """The action in the form of an operation that takes a repository, as GetRepository does."""
    service = model.load("codecommit")
    like = service.operation_model("GetRepository")
    return OperationModel({**like._operation_model, "name": action}, service, action)
