"""Detects changed source files, so that `make dev` can reload."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Final

SUFFIXES: Final = frozenset({".py", ".html", ".txt", ".css", ".js", ".svg", ".po"})
EXCLUDED: Final = frozenset({"data", "staticfiles", "htmlcov", "tests", "docs", "__pycache__"})


class SourceFiles:
    """The source files in a folder, with their modification times."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._seen = self._times()

    def changed(self) -> set[Path]:
        """The files that were changed, added or removed since the last call."""
        before, self._seen = self._seen, self._times()
        return {path for path, _ in before.items() ^ self._seen.items()}

    def _times(self) -> dict[Path, int]:
        times: dict[Path, int] = {}
        for path in self._paths():
            # An editor may be replacing the file at this moment.
            try:
                times[path] = path.stat().st_mtime_ns
            except FileNotFoundError:
                continue
        return times

    def _paths(self) -> Iterator[Path]:
        for folder, subfolders, names in os.walk(self._root):
            subfolders[:] = [
                name for name in subfolders if name not in EXCLUDED and not name.startswith(".")
            ]
            for name in names:
                path = Path(folder, name)
                if path.suffix in SUFFIXES:
                    yield path
