"""Runs tests against a mutant, in a copy of the source tree.

Each run is a fork of this process, which has imported the third-party packages of the tests, but
nothing of the portal. So every run imports the mutated module itself, and takes a third of the
time of a new process.
"""

from __future__ import annotations

import contextlib
import importlib
import multiprocessing
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from .parts import ROOT, Part

TREES: Final = ROOT / ".mutants" / "trees"
"""Holds a copy for each part, so that parts can run in parallel."""
MEMORY: Final = Path("/dev/shm")  # noqa: S108
"""The folder for databases, in memory where it exists."""
DATABASE: Final = "test.sqlite3"
SHORTEST_TIMEOUT: Final = 60.0
PYTEST: Final = (
    "--quiet",
    "--exitfirst",
    "--reuse-db",
    "--no-header",
    "--tb=line",
    "-pno:cacheprovider",
    "-pno:randomly",
    "-pno:xdist",
    # The forked process has already imported plugins.
    "-Wignore:Module already imported:pytest.PytestAssertRewriteWarning",
)

fork: Final = multiprocessing.get_context("fork")


@dataclass
class Runner:
    """Runs the tests of a part. Call `prepare` first."""

    part: Part
    data: Path
    tree: Path
    timeout: float = SHORTEST_TIMEOUT
    output: str = ""
    """The output of the last run."""

    def prepare(self) -> bool:
        """Copy the tree, create the database and import packages.

        Returns whether the tests pass without a fault.
        """
        copy_tree(self.tree)
        listed = self.data / "modules"
        started = time.monotonic()
        if not self._run(listed):
            return False
        self.timeout = max(SHORTEST_TIMEOUT, 10 * (time.monotonic() - started))
        for file in self.data.glob(f"{DATABASE}*"):
            # Includes the log. There is no file if no test needs a database.
            file.rename(self.data / f"template-{file.name}")
        self._warm_up(listed.read_text(encoding="utf-8").split())
        return True

    def survives(self, module: str, text: str) -> bool:
        """Whether every test passes with `text` as the module."""
        path = self.tree / module
        for compiled in (path.parent / "__pycache__").glob(f"{path.stem}.*"):
            compiled.unlink()
        path.write_text(text, encoding="utf-8")
        self._renew_database()
        try:
            return self._run()
        finally:
            shutil.copy2(ROOT / module, path)

    def _run(self, listed: Path | None = None) -> bool:
        printed = self.data / "output"
        child = fork.Process(target=_test, args=(self, printed, listed))
        child.start()
        try:
            child.join(self.timeout if listed is None else None)
            is_late = child.exitcode is None
        finally:
            # Also ends processes that the tests started.
            child.kill()
            with contextlib.suppress(ProcessLookupError):
                os.killpg(child.pid or 0, signal.SIGKILL)
            child.join()
        self.output = "timeout" if is_late else printed.read_text(errors="replace")
        return child.exitcode == 0

    def passes(self) -> bool:
        """Whether the tests still pass without a fault."""
        self._renew_database()
        return self._run()

    def _renew_database(self) -> None:
        for file in self.data.glob(f"{DATABASE}*"):
            file.unlink()
        for file in self.data.glob(f"template-{DATABASE}*"):
            shutil.copy(file, self.data / file.name.removeprefix("template-"))

    def _warm_up(self, names: Sequence[str]) -> None:
        for name in names:
            # Modules that need the portal's settings or apps fail here; each run imports them.
            with contextlib.suppress(Exception):
                importlib.import_module(name)
        if early := [name for name, file in _files() if _is_below(file, ROOT)]:
            raise RuntimeError(f"Imported before it was mutated: {early}")


@contextlib.contextmanager
def runner(part: Part) -> Iterator[Runner]:
    folder = MEMORY if MEMORY.is_dir() else None
    with tempfile.TemporaryDirectory(prefix="smsportal-mutants-", dir=folder) as data:
        os.environ["TEST_DATA_DIR"] = data
        os.environ.pop("TEST_DATABASE_URL", None)
        # Only the runs have settings, because this process would read them outside the copy.
        os.environ.pop("DJANGO_SETTINGS_MODULE", None)
        yield Runner(part, Path(data), TREES / part.name)


def copy_tree(copy: Path) -> None:
    """Update the copy to the current files, committed or not."""
    git = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(git, cwd=ROOT, check=True, capture_output=True, text=True)  # noqa: S603
    names = {name for name in listed.stdout.split("\0") if name and (ROOT / name).is_file()}
    for name in names:
        source, target = ROOT / name, copy / name
        target.parent.mkdir(parents=True, exist_ok=True)
        if not target.exists() or _stamp(source) != _stamp(target):
            shutil.copy2(source, target)
    for path in copy.rglob("*.py"):
        if path.relative_to(copy).as_posix() not in names:
            path.unlink()


def _stamp(path: Path) -> tuple[int, int]:
    status = path.stat()
    return status.st_mtime_ns, status.st_size


def _test(runner: Runner, printed: Path, listed: Path | None) -> None:
    """Run tests in the copied tree. Runs in the forked process; exits without clean-up."""
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    os.setsid()
    os.chdir(runner.tree)
    sys.path[0] = str(runner.tree)
    for name in [name for name in sys.modules if name.split(".")[0] == "tools"]:
        del sys.modules[name]
    sys.dont_write_bytecode = listed is None
    with printed.open("w") as file:
        os.dup2(file.fileno(), 1)
        os.dup2(file.fileno(), 2)

    import pytest

    status = pytest.main([*PYTEST, *runner.part.tests])
    if listed:
        listed.write_text("\n".join(_foreign_modules(runner.tree)), encoding="utf-8")
    sys.stdout.flush()
    os._exit(int(status))


def _foreign_modules(tree: Path) -> Iterator[str]:
    return (name for name, file in _files() if not _is_below(file, tree))


def _files() -> Iterator[tuple[str, Path]]:
    """The modules imported from a file, except this tool's own."""
    for name, module in list(sys.modules.items()):
        file = getattr(module, "__file__", None)
        if file and name.split(".")[0] not in ("__main__", "__mp_main__", "tools"):
            yield name, Path(file)


def _is_below(file: Path, folder: Path) -> bool:
    """Whether a file is in the source tree, but not in a virtual environment within it."""
    return file.is_relative_to(folder) and "site-packages" not in file.parts
