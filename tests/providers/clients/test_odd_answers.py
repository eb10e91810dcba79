"""Odd answers: no call counts as done that was not, and nothing breaks."""

from __future__ import annotations

import json
from itertools import product
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from providers.gateway.call import Answer
from providers.gateway.client import Client
from providers.gateway.errors import GatewayError, NotDone
from providers.gateway.registry import clients
from providers.gateway.vocabulary import Outcome, Reason

from .fake_transport import json_answer, open_client, raw_answer
from .samples import CALLS, PAID, SAMPLES
from .storable import assert_storable
from .test_declarations import CLIENT_CALLS, for_every_call

UNREADABLE = {
    "a web page": b"<html>502 Bad Gateway</html>",
    "nothing": b"",
    "blanks": b" \r\n",
    "cut off in a word": '{"msg":"a427","result":"成'.encode()[:-1],
    "cut off in an object": b'{"status":"S","order_id":12345,"phone":"+62812',
    "a list": b"[]",
    "a list of objects": b'[{"status":"S"}]',
    "a word": b'"ok"',
    "null": b"null",
    "a number": b"5",
    "true": b"true",
    "no keys": b"{}",
    "other keys": b'{"ok":true,"success":"yes"}',
    "a key twice": b'{"status":"F","status":"S","result":"True","result":"False"}',
    "STATUS twice": b'{"STATUS":"ERROR","STATUS":"SUCCESS","CODE":"200","MSGID":"1"}',
    "order_id twice": b'{"order_id":12345,"order_id":12346,"phone":"+6281234567890"}',
    "NaN": b'{"balance":NaN,"order_id":12345,"phone":"+62","status":"S","result":"True"}',
    "Infinity": b'{"balance":-Infinity,"status":"S","message":"ok","total":1}',
    "too deep": b"[" * 100_000,
    "deep in an object": b'{"data":' * 50_000,
    "an endless integer": b'{"total":' + b"9" * 5000 + b"}",
    "an endless fraction": b'{"balance":1e400000}',
    "no UTF-8": b'{"status":"S\xff"}',
    "NUL": b"\x00\x00\x00\x00",
    "null values": b'{"status":null,"STATUS":null,"CODE":null,"result":null,"order_id":null}',
    "lists as values": b'{"status":[],"STATUS":{},"CODE":[200],"result":["True"],"orders":{}}',
}

REFUSED = [400, 401, 402, 403, 404, 405, 406, 409, 410, 411, 412, 413, 415, 418, 422, 451, 499]
UNKNOWN = [100, 300, 302, 303, 304, 305, 408, 500, 501, 502, 503, 504, 520, 599]
REDIRECTED = [301, 307, 308]

ODD_VALUES: list[object] = [
    None,
    True,
    False,
    0,
    -1,
    10**300,
    0.30000000000000004,
    "",
    "0",
    " ",
    "x" * 10_000,
    "nul\0inside",
    "\ud800",
    "\u202eright to left",
    "🙂\u200b",
    "NaN",
    "9999-12-31T23:59:59-14:00",
    "2025-12-03 10:50:00",
    "１２３",
    "../../user/balance",
    [],
    {},
    [[["deep"]]],
]


def call(client: type[Client], method: str, answer: Answer) -> object:
    opened, transport = open_client(client, answer)
    try:
        return CALLS[method](opened)
    finally:
        assert len(transport.calls) == 1


def outcome_of(
    client: type[Client], method: str, answer: Answer
) -> tuple[str, Reason | None, int | None]:
    """Outcome, reason and HTTP status."""
    try:
        call(client, method, answer)
    except GatewayError as error:
        return error.outcome, error.reason, error.http_status
    return "done", None, None


@for_every_call
def test_unreadable_answer_leaves_the_outcome_unknown(client: type[Client], method: str) -> None:
    outcomes = {
        name: outcome_of(client, method, raw_answer(body)) for name, body in UNREADABLE.items()
    }
    assert outcomes == dict.fromkeys(UNREADABLE, (Outcome.UNKNOWN, Reason.UNREADABLE, 200))


@for_every_call
@pytest.mark.parametrize("body", ["", "<html>no</html>", "{}", "[]"])
def test_4xx_is_a_refusal(client: type[Client], method: str, body: str) -> None:
    outcomes = [outcome_of(client, method, raw_answer(body, status)) for status in REFUSED]
    assert [(outcome, status) for outcome, _, status in outcomes] == [
        (Outcome.REFUSED, status) for status in REFUSED
    ]


