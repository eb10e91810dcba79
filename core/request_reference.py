"""The reference of the request that runs here, or that queued the task that runs here.

Staff quote it, and the log, acts and the journal of API calls contain it.
"""

from __future__ import annotations

import re
import secrets
from contextvars import ContextVar
from typing import Final

ALPHABET: Final = "23456789ABCDEFGHJKMNPQRSTVWXYZ"
"""Without characters that are easily confused."""
MAX_LENGTH: Final = 16
"""Characters of the columns that hold one."""
_FORM: Final = re.compile(rf"[{ALPHABET}]{{4}}-[{ALPHABET}]{{4}}")
_current: ContextVar[str] = ContextVar("request_id", default="")


def current() -> str:
    """The reference; empty outside of a request and of what it queued."""
    return _current.get()


def set_current(reference: str) -> None:
    _current.set(reference)


def new() -> str:
    characters = [secrets.choice(ALPHABET) for _ in range(8)]
    return "".join(characters[:4]) + "-" + "".join(characters[4:])


def parse(text: object) -> str:
    """The reference that somebody typed or a task carries; empty if it is none."""
    found = str(text).strip().upper()
    return found if _FORM.fullmatch(found) else ""
