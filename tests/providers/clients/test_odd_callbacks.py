"""Odd callbacks: none raises, none is lost, and none is over-interpreted."""

from __future__ import annotations

from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from providers.gateway.client import ReceivesCallbacks
from providers.gateway.events import (
    CallbackRequest,
    DeliveryReported,
    Event,
    Unrecognised,
    VerificationReported,
)
from providers.gateway.registry import clients
from providers.gateway.vocabulary import DeliveryState

from .storable import assert_storable

RECEIVERS = [client for client in clients().values() if issubclass(client, ReceivesCallbacks)]
for_every_receiver = pytest.mark.parametrize("client", RECEIVERS, ids=lambda client: client.key)

QUERIES = [
    "",
    "&&&",
    "=",
    "%",
    "%ff%fe",
    "%00=%00",
    "STATUS=%c0%af&MSGID=%00&EXTID=%ed%a0%80",
    "uid=%00&message_id=%ff&DLRStatus=Delivered%00",
    "STATUS=ERROR&STATUS=SUCCESS&TYPE=0&CODE=200&EXTID=a",
    "MSGID[]=1&STATUS=SUCCESS&TYPE=0&CODE=200",
    "a[b]=c",
    "EXTID=a%250d%250aINFO+fake+line&MSG=%0d%0aINFO+fake",
    "&".join(f"k{number}=v" for number in range(5000)),
    "STATUS=" + "x" * 100_000,
    "\ud800=\udfff",
    "uid=\ufffd",
]
BODIES = [
    b"",
    b"\x00",
    b"\xff\xfe\xfd",
    b"\xef\xbb\xbf",
    b'\xef\xbb\xbf{"uid":"a"}',
    b"{",
    b"[",
    b"{}",
    b"[]",
    b"[[]]",
    b'[null, 5, "x", {}]',
    b"null",
    b"5",
    b'"x"',
    b"[" * 100_000,
    b'{"a":' * 50_000,
    b'{"uid":' + b"9" * 5000 + b"}",
    b'{"uid":"\\ud800","DLRStatus":"\\u0000"}',
    b'{"uid":NaN,"message_id":1e999,"DLRStatus":Infinity}',
    b'{"uid":{"a":1},"message_id":[1],"DLRStatus":[]}',
    b'{"DLRStatus":"Delivered","DLRStatus":"Failed","uid":"a"}',
    b'[{"uid":"a","DLRStatus":"Delivered"}]' + b" " * 70_000,
    b"uid=%ff&DLRStatus=%00",
    b'--boundary\r\nContent-Disposition: form-data; name="uid"\r\n\r\na\r\n--boundary--',
    "id:\u0660 stat:DELIVRD".encode(),
    '{"uid":"a","DLRStatus":"Delivered"}'.encode("utf-16"),
]
CONTENT_TYPES = [
    "",
    "application/json",
    "application/x-www-form-urlencoded",
    "multipart/form-data; boundary=boundary",
    "text/plain; charset=no-such-charset",
]


def check(client: type[ReceivesCallbacks], request: CallbackRequest) -> tuple[Event, ...]:
    events = client.parse_callback(request)
    assert events
    for event in events:
        assert isinstance(event, (DeliveryReported, VerificationReported, Unrecognised))
        assert len(event.reference) <= 100
        assert len(event.provider_id) <= 100
        assert isinstance(event, Unrecognised) == bool(getattr(event, "problem", ""))
        assert_storable(event)
    assert client.parse_callback(request) == events
    return events


@for_every_receiver
@pytest.mark.parametrize("method", ["GET", "POST", "PUT", ""])
def test_no_callback_raises(client: type[ReceivesCallbacks], method: str) -> None:
    for query, body, content_type in product(QUERIES, BODIES, CONTENT_TYPES):
        check(client, CallbackRequest(method, query, body, content_type))


@for_every_receiver
def test_empty_callback_is_unrecognised(
    client: type[ReceivesCallbacks],
) -> None:
    (event,) = check(client, CallbackRequest("GET", "", b""))
    assert event == Unrecognised("", "", "", problem="empty")


requests = st.builds(
    CallbackRequest,
    method=st.sampled_from(["GET", "POST"]),
    query=st.text(),
    body=st.binary(),
    content_type=st.sampled_from(CONTENT_TYPES),
)


@given(st.sampled_from(RECEIVERS), requests)
def test_random_bytes_never_raise(
    client: type[ReceivesCallbacks], request: CallbackRequest
) -> None:
    check(client, request)


words = st.text(st.characters(categories=["Lu", "Ll", "Nd"]), min_size=1, max_size=12)
KNOWN = {"success", "error", "s", "成功"}


@given(words, words, words)
def test_an_unknown_word_never_becomes_a_known_state(status: str, code: str, kind: str) -> None:
    query = f"STATUS=x{status}&CODE={code}&TYPE={kind}&EXTID=a&uid=a"
    for key in ("haorui", "otpservice"):
        client = clients()[key]
        assert issubclass(client, ReceivesCallbacks)
        (event,) = check(client, CallbackRequest("GET", query, b""))
        assert isinstance(event, Unrecognised)
        assert event.reference == "a"
        assert status.upper() in event.words.upper()


def test_only_listed_words_mean_delivered() -> None:
    haorui = clients()["haorui"]
    assert issubclass(haorui, ReceivesCallbacks)
    for word in ("deliver", "delivered!", "not delivered", "delivrd2", "d", "22", "０２"):
        request = CallbackRequest("GET", f"uid=a&DLRStatus={word}", b"")
        (event,) = haorui.parse_callback(request)
        assert getattr(event, "state", None) is not DeliveryState.DELIVERED
