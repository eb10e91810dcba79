"""Parse the delivery reports that HAORUI's platform pushes.

HAORUI's document promises reports without giving a format. Platforms with the same interface post
JSON with `uid`, `message_id`, `PhoneNumber`, `DLRStatus`, `SMSID`, `ErrorCode` and
`ErrorDescription`, in several spellings. Arrays, forms, GET and the text form of SMPP receipts are
read as well. Nothing here raises on any bytes.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from providers.gateway.events import CallbackRequest, DeliveryReported, Event, Unrecognised
from providers.gateway.vocabulary import DeliveryState

from .json_fields import (
    CallbackFields,
    collect_fields,
    parse_json_pairs,
    parse_multipart_pairs,
    parse_query_pairs,
)
from .parsing import NO_IDS, id_of

MOST_REPORTS: Final = 1000

_BY_STATE: Final = {
    DeliveryState.SUBMITTED: "S SUCCESS 成功",
    # ACCEPTED means anything from "accepted for delivery" to "read on the subscriber's behalf",
    # depending on the platform. It never counts as delivered.
    DeliveryState.IN_TRANSIT: (
        "PENDING QUEUED SCHEDULED ENROUTE BUFFERED ACKNOWLEDGED ACKED SENT ACCEPTED ACCEPTD 0 1 6"
    ),
    # Final for some providers, temporary for others.
    DeliveryState.UNKNOWN_REPORT: "UNKNOWN 7",
    DeliveryState.EXPIRED: "EXPIRED 3",
    # DELETED: the message centre dropped the message.
    DeliveryState.UNDELIVERED: ("UNDELIVERABLE UNDELIV UNDELIVERED FAILED SKIPPED DELETED 4 5 9"),
    DeliveryState.REJECTED: "REJECTED REJECTD DND BLOCKED NOROUTE 8",
    DeliveryState.DELIVERED: "DELIVERED DELIVRD 2",
}
STATES: Final = {word: state for state, words in _BY_STATE.items() for word in words.split()}
"""Status words of the platform and of SMPP, and SMPP's numbers for them."""

REFERENCE: Final = ("uid",)
PROVIDER_ID: Final = ("messageid",)
STATUS: Final = ("dlrstatus", "status")
DETAILS: Final = ("errorcode", "errordescription", "remarks")
READ: Final = frozenset({*REFERENCE, *PROVIDER_ID, *STATUS})
TEXTS: Final = frozenset({"smsmessage", "message", "textmessage", "text", "content", "body"})
"""The text of the message. It may contain a code, so it is never passed on."""

_RECEIPT_TEXT: Final = re.compile(r"\btext:", re.IGNORECASE)
_RECEIPT: Final = {
    "status": re.compile(r"\bstat:\s*([A-Za-z]{1,20})", re.IGNORECASE),
    "messageid": re.compile(r"\bid:\s*([^\s&]{1,100})", re.IGNORECASE),
    "errorcode": re.compile(r"\berr:\s*([A-Za-z0-9]{1,20})", re.IGNORECASE),
}


def parse_reports(request: CallbackRequest) -> tuple[Event, ...]:
    """The events of a callback's body, or of its query if there is no body. Never of both,
    because they could disagree."""
    reports = _reports(request)
    if reports is None:
        return (_unrecognised("unreadable"),)
    if not reports:
        return (_unrecognised("empty"),)
    if len(reports) > MOST_REPORTS:
        return (_unrecognised("too_many"),)
    return tuple(_event(report) for report in reports)


def _reports(request: CallbackRequest) -> list[object] | None:
    body = request.body.strip()
    if body.startswith((b"{", b"[", b"\xef\xbb\xbf")) or "json" in request.content_type.lower():
        return parse_json_pairs(body) if body else None
    if body and "multipart/form-data" in request.content_type.lower():
        return _as_one_report(parse_multipart_pairs(body, request.content_type))
    form = body.decode("utf-8", "backslashreplace") if body else request.query
    return _as_one_report(parse_query_pairs(form))


def _as_one_report(pairs: Sequence[tuple[str, object]] | None) -> list[object] | None:
    if pairs is None:
        return None
    return [tuple(pairs)] if pairs else []


def _event(report: object) -> Event:
    if not isinstance(report, tuple):
        return _unrecognised("unreadable")
    fields = collect_fields(report)
    receipt = {} if fields.get(*STATUS) else _receipt_in(fields)
    reference = id_of(fields.get(*REFERENCE))
    provider_id = id_of(fields.get(*PROVIDER_ID) or receipt.get("messageid", ""))
    provider_id = "" if provider_id in NO_IDS else provider_id
    status = fields.get(*STATUS) or receipt.get("status", "")
    details = [fields.get(name) for name in DETAILS] + [receipt.get("errorcode", "")]
    words = " ".join(word for word in (status, *details) if word)
    state = STATES.get(status.upper())
    problem = _problem(fields, status, state, bool(reference or provider_id))
    if problem or state is None:
        return Unrecognised(reference, provider_id, words, _rest(fields), problem)
    return DeliveryReported(reference, provider_id, words, _rest(fields), state)


def _problem(fields: CallbackFields, status: str, state: DeliveryState | None, named: bool) -> str:
    if fields.ambiguous & READ:
        return "ambiguous"
    if not status or not named:
        return "incomplete"
    return "unknown_word" if state is None else ""


def _receipt_in(fields: CallbackFields) -> dict[str, str]:
    """The fields of an SMPP receipt (`id:… sub:… stat:DELIVRD err:000 text:…`) in any field.

    The part after `text:` is the text of the message, so it is ignored.
    """
    for name, value in fields.original.items():
        if fields.normalized(name) in TEXTS:
            continue
        head = _RECEIPT_TEXT.split(f"{name} {value}", maxsplit=1)[0]
        if _RECEIPT["status"].search(head):
            found = {key: pattern.search(head) for key, pattern in _RECEIPT.items()}
            return {key: match.group(1) for key, match in found.items() if match}
    return {}


def _rest(fields: CallbackFields) -> dict[str, str]:
    return {
        name: _RECEIPT_TEXT.split(value, maxsplit=1)[0]
        for name, value in fields.original.items()
        if fields.normalized(name) not in READ | TEXTS
    }


def _unrecognised(problem: str) -> Unrecognised:
    return Unrecognised("", "", "", problem=problem)
