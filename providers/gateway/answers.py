"""Parse answers strictly, and interpret HTTP statuses that no document explains."""

from __future__ import annotations

import json
from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import Any, NoReturn

from .call import Answer
from .errors import NotDone, OutcomeUnknown, Refused
from .vocabulary import Reason


def json_object(answer: Answer) -> Mapping[str, Any]:
    """The answer as a JSON object, with fractional numbers as Decimal.

    Raises `OutcomeUnknown` for anything else: no JSON, truncated JSON, a list or a scalar at the
    top level, a repeated key (it could say yes and no at once), NaN, Infinity, absurd depth or
    length.
    """
    try:
        read = json.loads(
            answer.body,
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
    read = dict(pairs)
    if len(read) != len(pairs):
        raise ValueError("a key stands twice")
    return read


def json_object_or_none(answer: Answer) -> Mapping[str, Any] | None:
    """The same for error answers, where an unreadable body decides nothing."""
    try:
        return json_object(answer)
    except OutcomeUnknown:
        return None


def raise_for_status(answer: Answer, words: str = "") -> None:
    """Raise the error that the HTTP status alone implies; return for 2xx.

    A documented error in the body takes precedence, so clients check the body first.
    """
    status = answer.status
    if 200 <= status < 300:
        return
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
    if 400 <= status < 500 and status != 408:
        raise Refused(Reason.OTHER_REFUSAL, words=words, http_status=status)
    raise OutcomeUnknown(Reason.PROVIDER_FAULT, words=words, http_status=status)


LONGEST_WAIT = 60.0
"""Seconds. A provider cannot slow an account down for longer with one header."""


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds from a Retry-After header, capped; None if it contains no number."""
    stated = headers.get("retry-after", "").strip()
    if not (stated.isascii() and stated.isdigit()):
        return None
    return min(float(stated[:9]), LONGEST_WAIT)
