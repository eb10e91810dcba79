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

from .json_fields import CallbackFields, collect_fields, parse_query_pairs
from .parsing import NO_IDS, id_of

SEND_STATUS: Final = "0"
VERIFICATION: Final = "1"
"""The two values of `TYPE`."""

STATUSES: Final = frozenset({"SUCCESS", "ERROR"})
CODES: Final = frozenset({"200", "400", "500"})
DELIVERY: Final = {
    ("SUCCESS", "200"): DeliveryState.DELIVERED,
    ("ERROR", "400"): DeliveryState.UNDELIVERED,
    ("ERROR", "500"): DeliveryState.UNDELIVERED,
}
VERIFIED: Final = {("SUCCESS", "200"): True, ("ERROR", "400"): False, ("ERROR", "500"): False}
"""Evidence only: this callback has no RESULT, and anybody who knows the address can call it."""

REASONS: Final = {"400": Reason.BAD_NUMBER, "500": Reason.PROVIDER_FAULT}
"""`CODE` 400 is "Wrong number" here and "Incorrect request parameters" in answers."""

READ: Final = frozenset({"status", "code", "type", "msg", "msgid", "extid"})


def parse_report(request: CallbackRequest) -> tuple[Event, ...]:
    pairs = parse_query_pairs(request.query)
    if pairs is None:
        return (Unrecognised("", "", "", problem="unreadable"),)
    if not pairs:
        return (Unrecognised("", "", "", problem="empty"),)
    return (_event(collect_fields(pairs)),)


def _event(report: CallbackFields) -> Event:
    reference = id_of(report.get("extid"))
    provider_id = id_of(report.get("msgid"))
    provider_id = "" if provider_id in NO_IDS else provider_id
    stated = (report.get("status").upper(), report.get("code"))
    words = " ".join(word for word in (*stated, report.get("msg")) if word)
    fields = {name: report.original[name] for name in report.original if name.lower() not in READ}
    problem = _problem(report, stated, named=bool(reference or provider_id))
    if problem:
        return Unrecognised(reference, provider_id, words, fields, problem)
    if stated[1] in REASONS:
        fields["reason"] = REASONS[stated[1]].value
    if report.get("type") == SEND_STATUS:
        return DeliveryReported(reference, provider_id, words, fields, DELIVERY[stated])
    return VerificationReported(reference, provider_id, words, fields, VERIFIED[stated])


def _problem(report: CallbackFields, stated: tuple[str, str], *, named: bool) -> str:
    if report.ambiguous:
        return "ambiguous"
    status, code = stated
    kind = report.get("type")
    if not (status and code and kind and named):
        return "incomplete"
    if status not in STATUSES or code not in CODES or kind not in (SEND_STATUS, VERIFICATION):
        return "unknown_word"
    return "" if stated in DELIVERY else "contradiction"
