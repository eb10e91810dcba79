"""`manage.py move_database`: what arrives, what is refused, and what a failure leaves."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime
from decimal import Decimal
from io import StringIO
from pathlib import Path

import pytest
from django.contrib.sessions.models import Session
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import DatabaseError, connection, transaction
from django.utils import timezone
from pytest_django import DjangoDbBlocker

from audit import chain
from audit.models import ChainCheck
from core.models import Act
from messaging.models import Message
from providers.hold import fence, fence_files, identity, verdict
from providers.models import ApiCall, Callback, Credential, Fence, TaskLease
from smsportal.moves import move, tables
from tests.smsportal.moves.conftest import empty_target
from tests.upgrade import databases

on_postgresql = pytest.mark.skipif(
    connection.vendor != "postgresql", reason="the portal moves to PostgreSQL"
)
pytestmark = [pytest.mark.slow, pytest.mark.each_database, on_postgresql]

SQLITE_TABLES = "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite%'"
HOSTILE_JSON = (
    '[{"n": 1.10, "big": 12345678901234567890123, "x": "\\u0000\\ud83d", "e": 1e400, "n": 1.10}]'
)


def run(*arguments: str) -> str:
    output = StringIO()
    call_command("move_database", *arguments, stdout=output)
    return output.getvalue()


def change(path: Path, *statements: str) -> None:
    """Change the SQLite database as no code of the portal would."""
    with closing(sqlite3.connect(path)) as opened, opened:
        for statement in statements:
            opened.execute(statement)


def present() -> list[str]:
    """What is on the server but for its own schemas."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT nspname || '.' || relname FROM pg_class JOIN pg_namespace"
            " ON relnamespace = pg_namespace.oid"
            " WHERE nspname !~ '^pg_|information_schema|prepared'"
        )
        return [name for (name,) in cursor.fetchall()]


def assert_nothing_moved(source: Path, digest: bytes) -> None:
    assert present() == []
    assert source.read_bytes() == digest


@pytest.mark.usefixtures("target")
class TestWhatArrives:
    def test_every_row_of_every_table(self, source: Path) -> None:
        with closing(sqlite3.connect(source)) as opened:
            counts = {
                name: opened.execute(f'SELECT count(*) FROM "{name}"').fetchone()[0]
                for (name,) in opened.execute(SQLITE_TABLES)
            }
        assert sum(counts.values()) > 700
        output = run()
        # The act of the move itself.
        counts["core_act"] += 1
        with connection.cursor() as cursor:
            for name, count in counts.items():
                cursor.execute(f'SELECT count(*) FROM "{name}"')
                assert cursor.fetchone() == (count,), name
                assert f"\n{name} " in output
        assert all(bool(one.value.reveal()) for one in Credential.objects.all())
        assert "equal on both sides" in output
        assert not source.exists()
        assert len(list(source.parent.glob("portal.sqlite3.moved-*"))) == 1

    def test_hostile_values_are_the_same(self, source: Path) -> None:
        with closing(sqlite3.connect(source)) as opened, opened:
            (call,) = opened.execute("SELECT min(id) FROM providers_apicall").fetchone()
            (callback,) = opened.execute("SELECT min(id) FROM providers_callback").fetchone()
            (reading,) = opened.execute("SELECT min(id) FROM providers_balancereading").fetchone()
            opened.execute(
                "UPDATE providers_apicall SET answer_body = ?, started_at = ?, duration = ?"
                " WHERE id = ?",
                (
                    "a\\b\tc\n\\N \U0001f600 \x00 end\\.",
                    "2026-03-29 01:59:59.000001",
                    0.1 + 0.2,
                    call,
                ),
            )
            opened.execute(
                "UPDATE providers_callback SET body = ?, outcomes = ? WHERE id = ?",
                (
                    bytes(range(256)),
                    HOSTILE_JSON,
                    callback,
                ),
            )
            opened.execute(
                "UPDATE providers_balancereading SET balance = '0.10' WHERE id = ?", (reading,)
            )
        output = run()
        moved = ApiCall.objects.get(pk=call)
        assert moved.answer_body == "a\\b\tc\n\\N \U0001f600 ␀ end\\."
        assert moved.started_at == datetime(2026, 3, 29, 1, 59, 59, 1, tzinfo=UTC)
        assert moved.duration == 0.1 + 0.2
        received = Callback.objects.get(pk=callback)
        assert bytes(received.body) == bytes(range(256))
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT outcomes::text FROM providers_callback WHERE id = %s", [callback]
            )
            (stored,) = cursor.fetchone()
        assert '"n": 1.10' in stored
        assert '"big": 12345678901234567890123' in stored
        assert received.outcomes[0]["x"] == "␀\\ud83d"
        with connection.cursor() as cursor:
            cursor.execute("SELECT balance FROM providers_balancereading WHERE id = %s", [reading])
            assert cursor.fetchone() == (Decimal("0.1"),)
        assert "providers_apicall.answer_body: 1 values had null characters" in output
        assert "providers_callback.outcomes: 1 values" in output

    def test_new_rows_get_ids_that_were_never_used(self, source: Path) -> None:
        change(source, "UPDATE sqlite_sequence SET seq = 90000 WHERE name = 'messaging_message'")
        run()
        with connection.cursor() as cursor:
            cursor.execute("SELECT nextval(pg_get_serial_sequence('messaging_message', 'id'))")
            assert cursor.fetchone() == (90001,)

    def test_guards_of_the_database_are_at_work(self, source: Path) -> None:
        run()
        assert identity.is_complete()
        with pytest.raises(DatabaseError, match="only added to"), transaction.atomic():
            Act.objects.all().delete()
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT count(*), count(*) FILTER (WHERE tgenabled = 'D') FROM pg_trigger"
                " JOIN pg_class ON pg_class.oid = tgrelid"
                " WHERE NOT tgisinternal AND relnamespace = 'public'::regnamespace"
            )
            present, disabled = cursor.fetchone()
        assert present > 10
        assert disabled == 0
        with pytest.raises(DatabaseError), transaction.atomic():
            Message.objects.filter(pk=1).update(account_id=0)

    def test_chain_of_the_audit_log_is_whole(self, source: Path) -> None:
        run()
        check = ChainCheck.objects.create()
        chain.go_on(check)
        check.refresh_from_db()
        assert check.ended_at is not None
        assert check.breaks == []
        assert Act.objects.latest("pk").what == "database.move"

    def test_sessions_stay_behind_on_request(self, source: Path) -> None:
        output = run("--without-sessions")
        assert Session.objects.count() == 0
        assert "Left behind as told: django_session." in output


