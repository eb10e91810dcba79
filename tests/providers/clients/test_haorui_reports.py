"""Delivery reports of HAORUI's platform, in every known form."""

from __future__ import annotations

import json
from urllib.parse import urlencode

import pytest

from providers.clients.haorui import Haorui
from providers.gateway.events import CallbackRequest, DeliveryReported, Event, Unrecognised
from providers.gateway.vocabulary import DeliveryState as S

REPORT = {
    "uid": "m-4f1d2c",
    "message_id": "26471304",
    "PhoneNumber": "8613312345678",
    "DLRStatus": "Delivered",
    "SMSID": "sms-001",
    "ClientCost": 0.05,
    "ErrorCode": "",
    "ErrorDescription": "",
    "Remarks": "",
}
REST = {
    "PhoneNumber": "8613312345678",
    "SMSID": "sms-001",
    "ClientCost": "0.05",
    "ErrorCode": "",
    "ErrorDescription": "",
    "Remarks": "",
}
DELIVERED = DeliveryReported("m-4f1d2c", "26471304", "Delivered", REST, S.DELIVERED)


def parse_post(payload: object, content_type: str = "application/json") -> tuple[Event, ...]:
    body = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
    return Haorui.parse_callback(CallbackRequest("POST", "", body, content_type))


def parse_get(query: str) -> tuple[Event, ...]:
    return Haorui.parse_callback(CallbackRequest("GET", query, b""))


def test_json_object_by_post_is_read() -> None:
    assert parse_post(REPORT) == (DELIVERED,)


def test_json_is_read_under_any_content_type() -> None:
    assert parse_post(REPORT, "") == (DELIVERED,)
    assert parse_post(REPORT, "application/x-www-form-urlencoded") == (DELIVERED,)


def test_form_by_post_and_query_by_get_are_read() -> None:
    form = urlencode(REPORT)
    assert parse_post(form.encode(), "application/x-www-form-urlencoded") == (DELIVERED,)
    assert parse_get(form) == (DELIVERED,)


def test_array_keeps_its_order_despite_a_bad_row() -> None:
    events = parse_post([REPORT, 5, {**REPORT, "uid": "m-2", "DLRStatus": "Failed"}])
    assert events[0] == DELIVERED
    assert events[1] == Unrecognised("", "", "", problem="unreadable")
    assert events[2] == DeliveryReported("m-2", "26471304", "Failed", REST, S.UNDELIVERED)


def test_at_most_a_thousand_reports_are_read() -> None:
    assert len(parse_post([REPORT] * 1000)) == 1000
    assert parse_post([REPORT] * 1001) == (Unrecognised("", "", "", problem="too_many"),)


@pytest.mark.parametrize(
    "names",
    [
        ("uid", "message_id", "DLRStatus"),
        ("UID", "MessageID", "dlr_status"),
        ("Uid", "MessageId", "Status"),
        ("uid", "MESSAGE_ID", "status"),
    ],
)
def test_field_names_are_read_in_every_spelling(names: tuple[str, str, str]) -> None:
    (event,) = parse_post(dict(zip(names, ("m-1", 77, "Delivered"), strict=True)))
    assert event == DeliveryReported("m-1", "77", "Delivered", {}, S.DELIVERED)


