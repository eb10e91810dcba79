"""An XML parser for untrusted parts of a workbook, whose memory and time are bounded.

The library below it keeps three things until the end, so each has a limit: the elements that are
open, every different name, and a tag that has begun. Without limits, a file of 24 KB takes a
gigabyte.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final, Protocol
from xml.parsers import expat

from .file_errors import FileProblem, Unreadable

Attributes = Mapping[str, str]

MAX_DEPTH: Final = 32
"""Elements inside each other. A sheet has 5, and the extensions of programs some more."""
MAX_NAMES: Final = 10_000
"""Different names of elements and attributes."""
MAX_NAMESPACES: Final = 100_000
MAX_TOKEN: Final = 1024 * 1024
"""Bytes of a tag or comment. It is read anew with each chunk until it is complete."""


class Handler(Protocol):
    """Consumes the elements of a part."""

    depth: int
    """Elements that are open. The handler counts, because another call for each element is slow."""

    def start(self, name: str, attributes: Attributes, /) -> None: ...

    def end(self, name: str, /) -> None: ...

    def add_text(self, piece: str, /) -> None: ...


class StartHandler:
    """A handler for parts in which only the beginnings of elements matter."""

    def __init__(self, start: Callable[[str, Attributes], None]) -> None:
        self.depth = 0
        self._start = start

    def start(self, name: str, attributes: Attributes) -> None:
        self.depth += 1
        self._start(name, attributes)

    def end(self, name: str) -> None:
        self.depth -= 1

    def add_text(self, piece: str) -> None:
        return None


class BoundedParser:
    """Feeds a handler. Raises `Unreadable`, or an `ExpatError` if the part is malformed."""

    def __init__(self, handler: Handler) -> None:
        self._handler = handler
        self._names: dict[str, str] = {}
        self._namespaces = 0
        self._fed = 0
        parser: Any = expat.ParserCreate(namespace_separator=" ", intern=self._names)
        parser.buffer_text = True
        parser.StartElementHandler = handler.start
        parser.EndElementHandler = handler.end
        parser.CharacterDataHandler = handler.add_text
        parser.StartNamespaceDeclHandler = self._count_namespace
        parser.StartDoctypeDeclHandler = _refuse_doctype
        self._parser = parser

    def feed(self, chunk: bytes) -> None:
        """Parse the next bytes. The limits are checked between chunks, so they should be small."""
        self._parser.Parse(chunk)
        self._fed += len(chunk)
        if (
            self._handler.depth > MAX_DEPTH
            or len(self._names) > MAX_NAMES
            or self._fed - self._parser.CurrentByteIndex > MAX_TOKEN
        ):
            raise Unreadable(FileProblem.UNREADABLE)

    def close(self) -> None:
        self._parser.Parse(b"", True)

    def _count_namespace(self, *_: object) -> None:
        self._namespaces += 1
        if self._namespaces > MAX_NAMESPACES:
            raise Unreadable(FileProblem.UNREADABLE)


def _refuse_doctype(*_: object) -> None:
    """Guard against entity expansion. No spreadsheet program writes a doctype."""
    raise Unreadable(FileProblem.UNREADABLE)
