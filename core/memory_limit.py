"""A limit on the memory that this process may take in addition, for work on untrusted input."""

from __future__ import annotations

import resource
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

STATM: Final = Path("/proc/self/statm")


@contextmanager
def memory_limit(additional: int) -> Iterator[None]:
    """Let allocations fail that take the process `additional` bytes beyond its present size.

    They raise `MemoryError`. The limit holds for all threads of the process. Where the present
    size is unknown, as outside of Linux, there is none.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_AS)
    size = _present_size()
    wanted = size + additional
    if not size or any(
        limit != resource.RLIM_INFINITY and limit < wanted for limit in (soft, hard)
    ):
        yield
        return
    resource.setrlimit(resource.RLIMIT_AS, (wanted, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_AS, (soft, hard))


def _present_size() -> int:
    try:
        return int(STATM.read_text().split()[0]) * resource.getpagesize()
    except (OSError, ValueError):
        return 0
