"""Compiles the translations without GNU gettext.

The repository does not contain compiled files. They are generated from the `.po` files before the
portal or its tests start. Independent of Django, because it runs before settings are loaded.
"""

from __future__ import annotations

import os
from pathlib import Path

import polib

from ..configuration.environment import BASE_DIR


class CannotCompile(Exception):
    """The message names the file, the reason and the way out."""


def catalogues(root: Path) -> list[Path]:
    return sorted(root.glob("**/LC_MESSAGES/*.po"))


def compile_catalogues(root: Path = BASE_DIR / "locale") -> list[Path]:
    """Compile each catalogue that is newer than its compiled file. Returns the files written.

    Raises `CannotCompile`, as where a service must not write to its own code.
    """
    written = []
    for source in catalogues(root):
        target = source.with_suffix(".mo")
        if target.exists() and target.stat().st_mtime_ns >= source.stat().st_mtime_ns:
            continue
        # Several instances of the portal may start from one source tree at once.
        partial = target.with_suffix(f".mo.{os.getpid()}")
        try:
            polib.pofile(str(source)).save_as_mofile(str(partial))
            partial.replace(target)
        except OSError as error:
            raise CannotCompile(
                f"User id {os.geteuid()} cannot write {target}: {error.strerror}. Run"
                " `make install` as the owner of the code, after each update."
            ) from None
        written.append(target)
    return written