@pytest.mark.parametrize(
    ("word", "state"),
    [
        ("S", S.SUBMITTED),
        ("Success", S.SUBMITTED),
        ("成功", S.SUBMITTED),
        ("Pending", S.IN_TRANSIT),
        ("QUEUED", S.IN_TRANSIT),
        ("Scheduled", S.IN_TRANSIT),
        ("0", S.IN_TRANSIT),
        ("ENROUTE", S.IN_TRANSIT),
        ("1", S.IN_TRANSIT),
        ("BUFFERED", S.IN_TRANSIT),
        ("Acknowledged", S.IN_TRANSIT),
        ("ACKED", S.IN_TRANSIT),
        ("SENT", S.IN_TRANSIT),
        ("Accepted", S.IN_TRANSIT),
        ("ACCEPTD", S.IN_TRANSIT),
        ("6", S.IN_TRANSIT),
        ("Delivered", S.DELIVERED),
        (" delivered ", S.DELIVERED),
        ("DELIVRD", S.DELIVERED),
        ("2", S.DELIVERED),
        ("Expired", S.EXPIRED),
        ("3", S.EXPIRED),
        ("DELETED", S.UNDELIVERED),
        ("4", S.UNDELIVERED),
        ("Undeliverable", S.UNDELIVERED),
        ("UNDELIV", S.UNDELIVERED),
        ("5", S.UNDELIVERED),
        ("UNDELIVERED", S.UNDELIVERED),
        ("Failed", S.UNDELIVERED),
        ("SKIPPED", S.UNDELIVERED),
        ("9", S.UNDELIVERED),
        ("Rejected", S.REJECTED),
        ("REJECTD", S.REJECTED),
        ("8", S.REJECTED),
        ("DND", S.REJECTED),
        ("BLOCKED", S.REJECTED),
        ("NOROUTE", S.REJECTED),
        ("Unknown", S.UNKNOWN_REPORT),
        ("7", S.UNKNOWN_REPORT),
    ],
)
def test_status_word_maps_to_its_state(word: str, state: S) -> None:
    (event,) = parse_post({"uid": "m-1", "DLRStatus": word})
    assert event == DeliveryReported("m-1", "", word.strip(), {}, state)


def test_smpp_status_may_be_a_json_number() -> None:
    (event,) = parse_post({"uid": "m-1", "DLRStatus": 2})
    assert isinstance(event, DeliveryReported)
    assert event.state is S.DELIVERED


def test_unknown_status_word_is_kept_as_unrecognised() -> None:
    (event,) = parse_post({"uid": "m-1", "message_id": 5, "DLRStatus": "Teleported"})
    assert event == Unrecognised("m-1", "5", "Teleported", {}, "unknown_word")


def test_error_details_are_part_of_the_words() -> None:
    (event,) = parse_post(
        {**REPORT, "DLRStatus": "Failed", "ErrorCode": 13, "ErrorDescription": "absent"}
    )
    assert event.words == "Failed 13 absent"


@pytest.mark.parametrize(
    "payload",
    [
        b'{"uid":"m-1","DLRStatus":"Delivered","DLRStatus":"Failed"}',
        b'{"uid":"m-1","UID":"m-2","DLRStatus":"Delivered"}',
        b'{"uid":["m-1","m-2"],"DLRStatus":"Delivered"}',
        b'{"uid":[["m-1"]],"DLRStatus":"Delivered"}',
        b'{"uid":"m-1","DLRStatus":{"a":"Delivered"}}',
    ],
)
def test_repeated_or_nested_fields_are_ambiguous(payload: bytes) -> None:
    (event,) = parse_post(payload)
    assert isinstance(event, Unrecognised)
    assert event.problem == "ambiguous"


def test_list_of_one_value_is_that_value() -> None:
    assert parse_post({name: [value] for name, value in REPORT.items()}) == (DELIVERED,)


@pytest.mark.parametrize(
    "envelope",
    [
        {"data": REPORT},
        {"reports": [REPORT]},
        {"code": 0, "status": "ok", "Data": [REPORT]},
        {"sign": "x", "data": json.dumps(REPORT)},
    ],
)
def test_reports_in_an_envelope_are_read(envelope: object) -> None:
    assert parse_post(envelope) == (DELIVERED,)


@pytest.mark.parametrize(
    "payload",
    [
        {"data": REPORT, "other": REPORT},
        {"data": [REPORT, 5]},
        {"message": json.dumps(REPORT)},
        {"a": {"b": REPORT}},
    ],
)
def test_what_may_be_no_envelope_is_not_opened(payload: object) -> None:
    (event,) = parse_post(payload)
    assert isinstance(event, Unrecognised)


