"""`manage.py check_upgrade` and `portal --check-upgrade`: what they say; they change nothing."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections import namedtuple
from datetime import timedelta
from functools import cache
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.db import DatabaseError, connection
from django.db.migrations.recorder import MigrationRecorder
from django.utils import timezone
from pytest_django import Settings

from smsportal import portal
from smsportal.configuration.environment import BASE_DIR
from smsportal.management.commands import check_upgrade
from smsportal.upgrade_check import plan, report
from smsportal.upgrade_check.costs import Size
from tests.upgrade import databases

pytestmark = pytest.mark.django_db


def check() -> tuple[int, str]:
    """The exit code, and all that was said."""
    output = StringIO()
    try:
        call_command("check_upgrade", stdout=output, stderr=output)
    except SystemExit as ended:
        return int(str(ended.code)), output.getvalue()
    return 0, output.getvalue()


def unapply(app: str, first: str) -> None:
    """Let this migration and all later ones of the app be to come."""
    recorder = MigrationRecorder(connection)
    for one_app, name in list(recorder.applied_migrations()):
        if one_app == app and name >= first:
            recorder.record_unapplied(app, name)


def pretend_size(monkeypatch: pytest.MonkeyPatch, size: Size) -> None:
    """Let every table have this size."""
    monkeypatch.setattr(plan, "size_of", cache(lambda table: size))


@pytest.fixture(autouse=True)
def no_backups(settings: Settings) -> None:
    settings.BACKUP_DIR = ""


@pytest.fixture(autouse=True)
def constraints_may_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    """SQLite's schema editor starts in no transaction, such as the test's, unless told this."""
    monkeypatch.setattr(connection, "disable_constraint_checking", lambda: True)


def test_nothing_is_to_come() -> None:
    code, said = check()
    assert code == 0
    assert "No migration is to come" in said
    assert "Nothing stands in the way." in said


def test_index_of_a_large_table_is_told_with_its_time(monkeypatch: pytest.MonkeyPatch) -> None:
    unapply("otp", "0004_indexes_for_many_rows")
    pretend_size(monkeypatch, Size(3_000_000, 10**9))
    code, said = check()
    assert code == 0
    assert "Migrations to come: 3" in said
    assert "otp.0004_indexes_for_many_rows: about" in said
    assert "otp_session gets an index" in said
    assert "Locked (writes to it wait): otp_session" in said


def test_small_tables_are_over_at_once() -> None:
    unapply("otp", "0005_sms_state")
    assert "otp.0005_sms_state: at once" in check()[1]


def test_what_the_version_before_would_miss_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    # The table of the former name has to exist, or nobody could miss it.
    tables = plan.present_tables() | {"lookup_numbernote"}
    monkeypatch.setattr(plan, "forget_sizes", lambda: None)
    monkeypatch.setattr(report, "forget_sizes", lambda: None)
    monkeypatch.setattr(plan, "present_tables", lambda: tables)
    pretend_size(monkeypatch, Size(0, 0))
    unapply("lookup", "0002_notes_of_every_kind")
    step = next(one for one in plan.steps() if one.name == "lookup.0002_notes_of_every_kind")
    assert any("lookup_numbernote" in one for one in step.contracts)
    if connection.vendor == "postgresql":
        assert "Stop the version before on every host first" in check()[1]


def test_additions_leave_the_version_before_running() -> None:
    unapply("otp", "0005_sms_state")
    said = check()[1]
    expected = {
        "sqlite": "the portal is stopped during the upgrade",
        "postgresql": "The version before may go on beside it",
    }
    assert expected[connection.vendor] in said


def test_migration_whose_statements_cannot_be_told(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: Any) -> Any:
        raise ValueError("no such constraint")

    unapply("otp", "0005_sms_state")
    monkeypatch.setattr("django.db.migrations.loader.MigrationLoader.collect_sql", fail)
    assert "otp.0005_sms_state: its statements are known only then (ValueError)" in check()[1]


def test_row_by_row_changes_are_estimated(monkeypatch: pytest.MonkeyPatch) -> None:
    pretend_size(monkeypatch, Size(1_000_000, 10**9))
    unapply("rentals", "0003_hand_overs")
    assert "data may be changed row by row" in check()[1]


class TestProblems:
    def test_newer_database(self) -> None:
        MigrationRecorder(connection).record_applied("core", "9999_later")
        code, said = check()
        assert code == 1
        assert "First: The database is of a newer version, which made core.9999_later." in said

    def test_too_little_space(self, monkeypatch: pytest.MonkeyPatch) -> None:
        if connection.vendor != "sqlite":
            pytest.skip("the disk of a server cannot be asked")
        Usage = namedtuple("Usage", "total used free")
        monkeypatch.setattr(shutil, "disk_usage", lambda _: Usage(10, 5, 1_000))
        pretend_size(monkeypatch, Size(1_000_000, 10**9))
        unapply("otp", "0004_indexes_for_many_rows")
        code, said = check()
        assert code == 1
        assert "1000 bytes free, and the upgrade needs" in said

    @pytest.mark.parametrize(
        ("hours", "code", "words"),
        [(1, 0, "1.0 hours ago"), (30, 1, "older than a day"), (None, 1, "There is no backup")],
    )
    def test_backup(
        self,
        hours: int | None,
        code: int,
        words: str,
        settings: Settings,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        settings.BACKUP_DIR = "/backups"
        made = None if hours is None else timezone.now() - timedelta(hours=hours)
        monkeypatch.setattr(report, "newest_backup", lambda: made)
        unapply("otp", "0005_sms_state")
        found, said = check()
        assert found == code
        assert words in said

    def test_backup_does_not_matter_without_migrations(self, settings: Settings) -> None:
        settings.BACKUP_DIR = "/backups"
        assert check()[0] == 0

    def test_database_that_cannot_be_asked(self, monkeypatch: pytest.MonkeyPatch) -> None:
        def fail() -> None:
            raise DatabaseError("the server is away")

        monkeypatch.setattr(check_upgrade, "make_report", fail)
        code, said = check()
        assert code not in (0, 1)
        assert "the server is away" in said


def test_nothing_is_changed() -> None:
    unapply("otp", "0004_indexes_for_many_rows")
    before = databases.all_rows()
    check()
    assert databases.all_rows() == before


def test_missing_file_is_not_made(tmp_path: Path) -> None:
    if connection.vendor != "sqlite":
        pytest.skip("a server has the database already")
    name = connection.settings_dict["NAME"]
    try:
        connection.settings_dict["NAME"] = str(tmp_path / "none.sqlite3")
        assert check()[1].startswith("There is no database yet.")
    finally:
        connection.settings_dict["NAME"] = name
    assert list(tmp_path.iterdir()) == []


def test_portal_passes_its_code_on(monkeypatch: pytest.MonkeyPatch) -> None:
    ran: list[Any] = []

    def run(command: Any, **_: Any) -> Any:
        ran.append(command)
        return subprocess.CompletedProcess(command, 1)

    monkeypatch.setattr(subprocess, "run", run)
    assert portal.main(["--check-upgrade"]) == 1
    assert ran == [(sys.executable, str(BASE_DIR / "manage.py"), "check_upgrade")]
