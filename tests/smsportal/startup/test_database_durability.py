"""A PostgreSQL server that may lose commits is refused. The one of the tests is such a server."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.checks import run_checks
from django.db import connection

from smsportal.startup.preflight import find_lossy_servers

pytestmark = [pytest.mark.django_db, pytest.mark.any_database]


def test_server_that_may_lose_commits_is_refused(settings: Any) -> None:
    settings.DATABASE_MAY_LOSE_COMMITS = False
    if connection.vendor == "sqlite":
        assert not list(find_lossy_servers())
        return
    if not _fsync_is_off():
        pytest.skip("this server is durable")
    (line,) = find_lossy_servers()
    assert line.startswith("The PostgreSQL server runs with fsync=off")
    found = {one.id for one in run_checks(databases=["default"])}
    assert {"smsportal.E030", "smsportal.W031", "smsportal.W032"} <= found


def test_server_of_the_tests_is_allowed() -> None:
    assert not list(find_lossy_servers())


def _fsync_is_off() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_setting('fsync')")
        return bool(cursor.fetchone() == ("off",))
