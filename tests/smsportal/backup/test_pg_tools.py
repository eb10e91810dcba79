"""The programs of PostgreSQL: which one is used, its arguments, and how it fails."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from pytest_django import Settings

from smsportal.backup import BackupError, pg_tools
from smsportal.backup.pg_script import count_rows


def program(folder: Path, version: str) -> Path:
    folder.mkdir(exist_ok=True)
    file = folder / "pg_dump"
    file.write_text(f"#!/bin/sh\necho 'pg_dump (PostgreSQL) {version}'\n")
    file.chmod(0o755)
    return file


@pytest.fixture(autouse=True)
def no_machine(settings: Settings, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    settings.POSTGRESQL_BIN = ""
    monkeypatch.setenv("PATH", f"{tmp_path}/path:/usr/bin:/bin")
    monkeypatch.setattr(pg_tools, "DEBIAN", tmp_path / "debian")


def test_program_on_the_path_is_taken(tmp_path: Path) -> None:
    file = program(tmp_path / "path", "15.4")
    assert pg_tools.find("pg_dump", 150_014) == str(file)


def test_newer_one_elsewhere_is_taken_if_that_on_the_path_is_too_old(tmp_path: Path) -> None:
    program(tmp_path / "path", "15.4")
    (tmp_path / "debian" / "17").mkdir(parents=True)
    newer = program(tmp_path / "debian" / "17" / "bin", "17.2 (Debian 17.2-1)")
    assert pg_tools.find("pg_dump", 160_001) == str(newer)


def test_program_that_is_older_than_the_server_is_refused(tmp_path: Path) -> None:
    program(tmp_path / "path", "15.4")
    with pytest.raises(BackupError, match="is of version 15, and the server of 16"):
        pg_tools.find("pg_dump", 160_001)


def test_setting_overrides_the_path(tmp_path: Path, settings: Settings) -> None:
    program(tmp_path / "path", "17.0")
    settings.POSTGRESQL_BIN = str(tmp_path / "own")
    with pytest.raises(BackupError, match="was not found"):
        pg_tools.find("pg_dump", 150_000)
    own = program(tmp_path / "own", "15.1")
    assert pg_tools.find("pg_dump", 150_000) == str(own)


def test_connection_goes_by_variables_and_no_secret_is_an_argument() -> None:
    variables, arguments = pg_tools.environment(
        {
            "host": "/run/postgresql",
            "port": 5433,
            "dbname": "portal",
            "user": "portal",
            "password": "a secret",
            "sslmode": "verify-full",
            "sslrootcert": "/etc/ca.pem",
            "options": "-c search_path=portal",
            "keepalives_idle": 30,
            "cursor_factory": object,
        }
    )
    expected = {
        "PGHOST": "/run/postgresql",
        "PGPORT": "5433",
        "PGDATABASE": "portal",
        "PGUSER": "portal",
        "PGPASSWORD": "a secret",
        "PGSSLMODE": "verify-full",
        "PGSSLROOTCERT": "/etc/ca.pem",
        "PGOPTIONS": "-c search_path=portal",
    }
    assert {name: variables[name] for name in expected} == expected
    assert arguments == ["--dbname=keepalives_idle='30'"]


def test_secret_that_has_no_variable_is_refused() -> None:
    with pytest.raises(BackupError, match="sslpassword"):
        pg_tools.environment({"sslpassword": "a secret"})


def test_programs_do_not_see_the_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BACKUP_PASSPHRASE", "a passphrase")
    variables, _ = pg_tools.environment({})
    assert not {"SECRET_KEY", "SECRETS_KEYS", "BACKUP_PASSPHRASE", "DATABASE_URL"} & set(variables)
    assert "PATH" in variables


def python(code: str) -> list[str]:
    return [sys.executable, "-c", code]


def test_failed_program_is_one_sentence_with_its_last_line() -> None:
    code = "import sys; print('some'); sys.exit('first\\nthe reason')"
    with (
        pytest.raises(BackupError, match=r"failed: the reason$"),
        pg_tools.output_of(python(code), {}) as output,
    ):
        assert output.read() == b"some\n"


def test_large_input_and_output_do_not_block_each_other() -> None:
    echo = "import sys, shutil; shutil.copyfileobj(sys.stdin.buffer, sys.stdout.buffer)"
    pieces = [bytes(100_000)] * 100
    with pg_tools.output_of(python(echo), {}, pieces) as output:
        assert sum(map(len, pg_tools.chunks_of(output))) == 10_000_000


def test_broken_input_is_the_reported_reason() -> None:
    def pieces() -> Iterator[bytes]:
        yield b"some"
        raise BackupError("The passphrase is wrong.")

    code = "import sys; sys.stdin.read(); sys.exit('input file is too short')"
    with (
        pytest.raises(BackupError, match="passphrase"),
        pg_tools.output_of(python(code), {}, pieces()) as output,
    ):
        count_rows([*output, b"COPY public.one (id) FROM stdin;\n"])  # which fails, too
