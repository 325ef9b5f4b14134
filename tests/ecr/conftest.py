from __future__ import annotations

from typing import Any

import pytest

from tests.ecr.oci import Registry


@pytest.fixture
def ecr(engine: Any) -> Any:
    return engine.client("ecr")


@pytest.fixture
def registry(engine: Any, ecr: Any) -> Registry:
    """The registry with the repositories `app` and `other`."""
    for name in ("app", "other"):
        ecr.create_repository(repositoryName=name)
    token = ecr.get_authorization_token()["authorizationData"][0]["authorizationToken"]
    return Registry(engine.url, token)
