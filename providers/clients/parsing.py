"""Reading single values of an answer, safely: none of these raises on what it is given."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Final, NoReturn

from core.money import parse_amount
from providers.gateway.answers import judge_status
from providers.gateway.call import Answer
from providers.gateway.errors import OutcomeUnknown
from providers.gateway.vocabulary import Reason

LONGEST_WORDS: Final = 2000
LONGEST_ID: Final = 100
NO_IDS: Final = frozenset({"", "0"})
"""Placeholders that providers write where they have no id."""

_TIME: Final = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,9})?(Z|[+-][0-9]{2}:[0-9]{2})"
)
_YEARS: Final = range(2000, 2101)
"""Beyond them a time zone conversion or a database may overflow, and it is no real time."""


def text_of(value: object, longest: int = LONGEST_WORDS) -> str:
    """Text and numbers as text that any database stores; empty for all else.

    NUL becomes its picture and lone surrogates their escapes; the rest stays as it was said.
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
    """An id, always as text; empty where there is none that could be one."""
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
    """A time that names its zone, in UTC. One without a zone could be anything: None."""
    if not isinstance(value, str) or not _TIME.fullmatch(value):
        return None
    try:
        read = datetime.fromisoformat(value).astimezone(UTC)
    except (ValueError, OverflowError):
        return None
    return read if read.year in _YEARS else None


def said(body: Mapping[str, Any] | None, key: str, longest: int = LONGEST_WORDS) -> str:
    """One field of a body that may be missing, as text."""
    return text_of(body.get(key), longest) if body is not None else ""


def contradiction(answer: Answer, words: str = "") -> NoReturn:
    raise OutcomeUnknown(Reason.CONTRADICTION, words=words, http_status=answer.status)


def undecided(answer: Answer, words: str = "") -> NoReturn:
    """The body said neither yes nor no in words that we know: the HTTP status decides, and
    where it claims success, nobody knows."""
    judge_status(answer, words)
    raise OutcomeUnknown(Reason.UNREADABLE, words=words, http_status=answer.status)


def is_success(answer: Answer) -> bool:
    return 200 <= answer.status < 300
