"""One engine for all tests with containers."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support import debian, docker_engine, portal_images
from tests.support.docker_engine import Engine


@pytest.fixture(scope="session")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    """With the image of the portal. Skips where containers cannot be made."""
    if reason := debian.reason_against("nsenter"):
        pytest.skip(reason)
    try:
        with docker_engine.running(tmp_path_factory.mktemp("docker") / "engine") as running:
            portal_images.make_base(running)
            portal_images.build_portal(running)
            yield running
    except debian.CannotFetch as error:
        pytest.skip(str(error))
