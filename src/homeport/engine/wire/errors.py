"""AWS's errors, as every service raises them and every codec writes them."""

from __future__ import annotations

from typing import Any

from botocore.model import OperationModel, ServiceModel, StructureShape

_FORBIDDEN = {
    "AccessDenied",
    "AccessDeniedException",
    "ExpiredToken",
    "ExpiredTokenException",
    "IncompleteSignature",
    "InvalidAccessKeyId",
    "InvalidClientTokenId",
    "MissingAuthenticationToken",
    "RequestTimeTooSkewed",
    "SignatureDoesNotMatch",
    "UnrecognizedClientException",
}


class AwsError(Exception):
    """An error that the caller gets. `code` is the error shape's name or its code on the wire; `members` are
    further members of that shape; `status` overrides the HTTP status that the model gives."""

    def __init__(self, code: str, message: str, status: int | None = None, **members: Any) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        self.status = status
        self.members = members


class WireError:
    """An AwsError as it goes over the wire for one service: the code, status and fault of the model."""

    def __init__(
        self, error: AwsError, service: ServiceModel | None, operation: OperationModel | None
    ) -> None:
        self.shape = _shape(error.code, service, operation)
        trait: dict[str, Any] = self.shape.metadata.get("error", {}) if self.shape else {}
        self.code: str = trait.get("code") or error.code
        self.message = error.message
        self.members = error.members
        default = 403 if error.code in _FORBIDDEN else 400
        self.status: int = error.status or trait.get("httpStatusCode") or default
        self.fault = "Receiver" if self.status >= 500 else "Sender"


def _shape(
    code: str, service: ServiceModel | None, operation: OperationModel | None
) -> StructureShape | None:
    """The error's shape, by its name or its code on the wire: the operation's own, else any of the service."""
    for shape in (*(operation.error_shapes if operation else ()), *(service.error_shapes if service else ())):
        if code in (shape.name, shape.metadata.get("error", {}).get("code")):
            return shape
    return None


def internal_failure(request_id: str) -> AwsError:
    """What a bug answers: nothing of it is shown but the id under which the engine's log has it."""
    return AwsError(
        "InternalFailure",
        f"homeport failed on this request; its log has the reason under the request id {request_id}.",
        500,
    )
