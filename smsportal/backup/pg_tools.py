"""Find and run `pg_dump` and `pg_restore`, with the connection that the settings name."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any, Final, cast

from django.conf import settings
from psycopg import pq

from . import BackupError

DEBIAN: Final = Path("/usr/lib/postgresql")
CHUNK: Final = 1 << 20
KEPT: Final = re.compile(r"PATH|HOME|USER|LANG|LC_\w+|TZ|TMPDIR|LD_\w+|SSL_\w+|KRB5\w+|PG\w+")
"""What a child needs of our environment. It must not see the portal's keys."""


def find(name: str, server_version: int) -> str:
    """The path of `pg_dump` or `pg_restore` that is at least as new as the server."""
    found = {path: _major(path) for path in _candidates(name)}
    for path, major in found.items():
        if major >= server_version // 10_000:
            return path
    hint = "Install the server's client programs, or name their folder with POSTGRESQL_BIN."
    if not found:
        raise BackupError(f"{name} was not found. {hint}")
    newest = max(found.values())
    raise BackupError(
        f"{name} is of version {newest}, and the server of {server_version // 10_000}:"
        f" it must be at least as new. {hint}"
    )


def _candidates(name: str) -> Iterator[str]:
    if settings.POSTGRESQL_BIN:
        places = [Path(settings.POSTGRESQL_BIN)]
    else:
        on_path = shutil.which(name)
        places = [Path(on_path).parent] if on_path else []
        places += sorted(DEBIAN.glob("*/bin"), reverse=True)
    yield from (str(place / name) for place in places if os.access(place / name, os.X_OK))


def _major(path: str) -> int:
    answer = subprocess.run([path, "--version"], capture_output=True, text=True, check=False)  # noqa: S603
    number = re.search(r"\) (\d+)", answer.stdout)
    return int(number[1]) if number else 0


def environment(parameters: Mapping[str, Any]) -> tuple[dict[str, str], list[str]]:
    """The connection as variables for libpq, and as arguments what has no variable.

    Arguments are visible to every user of the machine, so no secret is among them.
    """
    known = {option.keyword.decode(): option for option in pq.Conninfo.get_defaults()}
    variables = {name: value for name, value in os.environ.items() if KEPT.fullmatch(name)}
    rest = []
    for name, value in parameters.items():
        option = known.get(name)
        if option is None:
            continue  # Meant for the driver, such as cursor_factory.
        if option.envvar:
            variables[option.envvar.decode()] = str(value)
        elif option.dispchar:
            raise BackupError(f"{name} cannot be passed to pg_dump without showing it to others.")
        else:
            quoted = str(value).replace("\\", "\\\\").replace("'", "\\'")
            rest.append(f"{name}='{quoted}'")
    return variables, [f"--dbname={' '.join(rest)}"] if rest else []


@contextmanager
def output_of(
    command: Sequence[str], variables: Mapping[str, str], pieces: Iterable[bytes] | None = None
) -> Iterator[IO[bytes]]:
    """Run a program and read its output. `pieces` is its input.

    Raises `BackupError` with the last line of its errors if it fails.
    """
    with tempfile.TemporaryFile() as errors:
        process = subprocess.Popen(  # noqa: S603
            command,
            env=dict(variables),
            stdin=subprocess.DEVNULL if pieces is None else subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
        )
        output, source = cast("IO[bytes]", process.stdout), process.stdin
        feeder = _Feeder(source, pieces) if source and pieces is not None else None
        try:
            yield output
            for _ in chunks_of(output):
                pass
        except BaseException:
            process.kill()
            raise
        finally:
            output.close()
            process.wait()
            if feeder:
                feeder.finish()
        if process.returncode:
            errors.seek(0)
            lines = errors.read().decode(errors="replace").strip().splitlines() or ["no reason"]
            raise BackupError(f"{Path(command[0]).name} failed: {lines[-1]}")


class _Feeder(threading.Thread):
    """Writes the input of a program while its output is read."""

    def __init__(self, target: IO[bytes], pieces: Iterable[bytes]) -> None:
        super().__init__(daemon=True)
        self.target = target
        self.pieces = pieces
        self.error: BackupError | None = None
        self.start()

    def run(self) -> None:
        try:
            for piece in self.pieces:
                self.target.write(piece)
        except BackupError as error:
            self.error = error
        except BrokenPipeError:
            pass  # Its exit code says why.
        finally:
            with suppress(OSError):
                self.target.close()

    def finish(self) -> None:
        """Wait. An input that ended too early is the reason for whatever followed, so it is raised
        instead of that."""
        self.join()
        if self.error:
            raise self.error from None


def chunks_of(stream: IO[bytes]) -> Iterator[bytes]:
    return iter(lambda: stream.read(CHUNK), b"")
