"""Parse the two callbacks of the OTP Service: GET with STATUS, MSG, TYPE, CODE, MSGID, EXTID."""

from __future__ import annotations

from typing import Final

from providers.gateway.events import (
    CallbackRequest,
    DeliveryReported,
    Event,
    Unrecognised,
    VerificationReported,
)
from providers.gateway.vocabulary import DeliveryState, Reason
from providers.gateway.words import is_no_id, look_up, table, verdict_of, word_of

from .json_fields import CallbackFields, collect_fields, parse_query_pairs
from .parsing import id_of

SEND_STATUS: Final = "0"
VERIFICATION: Final = "1"
"""The two values of `TYPE`."""

CODES: Final = frozenset({"200", "400", "500"})
DELIVERY: Final = {
    (True, "200"): DeliveryState.DELIVERED,
    (False, "400"): DeliveryState.UNDELIVERED,
    (False, "500"): DeliveryState.UNDELIVERED,
}
"""By STATUS (SUCCESS or ERROR) and CODE."""
VERIFIED: Final = {(True, "200"): True, (False, "400"): False, (False, "500"): False}
"""Evidence only: this callback has no RESULT, and anybody who knows the address can call it."""

PASSED: Final = table({True: "PASS|PASSED", False: "FAILED|FAIL"})
"""Values of `RESULT`. Only words for passing a check verify a code, not every word for success.

It is documented for answers only. A callback that has it is read by it."""

REASONS: Final = {"400": Reason.BAD_NUMBER, "500": Reason.PROVIDER_FAULT}
"""`CODE` 400 is "Wrong number" here and "Incorrect request parameters" in answers."""

REFERENCE: Final = ("extid", "eid")
"""The document names our reference `eid`, and `EXTID` where it is sent back."""
READ: Final = frozenset({"status", "code", "type", "msg", "msgid", "result", *REFERENCE})
DECISIVE: Final = READ - {"msg"}


def parse_report(request: CallbackRequest) -> tuple[Event, ...]:
    pairs = parse_query_pairs(request.query)
    if pairs is None:
        return (Unrecognised("", "", "", problem="unreadable"),)
    if not pairs:
        return (Unrecognised("", "", "", problem="empty"),)
    return (_event(collect_fields(pairs)),)


def _event(report: CallbackFields) -> Event:
    reference = id_of(report.get(*REFERENCE))
    reference = "" if is_no_id(reference) else reference
    provider_id = id_of(report.get("msgid"))
    provider_id = "" if is_no_id(provider_id) else provider_id
    fields = {name: report.original[name] for name in report.original if name.lower() not in READ}
    verdict, code = verdict_of(report.get("status")), word_of(report.get("code"))
    status = report.get("status") if verdict is None else report.get("status").upper()
    said = (status, report.get("code"), report.get("msg"), report.get("result"))
    words = " ".join(word for word in said if word)
    problem = _problem(report, verdict, code, named=bool(reference or provider_id))
    if problem or verdict is None:
        return Unrecognised(reference, provider_id, words, fields, problem)
    stated = (verdict, code)
    if code in REASONS:
        fields["reason"] = REASONS[code].value
    if word_of(report.get("type")) == SEND_STATUS:
        return DeliveryReported(reference, provider_id, words, fields, DELIVERY[stated])
    passed = look_up(PASSED, report.get("result"))
    succeeded = VERIFIED[stated] if passed is None else passed
    return VerificationReported(reference, provider_id, words, fields, succeeded)


def _problem(report: CallbackFields, verdict: bool | None, code: str, *, named: bool) -> str:
    if report.ambiguous & DECISIVE:
        return "ambiguous"
    kind = word_of(report.get("type"))
    if not (report.get("status") and code and kind and named):
        return "incomplete"
    if verdict is None or code not in CODES or kind not in (SEND_STATUS, VERIFICATION):
        return "unknown_word"
    result = report.get("result")
    passed = look_up(PASSED, result)
    if kind == VERIFICATION and result and passed is None:
        return "unknown_word"
    is_denied = kind == VERIFICATION and passed is True and not verdict
    return "contradiction" if is_denied or (verdict, code) not in DELIVERY else ""