def test_envelope_of_a_form_and_form_under_the_type_of_json_are_read() -> None:
    form = urlencode({"sign": "x", "data": json.dumps(REPORT)}).encode()
    assert parse_post(form, "application/x-www-form-urlencoded") == (DELIVERED,)
    assert parse_post(urlencode(REPORT).encode(), "application/json") == (DELIVERED,)


def test_at_most_a_thousand_reports_are_read_from_an_envelope() -> None:
    too_many = (Unrecognised("", "", "", problem="too_many"),)
    assert parse_post({"data": [REPORT] * 1001}) == too_many


def test_padding_with_nul_is_no_part_of_a_word() -> None:
    assert parse_post({**REPORT, "DLRStatus": "Delivered\0\0"}) == (DELIVERED,)


def test_repeated_or_nested_parameters_are_ambiguous() -> None:
    for query in ("uid=m-1&DLRStatus=Delivered&dlrstatus=Failed", "uid[]=m-1&DLRStatus=Delivered"):
        (event,) = parse_get(query)
        assert isinstance(event, Unrecognised)
        assert event.problem == "ambiguous"


@pytest.mark.parametrize(
    ("status", "dlr_status"), [("F", "DELIVRD"), ("Delivered", "UNDELIV"), ("EXPIRED", "2")]
)
def test_two_statuses_that_contradict_each_other_move_nothing(status: str, dlr_status: str) -> None:
    (event,) = parse_post({"uid": "m-1", "status": status, "DLRStatus": dlr_status})
    assert isinstance(event, Unrecognised)
    assert (event.reference, event.problem) == ("m-1", "contradiction")


@pytest.mark.parametrize(("dlr_status", "state"), [("DELIVRD", S.DELIVERED), ("F", S.UNDELIVERED)])
def test_status_of_the_submission_may_stand_beside_that_of_delivery(
    dlr_status: str, state: S
) -> None:
    (event,) = parse_post({"uid": "m-1", "status": "S", "DLRStatus": dlr_status})
    assert isinstance(event, DeliveryReported)
    assert event.state is state


@pytest.mark.parametrize(
    "payload",
    [{"uid": "m-1"}, {"DLRStatus": "Delivered"}, {"message_id": "0", "DLRStatus": "Delivered"}],
)
def test_report_without_id_or_status_is_incomplete(payload: object) -> None:
    (event,) = parse_post(payload)
    assert isinstance(event, Unrecognised)
    assert event.problem == "incomplete"


RECEIPT = (
    "id:26471304 sub:001 dlvrd:001 submit date:2512031050 done date:2512031051"
    " stat:DELIVRD err:000 text:your code is 112233 stat:REJECTD"
)


@pytest.mark.parametrize(
    "event",
    [
        *parse_post(RECEIPT.encode(), "text/plain"),
        *parse_post({"receipt": RECEIPT}),
        *parse_post(urlencode({"receipt": RECEIPT}).encode(), "application/x-www-form-urlencoded"),
        *parse_get(urlencode({"dlr": RECEIPT})),
    ],
)
def test_smpp_receipt_is_read_up_to_its_text(event: Event) -> None:
    assert isinstance(event, DeliveryReported)
    assert (event.provider_id, event.words) == ("26471304", "DELIVRD 000")
    assert event.state is S.DELIVERED
    assert "112233" not in repr(event.fields)


def test_message_text_is_neither_passed_on_nor_read_as_a_receipt() -> None:
    (event,) = parse_post({"uid": "m-1", "SMSMessage": "your code is 112233 id:1 stat:DELIVRD"})
    assert event == Unrecognised("m-1", "", "", {}, "incomplete")


def test_body_takes_precedence_over_the_query() -> None:
    request = CallbackRequest("POST", "uid=m-9&DLRStatus=Failed", json.dumps(REPORT).encode())
    assert Haorui.parse_callback(request) == (DELIVERED,)
