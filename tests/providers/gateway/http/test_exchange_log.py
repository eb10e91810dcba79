"""The journal record of a call: one per attempt, redacted, storable and short."""

from __future__ import annotations

import datetime

import pytest

from core.redaction import HIDDEN
from providers import clock
from providers.gateway.call import Effect, Operation, Request
from providers.gateway.errors import NotDone, OutcomeUnknown, Refused
from providers.gateway.http import exchange_log
from providers.gateway.vocabulary import Outcome, Reason

from .callers import POST, Caller, MakeCaller, Serve, parse
from .raw_server import Peer, always, answer, once

ORDER = Operation(
    "place_order",
    Effect.PAID,
    hidden=frozenset({"code", "content"}),
    masked=frozenset({"phone"}),
    readable_in_error=frozenset({"code"}),
)


def test_call_is_recorded_once_with_its_outcome(serve: Serve, caller: MakeCaller) -> None:
    server = serve(always(answer(b'{"a": 1}')))
    made = caller(server.url)
    made.pay()
    (record,) = made.records
    assert (record.operation, record.subject, record.method, record.attempt) == (
        "send",
        "message:42",
        "POST",
        1,
    )
    assert (record.outcome, record.reason, record.http_status) == (Outcome.DONE, None, 200)
    assert (record.url, record.request_body, record.answer_body) == (
        f"{server.url}/send",
        '{"number": 1}',
        '{"a": 1}',
    )


def test_time_and_duration_are_recorded(serve: Serve, caller: MakeCaller) -> None:
    def slow(peer: Peer) -> None:
        peer.read_request()
        peer.closing.wait(0.1)
        peer.send(answer())

    made = caller(serve(slow).url)
    before = datetime.datetime.now(datetime.UTC)
    made.pay()
    (record,) = made.records
    assert before <= record.started_at <= datetime.datetime.now(datetime.UTC)
    assert 0.1 <= record.duration < 2


def test_time_is_that_of_the_clock_that_the_portal_names(
    serve: Serve, caller: MakeCaller, monkeypatch: pytest.MonkeyPatch
) -> None:
    named = datetime.datetime(2026, 1, 2, tzinfo=datetime.UTC)
    monkeypatch.setattr(exchange_log, "_now", lambda: named)
    made = caller(serve(always(answer())).url)
    made.pay()
    assert [record.started_at for record in made.records] == [named]


def test_portal_names_the_clock_that_all_hosts_share() -> None:
    assert exchange_log._now is clock.now


def test_record_has_the_outcome_of_parsing(serve: Serve, caller: MakeCaller) -> None:
    def refuse(answer_: object) -> None:
        raise Refused(Reason.NO_BALANCE)

    made = caller(serve(always(answer())).url)
    with pytest.raises(Refused):
        made.pay(parse=refuse)
    assert (made.records[0].outcome, made.records[0].reason) == (
        Outcome.REFUSED,
        Reason.NO_BALANCE,
    )


def test_call_that_was_never_sent_is_recorded(caller: MakeCaller) -> None:
    made = caller("http://provider.invalid/api")
    with pytest.raises(NotDone):
        made.pay()
    assert [(each.outcome, each.reason, each.url) for each in made.records] == [
        (Outcome.NOT_DONE, Reason.NAME_NOT_FOUND, "http://provider.invalid/api/send")
    ]


def test_received_part_of_a_broken_answer_is_kept(serve: Serve, caller: MakeCaller) -> None:
    made = caller(serve(once(b'HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{"sta')).url)
    with pytest.raises(OutcomeUnknown):
        made.pay()
    assert (made.records[0].answer_body, made.records[0].http_status) == ('{"sta', 200)


def test_declared_fields_are_redacted_everywhere(serve: Serve, caller: MakeCaller) -> None:
    body = b'{"order_id": 7, "phone": "+6281234567890", "code": "123456", "content": null}'
    made = caller(serve(always(answer(body))).url)
    fields = {"phone": "+6281234567890", "Code": "abc"}
    made.http_client.call(ORDER, Request("POST", "/order", query=fields, json=fields), parse)
    (record,) = made.records
    assert record.url.endswith(f"/order?phone=+628••••••7890&Code={HIDDEN}")
    assert record.request_body == f'{{"phone": "+628••••••7890", "Code": "{HIDDEN}"}}'
    assert record.answer_body == (
        f'{{"order_id": 7, "phone": "+628••••••7890", "code": "{HIDDEN}", "content": null}}'
    )