@pytest.mark.usefixtures("target")
class TestPast:
    @pytest.fixture(autouse=True)
    def fresh_memory(self) -> Iterator[None]:
        fence.forget()
        yield
        fence.forget()

    def test_move_after_a_stop_needs_no_hold(self, source: Path) -> None:
        self.set_counter(source, 41)
        fence_files.write(41, "")
        output = run()
        assert "on hold" not in output
        decision = verdict.decide_at_start()
        assert decision.cause is None
        assert Fence.objects.get().counter == 41

    def test_file_that_nothing_shows_to_be_the_newest_is_held(self, source: Path) -> None:
        self.set_counter(source, 41)
        assert "puts what waits on hold: the database was restored" in run()
        decision = verdict.decide_at_start()
        assert decision.hold is not None
        assert Message.objects.filter(state="queued", batch=None).count() == 0

    def test_older_copy_of_the_file_is_held(self, source: Path) -> None:
        self.set_counter(source, 41)
        fence_files.write(42, "")
        assert "on hold: the database is older" in run()
        assert verdict.decide_at_start().hold is not None

    def test_leases_of_the_former_portal_are_free(self, source: Path) -> None:
        change(source, "UPDATE providers_tasklease SET holder = 'gone', expires_at = 9e12")
        run()
        assert TaskLease.objects.exclude(holder="").count() == 0

    def set_counter(self, source: Path, counter: int) -> None:
        change(
            source,
            "DELETE FROM providers_fence",
            "INSERT INTO providers_fence (id, counter, identity, restored_from, verdict, details)"
            f" VALUES (1, {counter}, '', '', '', '{{}}')",
        )


