"""Collects the static files if they have changed since the last time.

Hashing and compressing them takes some seconds, which would delay every start.

The files of the version before are kept: pages that are open in a browser, or that come from a
host with that version, still refer to them.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Final

from django.conf import settings
from django.contrib.staticfiles.finders import get_finders
from django.core.management import call_command

STAMP: Final = ".collected"
MANIFEST: Final = "staticfiles.json"
EARLIER: Final = ".earlier.json"
"""The names of the files of the version before."""
COMPRESSED: Final = (".gz", ".br")


def fingerprint() -> str:
    """A digest of the name, size and time of every static file, and of what processes them."""
    digest = hashlib.sha256(f"{settings.STORAGES} {version('whitenoise')}".encode())
    for finder in get_finders():
        for path, storage in finder.list([]):
            found = Path(storage.path(path)).stat()
            digest.update(f"{path} {found.st_size} {found.st_mtime_ns}\n".encode())
    return digest.hexdigest()


def collect() -> bool:
    """Bring STATIC_ROOT up to date. Returns whether files were collected."""
    root = Path(settings.STATIC_ROOT)
    stamp = root / STAMP
    wanted = fingerprint()
    if stamp.is_file() and stamp.read_text() == wanted:
        return False
    before = _manifest(root)
    call_command("collectstatic", interactive=False, verbosity=0)
    now = _manifest(root)
    # A start of the same version on another host, or after an installation, changes nothing.
    earlier = before if before and before != now else _earlier(root)
    (root / EARLIER).write_text(json.dumps(sorted(earlier)))
    if stamp.exists():
        # Otherwise this folder is not known to be the portal's own.
        _remove_others(root, earlier | now)
    stamp.write_text(wanted)
    return True


def _manifest(root: Path) -> set[str]:
    """The names of the files that the last collection made."""
    try:
        return set(json.loads((root / MANIFEST).read_text())["paths"].values())
    except (OSError, ValueError, KeyError):
        return set()


def _earlier(root: Path) -> set[str]:
    try:
        return set(json.loads((root / EARLIER).read_text()))
    except (OSError, ValueError):
        return set()


def _remove_others(root: Path, kept: set[str]) -> None:
    kept |= {STAMP, MANIFEST, EARLIER}
    for path in _files(root):
        name = path.relative_to(root).as_posix()
        plain = name[: -len(path.suffix)] if path.suffix in COMPRESSED else name
        if not {name, plain} & kept:
            path.unlink(missing_ok=True)


def _files(root: Path) -> Iterator[Path]:
    return (path for path in sorted(root.rglob("*")) if path.is_file())