def test_field_may_be_readable_in_an_error(serve: Serve, caller: MakeCaller) -> None:
    body = b'{"code": "NO_BALANCE", "content": "1234"}'
    made = caller(serve(always(answer(body, status="402 Payment Required"))).url)
    with pytest.raises(Refused):
        made.http_client.call(ORDER, POST, parse)
    assert made.records[0].answer_body == f'{{"code": "NO_BALANCE", "content": "{HIDDEN}"}}'


def test_headers_are_not_kept(serve: Serve, caller: MakeCaller) -> None:
    made = caller(serve(always(answer(headers=("X-Token: theirs",)))).url)
    made.pay(Request("POST", "/", headers={"Authorization": "Bearer ours"}))
    assert not {"theirs", "ours"} & set(repr(made.records[0]).replace("'", " ").split())


def recorded_body(serve: Serve, caller: MakeCaller, body: bytes) -> str:
    made = caller(serve(always(answer(body))).url)
    made.pay(parse=lambda answer_: None)
    kept: str = made.records[0].answer_body
    return kept


def test_long_body_is_cut_at_4_kib_between_characters(serve: Serve, caller: MakeCaller) -> None:
    kept = recorded_body(serve, caller, "验".encode() * 5000)
    assert kept == "验" * 1364 + "…"


def test_body_of_4_kib_is_kept_completely(serve: Serve, caller: MakeCaller) -> None:
    assert recorded_body(serve, caller, b"x" * 4096) == "x" * 4096


def test_request_body_is_cut_too(serve: Serve, caller: MakeCaller) -> None:
    made = caller(serve(always(answer())).url)
    made.pay(Request("POST", "/", form={"text": "x" * 9000}))
    assert len(made.records[0].request_body.encode()) == 4096


def test_cut_body_does_not_end_in_part_of_a_secret(serve: Serve, caller: MakeCaller) -> None:
    secret = "k" * 40
    made = caller(
        serve(always(answer(b"x" * 4080 + secret.encode()))).url, credentials={"a": secret}
    )
    made.pay(parse=lambda answer_: None)
    assert "k" not in made.records[0].answer_body


def test_part_of_a_secret_does_not_follow_a_long_hidden_value(
    serve: Serve, caller: MakeCaller
) -> None:
    secret = "k" * 40
    body = b'{"content": "' + b"y" * (64 * 1024 - 33) + b'", "a": "' + secret.encode() + b'"}'
    made = caller(serve(always(answer(body))).url, credentials={"a": secret})
    made.http_client.call(ORDER, POST, lambda answer_: None)
    assert "k" not in made.records[0].answer_body


def test_bytes_of_no_charset_are_escaped(serve: Serve, caller: MakeCaller) -> None:
    assert recorded_body(serve, caller, b"\xff\x80 ok") == "\\xff\\x80 ok"


def test_nul_is_shown_as_its_symbol(serve: Serve, caller: MakeCaller) -> None:
    assert recorded_body(serve, caller, b"a\x00b") == "a␀b"


def test_lone_surrogate_can_be_stored(serve: Serve, caller: MakeCaller) -> None:
    made = caller(serve(always(answer())).url)
    made.pay(Request("POST", "/", json={"text": "\ud800 验"}))
    assert made.records[0].request_body.encode() == '{"text": "\\ud800 验"}'.encode()


# --- a recorder that fails -------------------------------------------------


@pytest.fixture
def broken(serve: Serve, caller: MakeCaller, monkeypatch: pytest.MonkeyPatch) -> Caller:
    def fail(record: object) -> None:
        raise RuntimeError("disk full")

    made = caller(serve(always(answer(b'{"a": 1}'))).url)
    monkeypatch.setattr(made.recorder, "record", fail)
    return made


def test_failing_recorder_loses_no_result(broken: Caller) -> None:
    assert broken.pay() == {"a": 1}


def test_failing_recorder_changes_no_error(broken: Caller) -> None:
    def refuse(answer_: object) -> None:
        raise Refused(Reason.NO_BALANCE)

    with pytest.raises(Refused):
        broken.pay(parse=refuse)


def test_failing_recorder_is_logged(broken: Caller, caplog: pytest.LogCaptureFixture) -> None:
    broken.pay()
    assert "send failed: RuntimeError in" in caplog.text


def test_body_that_cannot_be_redacted_is_hidden_completely(
    serve: Serve, caller: MakeCaller, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*arguments: object) -> str:
        raise RecursionError

    made = caller(serve(always(answer(b'{"a": 1}'))).url)
    monkeypatch.setattr("providers.gateway.http.exchange_log.storable", fail)
    made.pay()
    assert [(each.outcome, each.answer_body) for each in made.records] == [(Outcome.DONE, HIDDEN)]
