"""Parse answers strictly, and interpret HTTP statuses that no document explains."""

from __future__ import annotations

import json
from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import Any, NoReturn
from urllib.parse import urlsplit

from .call import Answer
from .charsets import decode
from .errors import NotDone, OutcomeUnknown, Refused
from .vocabulary import Reason
from .words import word_of


def json_object(answer: Answer) -> Mapping[str, Any]:
    """The answer as a JSON object, with fractional numbers as Decimal.

    Raises `OutcomeUnknown` for anything else: no JSON, truncated JSON, a list or a scalar at the
    top level, a repeated key with different values (it could say yes and no at once), NaN,
    Infinity, absurd depth or length.
    """
    try:
        read = json.loads(
            decode(answer.body, answer.headers.get("content-type", "")),
            parse_float=_finite,
            parse_constant=_refuse_constant,
            object_pairs_hook=_unique_keys,
        )
    except (ValueError, RecursionError):
        raise OutcomeUnknown(Reason.UNREADABLE, http_status=answer.status) from None
    if not isinstance(read, dict):
        raise OutcomeUnknown(Reason.UNREADABLE, http_status=answer.status)
    return read


def _finite(text: str) -> Decimal:
    try:
        number = Decimal(text)
    except InvalidOperation:
        raise ValueError("not a number") from None
    if not number.is_finite() or abs(number.adjusted()) > 30:
        raise ValueError("not a usable number")
    return number


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


def _unique_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    read = dict(reversed(pairs))
    if len(read) != len(pairs) and any(not _agree(value, read[key]) for key, value in pairs):
        raise ValueError("a key stands twice, with different values")
    return read


def _agree(one: Any, other: Any) -> bool:
    """Whether two values of one key say the same."""
    words = word_of(one), word_of(other)
    return words[0] == words[1] if all(words) else type(one) is type(other) and one == other


def json_object_or_none(answer: Answer) -> Mapping[str, Any] | None:
    """The same for error answers, where an unreadable body decides nothing."""
    try:
        return json_object(answer)
    except OutcomeUnknown:
        return None


def is_json(answer: Answer) -> bool:
    """Whether an answer is JSON of any shape. A server that is not the provider's sends none."""
    try:
        json.loads(decode(answer.body, answer.headers.get("content-type", "")))
    except (ValueError, RecursionError):
        return False
    return True


def raise_for_status(answer: Answer, words: str = "") -> None:
    """Raise the error that the HTTP status alone implies; return for 2xx.

    A documented error in the body takes precedence, so clients check the body first.
    """
    status = answer.status
    if 200 <= status < 300:
        return
    if 300 <= status < 400 and not words:
        words = redirect_target(answer.headers)
    if status == 429:
        raise NotDone(
            Reason.RATE_LIMITED,
            words=words,
            http_status=status,
            retry_after=retry_after(answer.headers),
        )
    if status in (301, 307, 308):
        raise NotDone(Reason.REDIRECTED, words=words, http_status=status)
    if status in (302, 303):
        raise OutcomeUnknown(Reason.REDIRECTED, words=words, http_status=status)
    if status == 404 and not words:
        raise Refused(Reason.NOTHING_THERE, http_status=status)
    if 400 <= status < 500 and status != 408:
        raise Refused(Reason.OTHER_REFUSAL, words=words, http_status=status)
    raise OutcomeUnknown(Reason.PROVIDER_FAULT, words=words, http_status=status)


def redirect_target(headers: Mapping[str, str]) -> str:
    """Scheme and host that a redirect leads to, which is never followed.

    Only the path if it stays on the same host. Never the query, which may repeat a password.
    """
    try:
        parts = urlsplit(headers.get("location", "").strip())
        host, port = parts.hostname or "", parts.port
    except ValueError:
        return ""
    if not host:
        return parts.path[:LONGEST_PATH] if not parts.scheme else ""
    named = f"[{host}]" if ":" in host else host
    return f"{parts.scheme or 'https'}://{named}{f':{port}' if port else ''}"


LONGEST_PATH = 100
LONGEST_WAIT = 60.0
"""Seconds. A provider cannot slow an account down for longer with one header."""


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds from a Retry-After header, capped; None if it contains no number."""
    stated = headers.get("retry-after", "").strip()
    if not (stated.isascii() and stated.isdigit()):
        return None
    return min(float(stated[:9]), LONGEST_WAIT)
