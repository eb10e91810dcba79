"""Copies of an SQLite file, made and put in place."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest

from smsportal.backup import BackupError, sqlite
from smsportal.backup.contents import Contents, examine

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


@pytest.fixture
def database(tmp_path: Path) -> Path:
    path = tmp_path / "portal.sqlite3"
    with closing(sqlite3.connect(path)) as opened:
        opened.execute("PRAGMA journal_mode=WAL")
        opened.execute("CREATE TABLE one (id INTEGER PRIMARY KEY, text TEXT)")
        opened.executemany("INSERT INTO one (text) VALUES (?)", [("x" * 500,)] * 500)
        opened.commit()
    return path


@pytest.fixture
def target(database: Path, monkeypatch: pytest.MonkeyPatch) -> sqlite.Target:
    monkeypatch.setattr(sqlite, "database_path", lambda: database)
    return sqlite.Target(NOW)


def test_copy_has_what_is_only_in_the_log_and_no_log_of_its_own(
    database: Path, tmp_path: Path
) -> None:
    copied = tmp_path / "copy"
    with closing(sqlite3.connect(database)) as writer:
        writer.execute("INSERT INTO one (text) VALUES ('new')")
        writer.commit()
        found = sqlite.copy(database, copied)
    assert found.counts == {"one": 501}
    assert sqlite.verify(copied) == found
    assert [file.name for file in tmp_path.glob("copy*")] == ["copy"]
    assert copied.stat().st_mode & 0o777 == 0o600
    # Byte 18 of the header: 1 is a rollback journal, 2 is a write-ahead log.
    assert copied.read_bytes()[18] == 1


def test_counts_and_copy_are_of_one_moment(
    database: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def write_after_counting(*arguments: object) -> Contents:
        found = examine(*arguments)  # type: ignore[arg-type]
        with closing(sqlite3.connect(database)) as writer:
            writer.execute("INSERT INTO one (text) VALUES ('late')")
            writer.commit()
        return found

    monkeypatch.setattr(sqlite, "examine", write_after_counting)
    found = sqlite.copy(database, tmp_path / "copy")
    monkeypatch.undo()
    assert sqlite.verify(tmp_path / "copy").counts == found.counts == {"one": 500}


def test_missing_database_is_not_created(tmp_path: Path) -> None:
    with pytest.raises(sqlite3.OperationalError):
        sqlite.copy(tmp_path / "none", tmp_path / "copy")
    assert not (tmp_path / "none").exists()


def test_damaged_copy_is_noticed(database: Path) -> None:
    with database.open("r+b") as file:
        file.seek(3 * 4096)
        file.write(os.urandom(4096 * 4))
    with pytest.raises(BackupError, match="damaged"):
        sqlite.verify(database)


def test_open_database_is_in_use(database: Path, target: sqlite.Target) -> None:
    with closing(sqlite3.connect(database)) as other:
        other.execute("SELECT count(*) FROM one").fetchone()
        with pytest.raises(BackupError, match="Stop the portal"):
            target.require_idle()
    target.require_idle()


def test_database_that_was_opened_meanwhile_is_not_replaced(
    database: Path, target: sqlite.Target, tmp_path: Path
) -> None:
    sqlite.copy(database, tmp_path / "copy")
    with (
        target.stage([(tmp_path / "copy").read_bytes()]),
        closing(sqlite3.connect(database)) as other,
    ):
        other.execute("PRAGMA journal_mode=WAL")
        other.execute("INSERT INTO one (text) VALUES ('new')")
        other.commit()
        with pytest.raises(BackupError, match="Stop the portal"):
            target.swap()
    assert sqlite.verify(database).counts == {"one": 501}
    assert list(tmp_path.glob("*before-restore*")) == []


def test_former_file_is_kept_whole_and_the_new_one_has_its_mode(
    database: Path, target: sqlite.Target, tmp_path: Path
) -> None:
    database.chmod(0o640)
    sqlite.copy(database, tmp_path / "copy")
    with closing(sqlite3.connect(database)) as opened:
        opened.execute("DELETE FROM one WHERE id > 10")
        opened.commit()
    with target.stage([(tmp_path / "copy").read_bytes()]) as staged:
        assert staged.counts == {"one": 500}
        kept = target.swap()
    assert kept == f"{database}.before-restore-20260102T030405Z"
    assert sqlite.verify(Path(kept)).counts == {"one": 10}
    assert sqlite.verify(database).counts == {"one": 500}
    assert database.stat().st_mode & 0o777 == 0o640
    assert sorted(file.name for file in tmp_path.glob("portal*")) == [
        "portal.sqlite3",
        "portal.sqlite3.before-restore-20260102T030405Z",
    ]


def test_log_of_a_damaged_database_does_not_stay_beside_the_new_one(
    database: Path, target: sqlite.Target, tmp_path: Path
) -> None:
    sqlite.copy(database, tmp_path / "copy")
    database.write_bytes(b"damaged" * 1000)
    Path(f"{database}-wal").write_bytes(b"a log")
    assert target.contents() is None
    with target.stage([(tmp_path / "copy").read_bytes()]):
        kept = target.swap()
    assert sqlite.verify(database).counts == {"one": 500}
    assert Path(kept).read_bytes().startswith(b"damaged")
    assert Path(f"{kept}-wal").exists()
    assert not Path(f"{database}-wal").exists()


def test_missing_database_is_empty_and_gets_a_private_file(tmp_path: Path, database: Path) -> None:
    copied = tmp_path / "copy"
    sqlite.copy(database, copied)
    target = sqlite.Target(NOW)
    target.path = tmp_path / "new" / "portal.sqlite3"
    target.staged = tmp_path / "new" / "staged"
    found = target.contents()
    assert found is not None
    assert found.is_empty
    with target.stage([copied.read_bytes()]):
        assert target.swap() == ""
    assert target.path.stat().st_mode & 0o777 == 0o600


def test_file_that_is_no_database_is_refused_and_removed(
    database: Path, target: sqlite.Target
) -> None:
    with pytest.raises(BackupError, match="damaged"), target.stage([b"no database" * 1000]):
        pass
    assert not target.staged.exists()
    assert sqlite.verify(database).counts == {"one": 500}
