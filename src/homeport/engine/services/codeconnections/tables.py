"""CodeConnections' tables. A watch holds the heads of a repository that pipelines were last told of; a delivery is
one webhook call; its payload is a row of codeconnections_payloads as long as it is kept."""

from __future__ import annotations

from typing import Any

from homeport.engine.store.database import At
from homeport.engine.store.table import Table
from homeport.engine.wire.errors import AwsError

Row = dict[str, Any]

CONNECTIONS = Table("codeconnections_connections", key=("id",), columns=("ConnectionName",))
HOSTS = Table("codeconnections_hosts", key=("id",))
WATCHES = Table("codeconnections_watches", key=("connectionId", "repository"))
DELIVERIES = Table(
    "codeconnections_deliveries", key=("connectionId", "deliveryId"), columns=("status", "payload")
)


def connection(at: At, arn: str) -> Row:
    """The connection of an ARN, under the service's old or new name. Raises ResourceNotFoundException."""
    row = CONNECTIONS.get(at, arn.rpartition("/")[2])
    if row is None or ":connection/" not in arn:
        raise AwsError("ResourceNotFoundException", f"Connection not found: {arn}")
    return row


def is_pending(connection: Row) -> bool:
    """Whether the connection waits for consent."""
    return {"Key": "homeport:consent", "Value": "pending"} in connection["Tags"]


def host(at: At, arn: str) -> Row:
    """The host of an ARN. Raises ResourceNotFoundException."""
    row = HOSTS.get(at, arn.rpartition("/")[2])
    if row is None or ":host/" not in arn:
        raise AwsError("ResourceNotFoundException", f"Host not found: {arn}")
    return row
