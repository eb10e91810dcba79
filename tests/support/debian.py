"""Debian from its packages, the portal's requirements as files, and a clean copy of the project.

For containers and machines that are made where no registry of images is within reach.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import platform
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from smsportal.configuration.environment import BASE_DIR

CACHE: Final = BASE_DIR / ".pytest_cache" / "debian"
KEPT: Final = 86400.0
"""Seconds for which what was fetched is used again."""
PYTHONS: Final = {"bookworm": "3.11", "trixie": "3.13"}
NEWEST_GLIBC: Final = {"bookworm": 36, "trixie": 41}


class CannotFetch(Exception):
    """Debian's packages or the requirements are not within reach."""


def reason_against(*programs: str) -> str:
    """Why no machine can be made here; empty if one can."""
    if os.geteuid() != 0:
        return "Only root can make containers and machines."
    missing = [name for name in ("mmdebstrap", "unshare", *programs) if not shutil.which(name)]
    return f"These programs are not installed: {', '.join(missing)}." if missing else ""


def root_tar(suite: str, packages: Sequence[str]) -> Path:
    """A file system with these packages, as a tar file. Raises `CannotFetch`."""
    name = "-".join([suite, *sorted(packages)])
    with _locked() as folder:
        file = folder / f"{_short(name)}.tar"
        if not _is_fresh(file):
            part = file.with_suffix(".part.tar")
            include = f"--include={','.join(packages)}"
            _fetch(["mmdebstrap", "--quiet", "--mode=root", "--variant=apt", include, suite, part])
            part.replace(file)
        return file


def wheels(suite: str, lock_file: Path = BASE_DIR / "requirements.lock") -> Path:
    """A folder with the locked requirements for this suite's Python. Raises `CannotFetch`."""
    version = PYTHONS[suite]
    with _locked() as folder:
        target = folder / f"wheels-{_short(version + lock_file.read_text())}"
        if not _is_fresh(target):
            kinds = ["17", "28", *(str(n) for n in range(34, NEWEST_GLIBC[suite] + 1)), "2014"]
            names = [f"manylinux{n}" if n == "2014" else f"manylinux_2_{n}" for n in kinds]
            platforms = [f"--platform={name}_{platform.machine()}" for name in names]
            abis = [f"--abi={abi}" for abi in (f"cp{version.replace('.', '')}", "abi3", "none")]
            made_for = [f"--python-version={version}", "--implementation=cp", *abis, *platforms]
            options = ["--quiet", "--require-hashes", "--only-binary=:all:", "--no-deps"]
            part = folder / f"{target.name}.part"
            pip = [sys.executable, "-m", "pip", "download", *options, *made_for]
            _fetch([*pip, "--dest", part, "--requirement", lock_file])
            shutil.rmtree(target, ignore_errors=True)
            part.replace(target)
        return target


def copy_project(folder: Path) -> Path:
    """What a clean clone would hold, with the changes that are not committed yet."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=BASE_DIR,
        capture_output=True,
        text=True,
        check=True,
    )
    for name in filter(None, listed.stdout.split("\0")):
        if (source := BASE_DIR / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source, folder / name)
    return folder


def _fetch(command: Sequence[str | Path]) -> None:
    ended = subprocess.run(command, capture_output=True, text=True, check=False, timeout=600)
    if ended.returncode:
        raise CannotFetch(f"{command[0]}: {ended.stderr[-1000:]}")


def _is_fresh(path: Path) -> bool:
    return path.exists() and time.time() - path.stat().st_mtime < KEPT


def _short(name: str) -> str:
    return hashlib.sha256(name.encode()).hexdigest()[:16]


@contextmanager
def _locked() -> Iterator[Path]:
    """The folder of what was fetched, for one process at a time."""
    CACHE.mkdir(parents=True, exist_ok=True)
    with (CACHE / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield CACHE