@for_every_call
@pytest.mark.parametrize("body", ["", "<html>503 no available server</html>", "{}"])
def test_5xx_or_odd_status_leaves_the_outcome_unknown(
    client: type[Client], method: str, body: str
) -> None:
    outcomes = {
        status: outcome_of(client, method, raw_answer(body, status))[0] for status in UNKNOWN
    }
    assert outcomes == dict.fromkeys(UNKNOWN, Outcome.UNKNOWN)


@for_every_call
@pytest.mark.parametrize("status", REDIRECTED)
def test_permanent_redirect_is_not_done(client: type[Client], method: str, status: int) -> None:
    with pytest.raises(NotDone) as not_done:
        call(client, method, raw_answer("", status, location="http://elsewhere.example/"))
    assert not_done.value.reason is Reason.REDIRECTED
    assert not_done.value.pauses_account


@for_every_call
@pytest.mark.parametrize(("header", "seconds"), [("7", 7.0), ("3600", 60.0), ("soon", None)])
def test_429_is_not_done_and_carries_its_retry_after(
    client: type[Client], method: str, header: str, seconds: float | None
) -> None:
    with pytest.raises(NotDone) as not_done:
        call(client, method, raw_answer("slow down", 429, retry_after=header))
    assert not_done.value.reason is Reason.RATE_LIMITED
    assert not_done.value.retry_after == seconds


@for_every_call
@pytest.mark.parametrize("status", [201, 301, 302, 400, 404, 408, 429, 500, 502, 503])
def test_success_under_a_failure_status_is_neither_believed_nor_repeated(
    client: type[Client], method: str, status: int
) -> None:
    outcome, _, _ = outcome_of(client, method, raw_answer(SAMPLES[client.key, method], status))
    if status == 201:
        assert outcome in ("done", "unknown")
    elif method in PAID and status >= 500:
        assert outcome == "unknown"
    else:
        assert outcome != "done"
    assert outcome != "not_done" or (status in (301, 429) and method not in PAID)


@pytest.mark.slow
@for_every_call
def test_missing_key_never_breaks_anything(client: type[Client], method: str) -> None:
    sample = json.loads(SAMPLES[client.key, method])
    for key in sample:
        assert_tolerates(client, method, {name: sample[name] for name in sample if name != key})


@pytest.mark.slow
@for_every_call
def test_odd_value_never_breaks_anything(client: type[Client], method: str) -> None:
    sample = json.loads(SAMPLES[client.key, method])
    for odd, (key, value) in product(ODD_VALUES, sample.items()):
        assert_tolerates(client, method, {**sample, key: odd})
        if isinstance(value, list) and value:
            assert_tolerates(client, method, {**sample, key: [odd, *value]})
            for inner in value[0]:
                assert_tolerates(client, method, {**sample, key: [{**value[0], inner: odd}]})


def assert_tolerates(client: type[Client], method: str, payload: object) -> None:
    try:
        assert_storable(result_or_error_words(client, method, json_answer(payload)))
    except Exception as error:
        error.add_note(f"The answer was {payload!r:.300}")
        raise


def result_or_error_words(client: type[Client], method: str, answer: Answer) -> object:
    try:
        return call(client, method, answer)
    except GatewayError as error:
        return error.words


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@pytest.mark.slow
@given(st.sampled_from(CLIENT_CALLS), st.data(), st.sampled_from([200, 200, 400, 404, 429, 500]))
def test_any_answer_raises_only_contract_errors(
    client_call: tuple[type[Client], str], data: Any, status: int
) -> None:
    client, method = client_call
    sample = json.loads(SAMPLES[client.key, method])
    changes = data.draw(st.dictionaries(st.sampled_from(sorted(sample)), json_values))
    assert_storable(
        result_or_error_words(client, method, json_answer({**sample, **changes}, status))
    )


@given(st.sampled_from(CLIENT_CALLS), st.binary(), st.integers(100, 599))
def test_random_bytes_are_never_a_success(
    client_call: tuple[type[Client], str], body: bytes, status: int
) -> None:
    with pytest.raises(GatewayError):
        call(*client_call, raw_answer(body, status))


def test_every_client_and_call_has_a_sample() -> None:
    assert {client.key for client, _ in CLIENT_CALLS} == set(clients())
    assert {(client.key, method) for client, method in CLIENT_CALLS} == set(SAMPLES)
