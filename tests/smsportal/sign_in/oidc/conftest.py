"""A portal with an identity provider that runs on loopback."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.conf import LazySettings
from django.core.cache import cache

from tests.fakes.identity_provider import FakeProvider, running_provider


@pytest.fixture(scope="package")
def server() -> Iterator[FakeProvider]:
    with running_provider() as fake:
        yield fake


@pytest.fixture
def idp(server: FakeProvider, settings: LazySettings) -> FakeProvider:
    """Without the faults of the test before."""
    server.__init__(server.issuer)  # type: ignore[misc]
    cache.clear()
    settings.IDENTITY_PROVIDER = server.settings()
    settings.EMERGENCY_ACCOUNT = ""
    return server