@pytest.mark.usefixtures("target")
class TestRefusals:
    @pytest.mark.parametrize(
        ("statement", "words"),
        [
            ("DELETE FROM django_migrations WHERE app = 'lookup'", "of an earlier version"),
            (
                "INSERT INTO django_migrations (app, name, applied) VALUES ('core', '9999_a', '')",
                "of a later version, which made core.9999_a",
            ),
            ("CREATE TABLE mine AS SELECT 1 AS one", "no part of the portal knows: mine"),
            ("UPDATE messaging_batch SET file_name = hex(zeroblob(500))", "file_name of the row"),
            ("UPDATE messaging_message SET account_id = 99999", "do not fit together"),
            ("UPDATE providers_apicall SET started_at = 'yesterday'", "providers_apicall"),
            ("UPDATE messaging_message SET answered_at = 'noon'", "differs: answered_at"),
            ("UPDATE messaging_message SET claim = 'x' WHERE id = 1", "cannot be read"),
            ("UPDATE providers_callback SET body = ''", "providers_callback: body of the row 1 "),
            ("UPDATE providers_account SET daily_limit = 'many'", "providers_account"),
        ],
    )
    def test_what_does_not_fit_is_named_and_nothing_moves(
        self, source: Path, statement: str, words: str
    ) -> None:
        change(source, "PRAGMA ignore_check_constraints = ON", statement)
        before = source.read_bytes()
        with pytest.raises(CommandError, match=f"Nothing was moved.*{words}"):
            run()
        assert_nothing_moved(source, before)

    def test_database_with_tables(self, source: Path) -> None:
        before = source.read_bytes()
        with connection.cursor() as cursor:
            cursor.execute("CREATE TABLE theirs (id int)")
        with pytest.raises(CommandError, match="not empty: its schema public has theirs"):
            run()
        assert present() == ["public.theirs"]
        assert source.read_bytes() == before

    def test_portal_that_runs(self, source: Path) -> None:
        now = timezone.now().astimezone(UTC).isoformat(" ").removesuffix("+00:00")
        change(source, f"UPDATE providers_host SET stopped_at = NULL, seen_at = '{now}'")
        with pytest.raises(CommandError, match=r"The portal is running.*Seen just now"):
            run()
        assert present() == []

    def test_file_that_another_process_has_open(self, source: Path) -> None:
        with closing(sqlite3.connect(source)) as opened:
            opened.execute("PRAGMA journal_mode=WAL")
            opened.execute("SELECT count(*) FROM core_act").fetchone()
            with pytest.raises(CommandError, match="The portal is running"):
                run()
        assert present() == []

    def test_file_is_closed_to_others_meanwhile(
        self, source: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        refused: list[str] = []

        def read(table: tables.Table) -> tables.Copied:
            with closing(sqlite3.connect(source, timeout=0)) as opened:
                try:
                    opened.execute("SELECT count(*) FROM core_act")
                except sqlite3.OperationalError as error:
                    refused.append(str(error))
            return copy(table)

        copy = tables.copy
        monkeypatch.setattr(tables, "copy", read)
        run()
        assert set(refused) == {"database is locked"}

    def test_no_file_and_a_file_of_something_else(self, data: Path) -> None:
        with pytest.raises(CommandError, match="There is no file"):
            run()
        other = data / "other.sqlite3"
        change(other, "CREATE TABLE other (id int)")
        with pytest.raises(CommandError, match="not a database of the portal"):
            run("--from", str(other))
        other.write_bytes(b"SQLite format 3\0" + b"\xff" * 4096)
        with pytest.raises(CommandError, match="is damaged"):
            run("--from", str(other))


@pytest.mark.usefixtures("target")
class TestFailures:
    def test_difference_is_found_and_undone(
        self, source: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        before = source.read_bytes()
        digest_of: Callable[[tables.Table], object] = tables.digest_of

        def after_a_change(table: tables.Table) -> object:
            with connection.cursor() as cursor:
                if table.name == "providers_apicall":
                    cursor.execute("UPDATE providers_apicall SET duration = duration + 1e-9")
            return digest_of(table)

        monkeypatch.setattr(tables, "digest_of", after_a_change)
        with pytest.raises(CommandError, match="providers_apicall is not the same"):
            run()
        assert_nothing_moved(source, before)

    def test_move_that_was_killed_may_be_repeated(self, source: Path) -> None:
        with connection.cursor() as cursor:
            cursor.execute("CREATE SCHEMA smsportal_restoring")
            cursor.execute("CREATE TABLE smsportal_restoring.core_act (id int)")
        run()
        assert Act.objects.filter(what="database.move").count() == 1

    def test_table_that_appears_meanwhile_stops_it(
        self, source: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def mark(path: Path, copied: list[tables.Copied]) -> str:
            with connection.cursor() as cursor:
                cursor.execute("CREATE TABLE public.theirs (id int)")
            return ""

        monkeypatch.setattr(move, "_mark", mark)
        with pytest.raises(CommandError, match="not empty"):
            run()
        assert present() == ["public.theirs"]
        assert source.exists()


@pytest.mark.long
def test_tables_are_those_of_all_migrations(
    source: Path, django_db_blocker: DjangoDbBlocker
) -> None:
    with django_db_blocker.unblock(), empty_target("test_move_migrated", "template0"):
        run()
        call_command("migrate", check_unapplied=True, stdout=StringIO())
        connection.check_constraints()
        assert set(databases.tables()) == {one.name for one in tables.all_tables()}
