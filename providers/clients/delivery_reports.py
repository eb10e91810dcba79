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
from providers.gateway.words import is_no_id, look_up, table

from .json_fields import (
    CallbackFields,
    collect_fields,
    looks_like_json,
    parse_json_pairs,
    parse_multipart_pairs,
    parse_query_pairs,
    percent_encoded,
)
from .parsing import id_of

MOST_REPORTS: Final = 1000

STATES: Final = table(
    {
        DeliveryState.SUBMITTED: "S|SUCCESS|SUCCEEDED|SUBMITTED|TRUE|成功|提交成功",
        # ACCEPTED means anything from "accepted for delivery" to "read on the subscriber's
        # behalf", depending on the platform. It never counts as delivered.
        DeliveryState.IN_TRANSIT: (
            "PENDING|QUEUED|SCHEDULED|ENROUTE|EN_ROUTE|BUFFERED|ACKNOWLEDGED|ACKED|SENT|ACCEPTED"
            "|ACCEPTD|0|1|6|发送中|已发送"
        ),
        # Final for some providers, temporary for others.
        DeliveryState.UNKNOWN_REPORT: "UNKNOWN|UNKNOWN_STATUS|7|未知",
        DeliveryState.EXPIRED: "EXPIRED|3|已过期|过期",
        # DELETED: the message centre dropped the message. F, and its like, is the other word of
        # S: such a message was not sent on.
        DeliveryState.UNDELIVERED: (
            "UNDELIVERABLE|UNDELIV|UNDELIVERED|NOT DELIVERED|NOT_DELIVERED|NON_DELIVERED|FAILED"
            "|FAIL|FAILURE|F|ERROR|FALSE|SKIPPED|DELETED|4|5|9|失败|失敗|提交失败|发送失败|未送达"
            "|送达失败"
        ),
        DeliveryState.REJECTED: "REJECTED|REJECTD|DND|BLOCKED|NOROUTE|8|拒绝|已拒绝",
        DeliveryState.DELIVERED: "DELIVERED|DELIVRD|2|已送达|送达|送达成功",
    }
)
"""Status words of the platform and of SMPP, and SMPP's numbers for them. Each word is listed with
its opposite, so that no pair is half known."""

FAILED: Final = frozenset(
    {DeliveryState.EXPIRED, DeliveryState.UNDELIVERED, DeliveryState.REJECTED}
)
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
    reports = _unpacked(reports)
    if not reports:
        return (_unrecognised("empty"),)
    if len(reports) > MOST_REPORTS:
        return (_unrecognised("too_many"),)
    return tuple(_event(report) for report in reports)


def _reports(request: CallbackRequest) -> list[object] | None:
    body, content_type = request.body, request.content_type
    is_empty = not body.strip()
    if looks_like_json(body, content_type):
        return parse_json_pairs(body, content_type)
    if "json" in content_type.lower() and (is_empty or b"=" not in body):
        return None if is_empty else parse_json_pairs(body, content_type)
    if is_empty:
        return _as_reports(parse_query_pairs(request.query))
    if "multipart/form-data" in content_type.lower():
        return _as_reports(parse_multipart_pairs(body, content_type))
    return _as_reports(parse_query_pairs(percent_encoded(body), content_type))


def _as_reports(pairs: Sequence[tuple[str, object]] | None) -> list[object] | None:
    """One report. A form whose only field contains JSON has the reports of that JSON."""
    if pairs is None:
        return None
    if len(pairs) == 1 and isinstance(pairs[0][1], str):
        value = pairs[0][1].encode("utf-8", "backslashreplace")
        if looks_like_json(value) and (read := parse_json_pairs(value)) is not None:
            return read
    return [tuple(pairs)] if pairs else []


def _unpacked(reports: list[object]) -> list[object]:
    """The reports in an envelope such as {"code": 0, "data": [...]}, whatever its name.

    Only an object that says nothing itself is one, and only if a single field has reports.
    """
    if len(reports) != 1 or not isinstance(reports[0], tuple):
        return reports
    fields = [(CallbackFields.normalized(str(name)), value) for name, value in reports[0]]
    if (READ - {"status"}).intersection(name for name, _value in fields):
        return reports
    found = [
        inner
        for name, value in fields
        # A text of a message may look like a report.
        if not (name in TEXTS and isinstance(value, str)) and (inner := _reports_in(value))
    ]
    return found[0] if len(found) == 1 else reports


def _reports_in(value: object) -> list[object]:
    """The reports that a field has, as an object, a list of them, or JSON in a text."""
    if isinstance(value, str):
        data = value.encode("utf-8", "backslashreplace")
        value = (parse_json_pairs(data) if looks_like_json(data) else None) or []
    listed = [value] if isinstance(value, tuple) else value
    if not isinstance(listed, list) or not all(isinstance(one, tuple) for one in listed):
        return []
    return listed


def _event(report: object) -> Event:
    if not isinstance(report, tuple):
        return _unrecognised("unreadable")
    fields = collect_fields(report)
    status, state = _status_in(fields)
    receipt = {} if status else _receipt_in(fields)
    reference = id_of(fields.get(*REFERENCE))
    reference = "" if is_no_id(reference) else reference
    provider_id = id_of(fields.get(*PROVIDER_ID) or receipt.get("messageid", ""))
    provider_id = "" if is_no_id(provider_id) else provider_id
    if not status:
        status = receipt.get("status", "")
        state = look_up(STATES, status)
    details = [fields.get(name) for name in DETAILS] + [receipt.get("errorcode", "")]
    words = " ".join(word for word in (status, *details) if word)
    problem = _problem(fields, status, state, bool(reference or provider_id))
    if problem or state is None:
        return Unrecognised(reference, provider_id, words, _rest(fields), problem)
    return DeliveryReported(reference, provider_id, words, _rest(fields), state)


def _status_in(fields: CallbackFields) -> tuple[str, DeliveryState | None]:
    """The status as the provider wrote it, and what it means.

    A status that is said twice in words of one meaning is unambiguous.
    """
    status = fields.get(*STATUS)
    if status:
        return status, look_up(STATES, status)
    for name in STATUS:
        said = fields.repeated.get(name, ())
        states = {look_up(STATES, word) for word in said if word}
        if len(states) == 1 and (state := states.pop()) is not None:
            return fields.values[name], state
    return "", None


def _problem(fields: CallbackFields, status: str, state: DeliveryState | None, named: bool) -> str:
    if _contradict_each_other(fields):
        return "contradiction"
    unclear = fields.ambiguous & READ
    if unclear and not (state is not None and unclear <= set(STATUS) & fields.repeated.keys()):
        return "ambiguous"
    if not status or not named:
        return "incomplete"
    return "unknown_word" if state is None else ""


def _contradict_each_other(fields: CallbackFields) -> bool:
    """Whether one field reports delivery and the other one failure. `status` alone may be that of
    the submission, which says nothing about delivery."""
    states = {look_up(STATES, fields.get(name)) for name in STATUS}
    return DeliveryState.DELIVERED in states and bool(states & FAILED)


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
