"""The time and memory that `manage.py move_database` needs for a large database.

python -m benchmarks.moves [messages] [--keep FOLDER]

The other tables have shares of the messages, as in `benchmarks.pages`, which can also use the kept
SQLite database. It is copied before the move. The server has PostgreSQL's defaults. One move is
killed halfway, and the next one starts again.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from tests.database import NOT_FOUND, Server, server_binaries

from . import portal

MESSAGES: Final = 200_000
KILOBYTES: Final = 1024
"""Of a megabyte."""
DEFAULTS: Final = {
    "fsync": "on",
    "synchronous_commit": "on",
    "full_page_writes": "on",
    "autovacuum": "on",
}
ROWS: Final = re.compile(r"^\w+ +([\d,]+)  [0-9a-f]{16}$", re.MULTILINE)


def main() -> None:
    folder, kept = portal.begin_filled("Moving {messages:,} messages", MESSAGES)
    portal.close()
    source = folder / "moved.sqlite3"
    with _server() as url:
        os.environ["DATABASE_URL"] = url
        _measure(kept or folder / "portal.sqlite3", source)


def _measure(filled: Path, source: Path) -> None:
    shutil.copyfile(filled, source)
    print(f"  SQLite file: {source.stat().st_size / KILOBYTES**2:.0f} MB", flush=True)
    whole = _move(source)
    _empty()
    shutil.copyfile(filled, source)
    _move(source, killed_after=whole / 2)
    _move(source)


def _move(source: Path, killed_after: float | None = None) -> float:
    """Returns its seconds."""
    began = time.perf_counter()
    command = [sys.executable, "manage.py", "move_database", "--from", str(source)]
    with tempfile.TemporaryFile("w+") as output:
        process = subprocess.Popen(command, stdout=output)
        if killed_after is not None:
            time.sleep(killed_after)
            process.send_signal(signal.SIGKILL)
        _pid, status, used = os.wait4(process.pid, 0)
        taken = time.perf_counter() - began
        output.seek(0)
        text = output.read()
    code = os.waitstatus_to_exitcode(status)
    process.returncode = code
    if killed_after is not None:
        print(f"  killed after {taken:.0f} s, with code {code}", flush=True)
        return taken
    if code != 0:
        raise RuntimeError(f"The move ended with code {code}:\n{text}")
    rows = sum(int(one.replace(",", "")) for one in ROWS.findall(text))
    print(
        f"  {rows:,} rows in {taken:.0f} s ({used.ru_utime + used.ru_stime:.0f} s of CPU here),"
        f" {rows / taken:,.0f} a second, {used.ru_maxrss / KILOBYTES:.0f} MB at the most",
        flush=True,
    )
    return taken


def _empty() -> None:
    import psycopg

    address = os.environ["DATABASE_URL"].replace("postgres://", "postgresql://", 1)
    with psycopg.connect(address, autocommit=True) as connection:
        size = connection.execute("SELECT pg_database_size(current_database())").fetchone()
        print(f"  PostgreSQL: {size[0] / KILOBYTES**2:.0f} MB" if size else "", flush=True)
        connection.execute("DROP SCHEMA public CASCADE")
        connection.execute("CREATE SCHEMA public")


@contextmanager
def _server() -> Iterator[str]:
    """A new one, so that its settings are known."""
    for binaries in server_binaries():
        with tempfile.TemporaryDirectory(prefix="smsportal-pg-", dir="/tmp") as folder:
            server = Server(binaries, Path(folder), **DEFAULTS)
            try:
                if server.start():
                    yield server.url
                    return
            finally:
                server.stop()
    print(NOT_FOUND, flush=True)
    raise SystemExit(1)


if __name__ == "__main__":
    main()
