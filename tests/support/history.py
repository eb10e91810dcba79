"""The demo's month of history, for tests of lists, figures and screenshots."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Final

import pytest
from auditlog.context import disable_auditlog
from django.test import override_settings
from pytest_django import DjangoDbBlocker, Settings

from .module_rows import undone_after_module

SANDBOX_URL: Final = "http://127.0.0.1:9"
"""A port without a listener."""
NOW: Final = datetime(2026, 3, 19, 8, 30, tzinfo=UTC)
"""A Thursday. Travel to it, or lists of the last days are empty."""


def write_month(now: datetime = NOW) -> None:
    """Write the demo's staff and accounts and the 30 days before `now`."""
    # Few tests need it, and all load this module.
    from smsportal import demo
    from smsportal.demo.history import write_history

    with disable_auditlog():
        demo.prepare(history=False)
        write_history(now)


@pytest.fixture(scope="module")
def written_month(
    django_db_setup: None,
    django_db_blocker: DjangoDbBlocker,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[None]:
    """Written once for all tests of a module, in a transaction that is rolled back after them."""
    folder = tmp_path_factory.mktemp("demo")
    with (
        override_settings(DATA_DIR=folder, SANDBOX_URL=SANDBOX_URL),
        undone_after_module(django_db_blocker),
    ):
        write_month()
        yield


@pytest.fixture
def month_of_history(written_month: None, db: None, settings: Settings) -> datetime:
    """The month before `NOW`, which is returned. Each test undoes its own changes.

    A test that commits, such as one with a live server, calls `write_month` itself.
    """
    settings.SANDBOX_URL = SANDBOX_URL
    return NOW
