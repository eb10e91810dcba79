"""Keep the uploaded recipients in the database until the batch starts."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterable
from typing import Any, Final

from ..models import Batch, FilePart

PART_SIZE: Final = 512 * 1024
"""Bytes."""


def store_file(batch: Batch, chunks: Iterable[bytes]) -> tuple[str, int]:
    """Store a file in parts. Returns the SHA-256 and the number of its bytes."""
    digest = hashlib.sha256()
    size = number = 0
    rest = b""
    for chunk in chunks:
        digest.update(chunk)
        size += len(chunk)
        rest += chunk
        while len(rest) >= PART_SIZE:
            FilePart.objects.create(batch=batch, number=number, data=rest[:PART_SIZE])
            rest, number = rest[PART_SIZE:], number + 1
    if rest:
        FilePart.objects.create(batch=batch, number=number, data=rest)
    return digest.hexdigest(), size


class StoredFile(io.RawIOBase):
    """A read-only stream over a stored file that holds one part in memory at a time."""

    def __init__(self, batch: Batch) -> None:
        self._parts = FilePart.objects.filter(batch=batch).order_by("number")
        self._number = 0
        self._rest = memoryview(b"")
        self.bytes_read = 0
        """The position of the reading."""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any, /) -> int:
        target = memoryview(buffer)
        if not self._rest:
            data = self._parts.filter(number=self._number).values_list("data", flat=True).first()
            if data is None:
                return 0
            self._rest, self._number = memoryview(bytes(data)), self._number + 1
        count = min(len(target), len(self._rest))
        target[:count] = self._rest[:count]
        self._rest = self._rest[count:]
        self.bytes_read += count
        return count
