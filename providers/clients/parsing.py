"""Parse single values of answers and options. No parser here raises, whatever it is given.

`raise_contradiction` and `raise_undecided` end an answer that cannot be taken for a yes or a no.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Final, NoReturn

from core.money import parse_amount
from providers.gateway.answers import raise_for_status
from providers.gateway.call import Answer
from providers.gateway.errors import OutcomeUnknown
from providers.gateway.vocabulary import Reason

LONGEST_WORDS: Final = 2000
LONGEST_ID: Final = 100
NO_IDS: Final = frozenset({"", "0"})
"""Placeholders that providers write if they have no id."""

_TIME: Final = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,9})?(Z|[+-][0-9]{2}:[0-9]{2})"
)
_YEARS: Final = range(2000, 2101)
"""Other years may overflow a time zone conversion or a database, and are never real times."""


def text_of(value: object, longest: int = LONGEST_WORDS) -> str:
    """Text and numbers as text that any database stores; empty for all else.

    NUL becomes its symbol and lone surrogates become escapes. Everything else stays unchanged.
    """
    if isinstance(value, bool):
        text = "true" if value else "false"
    elif isinstance(value, (str, int, Decimal)):
        text = str(value)
    else:
        return ""
    text = text.replace("\0", "␀").encode("utf-8", "backslashreplace").decode("utf-8")
    return text if len(text) <= longest else f"{text[: longest - 1]}…"


def id_of(value: object) -> str:
    """An id as text; empty if the value cannot be an id."""
    if isinstance(value, bool) or not isinstance(value, (str, int)):
        return ""
    text = str(value)
    return text if text == text_of(value, LONGEST_ID) else ""


def amount_of(value: object) -> Decimal | None:
    try:
        return parse_amount(value)
    except ValueError:
        return None


def time_of(value: object) -> datetime | None:
    """A time with a time zone, in UTC; None if it has none, because it could mean anything."""
    if not isinstance(value, str) or not _TIME.fullmatch(value):
        return None
    try:
        read = datetime.fromisoformat(value).astimezone(UTC)
    except (ValueError, OverflowError):
        return None
    return read if read.year in _YEARS else None


def text_field(body: Mapping[str, Any] | None, key: str, longest: int = LONGEST_WORDS) -> str:
    """One field of a body as text; empty if the body or the field is missing."""
    return text_of(body.get(key), longest) if body is not None else ""


def raise_contradiction(answer: Answer, words: str = "") -> NoReturn:
    """Raise the error for an answer whose parts disagree. The outcome is unknown."""
    raise OutcomeUnknown(Reason.CONTRADICTION, words=words, http_status=answer.status)


def raise_undecided(answer: Answer, words: str = "") -> NoReturn:
    """Raise the error for a body that says neither yes nor no in known words.

    The HTTP status decides. If it claims success, the outcome is unknown.
    """
    raise_for_status(answer, words)
    raise OutcomeUnknown(Reason.UNREADABLE, words=words, http_status=answer.status)


def is_success(answer: Answer) -> bool:
    return 200 <= answer.status < 300


def option_lines(value: object) -> tuple[str, ...]:
    """The lines of a stored `LINES` option (JSON), unchanged and without blank ones."""
    if isinstance(value, str):
        value = value.splitlines()
    if not isinstance(value, (list, tuple)):
        return ()
    return tuple(line for line in value if isinstance(line, str) and line.strip())
