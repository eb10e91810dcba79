"""Compiles the translations, without needing GNU gettext on the machine.

The compiled files are not in the repository: they are made from the `.po` files before
the portal or its tests start. Without Django, as it must run before settings are read.
"""

from __future__ import annotations

import os
from pathlib import Path

import polib

from .environment import BASE_DIR


def catalogues(root: Path) -> list[Path]:
    return sorted(root.glob("**/LC_MESSAGES/*.po"))


def compile_catalogues(root: Path = BASE_DIR / "locale") -> list[Path]:
    """Compile what is newer than its compiled file; returns the files written."""
    written = []
    for source in catalogues(root):
        target = source.with_suffix(".mo")
        if target.exists() and target.stat().st_mtime_ns >= source.stat().st_mtime_ns:
            continue
        # Several copies of the portal may start at once from one tree.
        partial = target.with_suffix(f".mo.{os.getpid()}")
        polib.pofile(str(source)).save_as_mofile(str(partial))
        partial.replace(target)
        written.append(target)
    return written
