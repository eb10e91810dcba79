"""`manage.py backup` on the real database, with the real pg_dump."""

from __future__ import annotations

import os
import signal
import sqlite3
import stat
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
from django.core.management.base import CommandError
from django.db import connection
from pytest_django import Settings

from providers.models import Fence, Heartbeat, TaskLease
from providers.task_leases import hold_task_lease
from smsportal.backup import BackupError, manifest, pg_tools, postgresql, sqlite
from smsportal.backup.contents import Contents
from smsportal.backup.keys import current
from tests.factories.messages import make_message
from tests.smsportal.backup.conftest import PASSPHRASE, Portal
from tests.support.wait_until import wait_until


def plain_bytes(folder: Path) -> bytes:
    return b"".join(file.read_bytes() for file in folder.iterdir())


class TestContents:
    def test_manifest_lists_its_contents(self, portal: Portal) -> None:
        message = make_message()
        Fence.objects.update_or_create(pk=1, defaults={"counter": 7, "identity": "the server"})
        output = portal.backup()
        made = portal.manifest()
        assert made.counts["messaging_message"] == 1
        assert made.newest["messaging_message"]["id"] == message.pk
        assert made.newest["messaging_message"]["at"][:16] == message.created_at.isoformat()[:16]
        assert made.fence == {"counter": 7, "identity": "the server"}
        assert made.database["kind"] == connection.vendor
        assert made.database["server"]
        assert "providers.0002_hold_and_hosts" in made.migrations
        assert made.verified_at
        assert "verified: 1 message, 0 batches" in output

    def test_newest_heartbeat_names_the_last_backup(self, portal: Portal) -> None:
        portal.backup()
        assert Heartbeat.objects.get(name="backup").detail == portal.newest.name

    def test_database_without_tables_is_refused(self, portal: Portal) -> None:
        with connection.cursor() as cursor:
            cursor.execute("DROP TABLE providers_tasklease")
        with pytest.raises(CommandError, match="nothing to back up"):
            portal.backup()


class TestKeys:
    def test_without_a_passphrase_they_are_left_out_with_a_notice(self, portal: Portal) -> None:
        output = portal.backup()
        assert "THE KEYS ARE NOT IN IT" in output
        assert len(portal.manifest().files) == 1
        for value in current().values():
            assert value.encode() not in plain_bytes(portal.newest)

    def test_with_a_passphrase_keys_and_database_are_encrypted(
        self, portal: Portal, passphrase: str
    ) -> None:
        make_message(text="a text to look for")
        output = portal.backup("--passphrase-file", passphrase)
        assert sorted(portal.manifest().files) == ["database.enc", "keys.enc"]
        found = plain_bytes(portal.newest)
        for value in (*current().values(), PASSPHRASE, "a text to look for", "messaging_message ("):
            assert value.encode() not in found
            assert value not in output

    def test_they_can_be_left_out_of_an_encrypted_backup(
        self, portal: Portal, passphrase: str
    ) -> None:
        output = portal.backup("--passphrase-file", passphrase, "--without-keys")
        assert list(portal.manifest().files) == ["database.enc"]
        assert "THE KEYS ARE NOT IN IT" in output

    def test_short_or_missing_passphrase_is_refused(self, portal: Portal, tmp_path: Path) -> None:
        short = tmp_path / "short"
        short.write_text("short")
        with pytest.raises(CommandError, match="at least 12 characters"):
            portal.backup("--passphrase-file", str(short))
        with pytest.raises(CommandError, match="cannot be read"):
            portal.backup("--passphrase-file", str(tmp_path / "none"))


