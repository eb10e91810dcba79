"""Strict JSON parsing, and errors implied by the HTTP status alone."""

from __future__ import annotations

from decimal import Decimal

import pytest

from providers.gateway.answers import (
    json_object,
    json_object_or_none,
    raise_for_status,
    retry_after,
)
from providers.gateway.call import Answer
from providers.gateway.errors import NotDone, OutcomeUnknown, Refused
from providers.gateway.vocabulary import Reason


def answer_of(body: bytes, status: int = 200, **headers: str) -> Answer:
    return Answer(status, headers, body)


def test_fractional_numbers_are_exact() -> None:
    assert json_object(answer_of(b'{"balance": 1000.10}')) == {"balance": Decimal("1000.10")}


def test_byte_order_mark_is_accepted() -> None:
    assert json_object(answer_of(b'\xef\xbb\xbf{"a": 1}')) == {"a": 1}


TRAPS = {
    "nothing": b"",
    "html": b"<html>502 Bad Gateway",
    "list": b"[]",
    "text": b'"ok"',
    "null": b"null",
    "number": b"5",
    "true": b"true",
    "truncated": b'{"status": "S',
    "two values": b"{} {}",
    "repeated key": b'{"status": "F", "status": "S"}',
    "repeated key inside": b'{"a": {"b": 1, "b": 2}}',
    "NaN": b'{"a": NaN}',
    "Infinity": b'{"a": -Infinity}',
    "beyond any number": b'{"a": 1e400}',
    "below any number": b'{"a": 1e-400}',
    "exponent out of reach": b'{"a": 1e99999999999999999999}',
    "5000 digits": b'{"a": ' + b"9" * 5000 + b"}",
    "invalid UTF-8": b'{"a": "\xff"}',
    "control character": b'{"a": "\n"}',
    "deep": b"[" * 100_000,
    "deep objects": b'{"a":' * 100_000,
}


@pytest.mark.parametrize("body", TRAPS.values(), ids=TRAPS)
def test_anything_but_a_plain_object_is_unknown(body: bytes) -> None:
    with pytest.raises(OutcomeUnknown) as raised:
        json_object(answer_of(body))
    assert raised.value.reason is Reason.UNREADABLE


@pytest.mark.parametrize("body", TRAPS.values(), ids=TRAPS)
def test_unreadable_error_body_is_none(body: bytes) -> None:
    assert json_object_or_none(answer_of(body)) is None


STATUSES = {
    100: (OutcomeUnknown, Reason.PROVIDER_FAULT),
    300: (OutcomeUnknown, Reason.PROVIDER_FAULT),
    301: (NotDone, Reason.REDIRECTED),
    302: (OutcomeUnknown, Reason.REDIRECTED),
    303: (OutcomeUnknown, Reason.REDIRECTED),
    304: (OutcomeUnknown, Reason.PROVIDER_FAULT),
    307: (NotDone, Reason.REDIRECTED),
    308: (NotDone, Reason.REDIRECTED),
    400: (Refused, Reason.OTHER_REFUSAL),
    401: (Refused, Reason.OTHER_REFUSAL),
    404: (Refused, Reason.NOTHING_THERE),
    408: (OutcomeUnknown, Reason.PROVIDER_FAULT),
    429: (NotDone, Reason.RATE_LIMITED),
    451: (Refused, Reason.OTHER_REFUSAL),
    500: (OutcomeUnknown, Reason.PROVIDER_FAULT),
    502: (OutcomeUnknown, Reason.PROVIDER_FAULT),
    503: (OutcomeUnknown, Reason.PROVIDER_FAULT),
    504: (OutcomeUnknown, Reason.PROVIDER_FAULT),
    999: (OutcomeUnknown, Reason.PROVIDER_FAULT),
}


@pytest.mark.parametrize("status", STATUSES)
def test_status_alone_raises_its_error(status: int) -> None:
    expected, reason = STATUSES[status]
    with pytest.raises(expected) as raised:
        raise_for_status(answer_of(b"", status))
    assert (raised.value.reason, raised.value.http_status) == (reason, status)


@pytest.mark.parametrize("status", [200, 201, 204, 299])
def test_2xx_raises_nothing(status: int) -> None:
    raise_for_status(answer_of(b"", status))


@pytest.mark.parametrize(
    ("stated", "seconds"),
    [
        ("7", 7.0),
        (" 7 ", 7.0),
        ("0", 0.0),
        ("3600", 60.0),
        ("9" * 400, 60.0),
        ("", None),
        ("-5", None),
        ("1.5", None),
        ("soon", None),
        ("７", None),
        ("Wed, 21 Oct 2026 07:28:00 GMT", None),
    ],
)
def test_retry_after_is_read_as_seconds_and_capped(stated: str, seconds: float | None) -> None:
    assert retry_after({"retry-after": stated}) == seconds


def test_missing_retry_after_gives_no_wait() -> None:
    assert retry_after({}) is None
