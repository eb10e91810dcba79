"""What every test can rely on. Settings stand in tests/settings.py, options in pyproject.toml."""

from __future__ import annotations

from collections.abc import Iterator

import hypothesis
import pytest
from django.core.cache import cache
from django.utils import translation
from pytest_django import DjangoDbBlocker

from smsportal.catalogues import compile_catalogues
from tests import emptying

# A slow machine is no failure: no example has a time limit.
hypothesis.settings.register_profile("portal", deadline=None, print_blob=True)
hypothesis.settings.load_profile("portal")


def pytest_configure(config: pytest.Config) -> None:
    # Not in every worker of a parallel run: they would compile the same files at once.
    if not hasattr(config, "workerinput"):
        compile_catalogues()


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> None:
    with django_db_blocker.unblock():
        emptying.remember()
    emptying.install()


@pytest.fixture(autouse=True)
def empty_cache() -> Iterator[None]:
    """The cache outlives a test's transaction, so it is emptied around each test."""
    cache.clear()
    yield
    cache.clear()


@pytest.fixture(autouse=True)
def own_language() -> Iterator[None]:
    """A request in Chinese leaves its language to the thread, and so to the next test."""
    translation.activate("en")
    yield
    translation.deactivate()