class TestFolder:
    @pytest.mark.parametrize("umask", [0o000, 0o077])
    def test_only_the_owner_can_read_it(self, portal: Portal, umask: int) -> None:
        before = os.umask(umask)
        try:
            portal.backup()
        finally:
            os.umask(before)
        paths = [portal.newest, *portal.newest.iterdir()]
        assert {stat.S_IMODE(path.stat().st_mode) & 0o077 for path in paths} == {0}

    def test_oldest_are_removed_after_the_new_one_is_verified(
        self, portal: Portal, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        for _ in range(2):
            portal.backup()
            time.sleep(1.1)
        before = portal.names
        with monkeypatch.context() as patched:
            patched.setattr(manifest, "check_files", refuse)
            with pytest.raises(CommandError, match="is damaged"):
                portal.backup("--keep", "1")
        assert portal.names == before
        output = portal.backup("--keep", "1")
        assert len(portal.names) == 1
        assert portal.newest.name not in before
        assert all(name in output for name in before)

    def test_folder_must_be_named(self, portal: Portal, settings: Settings) -> None:
        from django.core.management import call_command

        settings.BACKUP_DIR = ""
        with pytest.raises(CommandError, match="--to"):
            call_command("backup")

    def test_folder_that_cannot_be_written_is_one_sentence(self, portal: Portal) -> None:
        portal.backups.write_text("a file")
        with pytest.raises(CommandError, match="backups: "):
            portal.backup()


def refuse(*_: object) -> None:
    raise BackupError("A file is damaged.")


def test_copy_that_lacks_a_row_is_refused(portal: Portal, monkeypatch: pytest.MonkeyPatch) -> None:
    make_message()
    verify, count_rows = sqlite.verify, postgresql.count_rows

    def verify_with_less(path: Path) -> Contents:
        with closing(sqlite3.connect(path)) as copied:
            copied.execute("DELETE FROM messaging_message")
            copied.commit()
        return verify(path)

    def count_less(pieces: Iterable[bytes]) -> dict[str, int]:
        return {**count_rows(pieces), "messaging_message": 0}

    monkeypatch.setattr(sqlite, "verify", verify_with_less)
    monkeypatch.setattr(postgresql, "count_rows", count_less)
    with pytest.raises(CommandError, match="differs in messaging_message"):
        portal.backup()
    assert portal.names == []


class TestOneAtATime:
    def test_second_backup_is_refused(self, portal: Portal) -> None:
        with (
            hold_task_lease("backup", seconds=60),
            pytest.raises(CommandError, match="Another backup is running"),
        ):
            portal.backup()
        portal.backup()

    def test_lease_is_free_again_afterwards(self, portal: Portal) -> None:
        portal.backup()
        assert TaskLease.objects.get(name="backup").holder == ""


WRITER = """
import sys, time
if sys.argv[1] == "sqlite":
    import sqlite3
    connection = sqlite3.connect(sys.argv[2], timeout=20, isolation_level=None)
else:
    import psycopg
    connection = psycopg.connect(sys.argv[2], autocommit=True)
number = 0
while True:
    connection.execute("BEGIN")
    connection.execute("INSERT INTO providers_heartbeat (name, beat_at, detail)"
                       f" VALUES ('writer {number}', '2026-01-01', '')")
    connection.execute("INSERT INTO providers_tasklease (name, holder, expires_at)"
                       f" VALUES ('writer {number}', '', 0)")
    connection.execute("COMMIT")
    number += 1
    time.sleep(0.002)
    if number == 20: print("writes", flush=True)
"""


@pytest.fixture
def writer(portal: Portal) -> Iterator[subprocess.Popen[bytes]]:
    """Another process that writes one row each to two tables, again and again, in a transaction."""
    if connection.vendor == "sqlite":
        named = str(connection.settings_dict["NAME"])
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")  # Turns the write-ahead log on.
    else:
        parameters = connection.get_connection_params()
        words = ("host", "port", "user", "password", "dbname")
        named = " ".join(f"{name}={parameters[name]}" for name in words if parameters.get(name))
    process = subprocess.Popen(
        [sys.executable, "-c", WRITER, connection.vendor, named], stdout=subprocess.PIPE
    )
    assert process.stdout is not None
    assert process.stdout.readline() == b"writes\n"
    yield process
    process.kill()
    process.wait()
    process.stdout.close()


def test_backup_beside_a_writer_is_of_one_moment(
    portal: Portal, writer: subprocess.Popen[bytes]
) -> None:
    # Rows that make the copy take longer than one transaction of the writer.
    TaskLease.objects.bulk_create(TaskLease(name=f"old {n}") for n in range(2000))
    Heartbeat.objects.bulk_create(
        Heartbeat(name=f"old {n}", beat_at="2026-01-01T00:00Z") for n in range(2000)
    )
    written = Heartbeat.objects.filter(name__startswith="writer")
    before = written.count()
    portal.backup()
    assert written.count() > before
    counts = portal.manifest().counts
    # The backup's own lease is the one that has no heartbeat beside it.
    assert counts["providers_tasklease"] == counts["providers_heartbeat"] + 1 > 2020


@pytest.mark.slow
def test_killed_backup_leaves_nothing_that_looks_whole(portal: Portal, passphrase: str) -> None:
    TaskLease.objects.bulk_create(TaskLease(name=f"old {n}") for n in range(20_000))
    arguments = ("backup", "--to", str(portal.backups), "--passphrase-file", passphrase)
    for delay in (0.0, 0.02, 0.1, 0.3):
        process = portal.process(*arguments)
        wait_until(lambda: portal.backups.is_dir() and portal.names)
        time.sleep(delay)
        process.send_signal(signal.SIGKILL)
        process.communicate()
        whole = [name for name in portal.names if not name.startswith(".")]
        assert whole == [], f"it ended within {delay} s"
        TaskLease.objects.filter(name="backup").update(expires_at=0)
    portal.backup()
    assert portal.names == [portal.newest.name]
    if connection.vendor == "sqlite":
        data = Path(str(connection.settings_dict["NAME"])).parent
        assert list(data.glob(".smsportal*")) == []


SPY = """#!/bin/sh
case "$1" in --version) exec {real} --version;; esac
tr '\\0' '\\n' < /proc/$$/cmdline > {folder}/argv
tr '\\0' '\\n' < /proc/$$/environ > {folder}/environ
exec {real} "$@"
"""


def test_pg_dump_gets_the_password_without_showing_it(
    portal: Portal, settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if connection.vendor != "postgresql":
        pytest.skip("only PostgreSQL is copied by a program")
    spies = tmp_path / "spies"
    spies.mkdir()
    for name in ("pg_dump", "pg_restore"):
        real = pg_tools.find(name, connection.pg_version)  # type: ignore[attr-defined]
        (spies / name).write_text(SPY.format(real=real, folder=spies))
        (spies / name).chmod(0o755)
    settings.POSTGRESQL_BIN = str(spies)
    monkeypatch.setenv("BACKUP_PASSPHRASE", "a passphrase of the environment")
    monkeypatch.setitem(connection.settings_dict, "PASSWORD", "a-password")
    # Only pg_dump: pg_restore reads a file and connects to nothing.
    (spies / "pg_restore").unlink()
    with pytest.raises(CommandError, match="pg_restore was not found"):
        portal.backup()
    argv, environ = (spies / "argv").read_text(), (spies / "environ").read_text()
    assert "pg_dump" in argv
    assert "a-password" not in argv
    assert "PGPASSWORD=a-password" in environ
    for value in (*current().values(), "a passphrase of the environment"):
        assert value not in argv + environ


@pytest.mark.slow
def test_command_in_a_process_prints_no_secret(portal: Portal) -> None:
    make_message()
    arguments = ("backup", "--to", str(portal.backups))
    output = b"".join(portal.process(*arguments, BACKUP_PASSPHRASE=PASSPHRASE).communicate())
    assert len(portal.names) == 1
    for value in (*current().values(), PASSPHRASE):
        assert value.encode() not in output
