"""The two callbacks of the OTP Service, by its document, steps 2 and 4."""

from __future__ import annotations

import pytest

from providers.clients.otpservice import OtpService
from providers.gateway.events import (
    CallbackRequest,
    DeliveryReported,
    Event,
    Unrecognised,
    VerificationReported,
)
from providers.gateway.vocabulary import DeliveryState


def parse(query: str) -> Event:
    (event,) = OtpService.parse_callback(CallbackRequest("GET", query, b""))
    return event


IDS = "MSGID=100&EXTID=s-1"


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        (
            f"STATUS=SUCCESS&MSG=ok&TYPE=0&CODE=200&{IDS}",
            DeliveryReported("s-1", "100", "SUCCESS 200 ok", {}, DeliveryState.DELIVERED),
        ),
        (
            f"STATUS=ERROR&MSG=Wrong+number&TYPE=0&CODE=400&{IDS}",
            DeliveryReported(
                "s-1",
                "100",
                "ERROR 400 Wrong number",
                {"reason": "bad_number"},
                DeliveryState.UNDELIVERED,
            ),
        ),
        (
            f"STATUS=ERROR&MSG=&TYPE=0&CODE=500&{IDS}",
            DeliveryReported(
                "s-1", "100", "ERROR 500", {"reason": "provider_fault"}, DeliveryState.UNDELIVERED
            ),
        ),
        (
            f"STATUS=SUCCESS&MSG=&TYPE=1&CODE=200&{IDS}",
            VerificationReported("s-1", "100", "SUCCESS 200", {}, True),
        ),
        (
            f"STATUS=ERROR&MSG=&TYPE=1&CODE=400&{IDS}",
            VerificationReported("s-1", "100", "ERROR 400", {"reason": "bad_number"}, False),
        ),
        (
            f"STATUS=SUCCESS&MSG=&TYPE=1&CODE=200&RESULT=FAILED&{IDS}",
            VerificationReported("s-1", "100", "SUCCESS 200 FAILED", {}, False),
        ),
        (
            f"STATUS=SUCCESS&MSG=&TYPE=1&CODE=200&RESULT=pass&{IDS}",
            VerificationReported("s-1", "100", "SUCCESS 200 pass", {}, True),
        ),
        (
            f"STATUS=ERROR&MSG=&TYPE=1&CODE=400&RESULT=PASS&{IDS}",
            Unrecognised("s-1", "100", "ERROR 400 PASS", {}, "contradiction"),
        ),
        (
            f"STATUS=SUCCESS&MSG=&TYPE=1&CODE=200&RESULT=MAYBE&{IDS}",
            Unrecognised("s-1", "100", "SUCCESS 200 MAYBE", {}, "unknown_word"),
        ),
        (
            "STATUS=SUCCESS&TYPE=0&CODE=200&MSGID=0&eid=s-1",
            DeliveryReported("s-1", "", "SUCCESS 200", {}, DeliveryState.DELIVERED),
        ),
        (
            f"STATUS=SUCCESS&TYPE=0&CODE=200&operator=x&operator=y&{IDS}",
            DeliveryReported(
                "s-1", "100", "SUCCESS 200", {"operator": "y"}, DeliveryState.DELIVERED
            ),
        ),
        (
            "status=success&type=0&code=200&msgid=100&extid=s-1",
            DeliveryReported("s-1", "100", "SUCCESS 200", {}, DeliveryState.DELIVERED),
        ),
        (
            "STATUS=SUCCESS&TYPE=0&CODE=200&MSGID=0&EXTID=s-1&operator=x",
            DeliveryReported("s-1", "", "SUCCESS 200", {"operator": "x"}, DeliveryState.DELIVERED),
        ),
        (
            f"STATUS=SUCCESS&TYPE=0&CODE=500&{IDS}",
            Unrecognised("s-1", "100", "SUCCESS 500", {}, "contradiction"),
        ),
        (
            f"STATUS=ERROR&TYPE=1&CODE=200&{IDS}",
            Unrecognised("s-1", "100", "ERROR 200", {}, "contradiction"),
        ),
        (
            f"STATUS=DONE&TYPE=0&CODE=200&{IDS}",
            Unrecognised("s-1", "100", "DONE 200", {}, "unknown_word"),
        ),
        (
            f"STATUS=SUCCESS&TYPE=2&CODE=200&{IDS}",
            Unrecognised("s-1", "100", "SUCCESS 200", {}, "unknown_word"),
        ),
        (
            f"STATUS=SUCCESS&CODE=200&{IDS}",
            Unrecognised("s-1", "100", "SUCCESS 200", {}, "incomplete"),
        ),
        (
            "STATUS=SUCCESS&TYPE=0&CODE=200&MSGID=0",
            Unrecognised("", "", "SUCCESS 200", {}, "incomplete"),
        ),
        (
            f"STATUS=ERROR&STATUS=SUCCESS&TYPE=0&CODE=200&{IDS}",
            Unrecognised("s-1", "100", "200", {}, "ambiguous"),
        ),
        (
            f"STATUS=SUCCESS&status=success&TYPE=0&CODE=200&{IDS}",
            DeliveryReported("s-1", "100", "SUCCESS 200", {}, DeliveryState.DELIVERED),
        ),
        (
            "STATUS=SUCCESS&TYPE=0&CODE=200&MSGID[]=100&EXTID=s-1",
            Unrecognised("s-1", "", "SUCCESS 200", {"MSGID[]": "100"}, "ambiguous"),
        ),
    ],
)
def test_callback_maps_to_its_event(query: str, expected: Event) -> None:
    assert parse(query) == expected


def test_body_is_ignored_because_callbacks_are_gets() -> None:
    request = CallbackRequest("POST", "", f"STATUS=SUCCESS&TYPE=0&CODE=200&{IDS}".encode())
    assert OtpService.parse_callback(request) == (Unrecognised("", "", "", problem="empty"),)
