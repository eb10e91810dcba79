"""Open a ZIP of XML parts from anywhere, within bounds."""

from __future__ import annotations

import zipfile
import zlib
from os import SEEK_END
from typing import Any, Final
from xml.parsers import expat

from .file_errors import FileProblem, Unreadable
from .xml_parser import BoundedParser, Handler

MAX_UNPACKED: Final = 400 * 1024 * 1024
SMALL: Final = 20 * 1024 * 1024
"""Unpacked bytes that any file may have. Beyond, `MAX_RATIO` limits them."""
MAX_RATIO: Final = 100
"""Unpacked bytes for each byte of the file. Sheets with repetitive rows reach about 30."""
MAX_ENTRIES: Final = 2_000
MAX_OTHER_PART: Final = 20 * 1024 * 1024
"""Unpacked bytes of a part that holds neither cells nor shared strings."""
CHUNK: Final = 64 * 1024

FILE_ERRORS: Final = (
    expat.ExpatError,
    zipfile.BadZipFile,
    zlib.error,
    LookupError,
    ValueError,
    EOFError,
    OSError,
    NotImplementedError,
    RuntimeError,
)
"""What damaged or protected files raise. An encrypted ZIP raises RuntimeError."""


class ZipParts:
    """The parts of a ZIP. Raises `Unreadable` or one of `FILE_ERRORS`."""

    def __init__(self, file: Any) -> None:
        self._zip = zipfile.ZipFile(file)
        # The declared sizes are safe to use: `zipfile` never reads past them.
        entries = self._zip.infolist()
        unpacked = sum(one.file_size for one in entries)
        allowed = min(MAX_UNPACKED, max(SMALL, MAX_RATIO * file.seek(0, SEEK_END)))
        if len(entries) > MAX_ENTRIES or unpacked > allowed:
            raise Unreadable(FileProblem.UNREADABLE)
        self._parts = {part_name(one.filename): one for one in entries}

    def close(self) -> None:
        self._zip.close()

    def __contains__(self, path: str) -> bool:
        return part_name(path) in self._parts

    def names(self) -> set[str]:
        return set(self._parts)

    def size_of(self, path: str) -> int:
        """Bytes when unpacked."""
        return self._parts[part_name(path)].file_size

    def open(self, path: str) -> Any:
        return self._zip.open(self._parts[part_name(path)])

    def feed(self, path: str, handler: Handler, *, most: int | None = None) -> None:
        """Parse a whole part."""
        if most is not None and self.size_of(path) > most:
            raise Unreadable(FileProblem.UNREADABLE)
        parser = BoundedParser(handler)
        with self.open(path) as part:
            while chunk := part.read(CHUNK):
                parser.feed(chunk)
        parser.close()


def part_name(path: str) -> str:
    """Part names ignore case (ECMA-376, part 2); some programs write backslashes."""
    return path.replace("\\", "/").lstrip("/").casefold()
