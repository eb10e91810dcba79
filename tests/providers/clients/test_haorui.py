"""HAORUI, by its document: "Single sending interface"."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from providers.clients.haorui import SEND, Haorui
from providers.gateway.call import Request
from providers.gateway.client import CannotTake
from providers.gateway.errors import NotDone, OutcomeUnknown, Refused
from providers.gateway.vocabulary import Encoding, Reason, SmsKind, Submission

from .fake_transport import (
    Case,
    Failure,
    credential_of,
    json_answer,
    open_client,
    parametrize_cases,
    raw_answer,
)
from .samples import CALLBACK_URL, HAORUI_SENT, MESSAGE, REFERENCE, TEXT

REMARKS = "Message Submitted Sucessfully"


def answer(**changes: object) -> dict[str, object]:
    return {"message_id": 26471304, "status": "S", "remarks": REMARKS, "uid": None, **changes}


SENT = [
    Case("the document's sample", raw_answer(HAORUI_SENT), Submission("26471304", REMARKS)),
    Case("our uid echoed", json_answer(answer(uid=REFERENCE)), Submission("26471304", REMARKS)),
    Case("an id that is text", json_answer(answer(message_id="0071")), Submission("0071", REMARKS)),
    Case("no id", json_answer(answer(message_id="")), Submission("", REMARKS, ("no_id",))),
    Case(
        "null for an id", json_answer(answer(message_id=None)), Submission("", REMARKS, ("no_id",))
    ),
    Case("0 for an id", json_answer(answer(message_id=0)), Submission("", REMARKS, ("no_id",))),
    Case("nothing but S", json_answer({"status": "S"}), Submission("", "", ("no_id",))),
    Case(
        "the uid of another message",
        json_answer(answer(uid="m-other")),
        Submission("26471304", REMARKS, ("other_reference",)),
    ),
    Case(
        "10,000 characters of remarks",
        json_answer(answer(remarks="x" * 10_000)),
        Submission("26471304", "x" * 1999 + "…"),
    ),
    Case(
        "failure",
        json_answer({"status": "F", "remarks": "Insufficient balance", "message_id": ""}),
        Failure(Refused, Reason.OTHER_REFUSAL, "Insufficient balance"),
    ),
    Case(
        "failure under HTTP 500: the body decides first",
        json_answer({"status": "F", "remarks": "IP not Whitelisted"}, 500),
        Failure(Refused, Reason.OTHER_REFUSAL, "IP not Whitelisted"),
    ),
    Case(
        "failure under HTTP 429",
        json_answer({"status": "F", "remarks": "slower"}, 429),
        Failure(NotDone, Reason.RATE_LIMITED, "slower"),
    ),
    Case(
        "HTTP 429 beside the id of a message is not repeated",
        json_answer(answer(status="queued"), 429),
        Failure(OutcomeUnknown, Reason.CONTRADICTION, REMARKS),
    ),
    Case(
        "failure under HTTP 429 beside the id of a message is not repeated",
        json_answer(answer(status="F"), 429),
        Failure(OutcomeUnknown, Reason.CONTRADICTION, REMARKS),
    ),
    Case(
        "missing parameters, reported as HTTP 404",
        json_answer({"StatusCode": 404, "ReasonPhrase": "Missing Parameters"}, 404),
        Failure(Refused, Reason.PARAMETERS, "Missing Parameters"),
    ),
    Case(
        "a wrong address",
        raw_answer("<html>Not Found</html>", 404),
        Failure(Refused, Reason.NOTHING_THERE),
    ),
    Case(
        "an unknown word",
        json_answer(answer(status="Q", remarks="queued")),
        Failure(OutcomeUnknown, Reason.UNREADABLE, "queued"),
    ),
    Case(
        "0, which means failure in some interfaces only",
        json_answer(answer(status=0)),
        Failure(OutcomeUnknown, Reason.UNREADABLE, REMARKS),
    ),
    Case(
        "words instead of an id",
        json_answer(answer(message_id="no credit")),
        Submission("", f"{REMARKS} no credit", ("no_id",)),
    ),
    Case(
        "the word in lower case",
        json_answer(answer(status="s", remarks="")),
        Submission("26471304", ""),
    ),
    Case(
        "success under HTTP 500",
        json_answer(answer(), 500),
        Failure(OutcomeUnknown, Reason.CONTRADICTION, REMARKS),
    ),
    Case(
        "success under HTTP 429 is not repeated",
        json_answer(answer(), 429),
        Failure(OutcomeUnknown, Reason.CONTRADICTION, REMARKS),
    ),
    Case(
        "a list of answers, as for a bulk send",
        raw_answer(f"[{HAORUI_SENT}]"),
        Failure(OutcomeUnknown, Reason.UNREADABLE),
    ),
]


@parametrize_cases(SENT)
def test_answer_to_sending_a_text(case: Case) -> None:
    case.check(Haorui, lambda client: client.send_text(MESSAGE))


def test_message_is_sent_as_json_with_reference_and_callback_url() -> None:
    client, transport = open_client(Haorui, raw_answer(HAORUI_SENT))
    client.send_text(MESSAGE)
    fields = {
        "api_id": credential_of("api_id"),
        "api_password": credential_of("api_password"),
        "sms_type": "T",
        "encoding": "U",
        "sender_id": "LIASMT",
        "phonenumber": "8613312345678",
        "textmessage": TEXT,
        "uid": REFERENCE,
        "callback_url": CALLBACK_URL,
    }
    secrets = (TEXT, CALLBACK_URL, "tokentokentokentoken")
    assert transport.calls == [
        (SEND, Request("POST", "/api/SendSMS", json=fields, secrets=secrets))
    ]


def test_t_is_transactional_in_sms_type_and_latin_in_encoding() -> None:
    client, transport = open_client(Haorui, raw_answer(HAORUI_SENT))
    client.send_text(replace(MESSAGE, kind=SmsKind.MARKETING, encoding=Encoding.GSM7))
    fields = transport.calls[0][1].json or {}
    assert (fields["sms_type"], fields["encoding"]) == ("P", "T")


def test_empty_callback_url_is_not_sent() -> None:
    client, transport = open_client(Haorui, raw_answer(HAORUI_SENT))
    client.send_text(replace(MESSAGE, callback_url=""))
    request = transport.calls[0][1]
    assert "callback_url" not in (request.json or {})
    assert request.secrets == (TEXT,)


@pytest.mark.parametrize(
    "changes",
    [
        {"recipient": "+8613312345678,8613900000000"},
        {"recipient": "8613312345678\n"},
        {"recipient": "+0613312345678"},
        {"recipient": "+１３３１２３４５６７８"},
        {"recipient": "+12345"},
        {"recipient": "+1234567890123456"},
        {"recipient": ""},
        {"text": ""},
        {"sender_id": ""},
        {"reference": ""},
        {"reference": "x" * 33},
        {"reference": "a b"},
        {"reference": "a&b"},
    ],
)
def test_unsupported_message_is_refused_without_a_call(changes: dict[str, Any]) -> None:
    client, transport = open_client(Haorui, raw_answer(HAORUI_SENT))
    with pytest.raises(CannotTake) as refused:
        client.send_text(replace(MESSAGE, **changes))
    assert refused.value.text % refused.value.values
    assert transport.calls == []


def test_sender_ids_come_from_the_account() -> None:
    assert Haorui.sender_ids({"sender_ids": ["LIASMT", "HAORUI"]}) == ("LIASMT", "HAORUI")
    assert Haorui.sender_ids({}) == ()


def test_default_allows_one_call_in_flight() -> None:
    assert Haorui.pace.in_flight == 1


def test_no_default_host_receives_the_password() -> None:
    assert Haorui.default_base_url == ""
