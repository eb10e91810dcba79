"""Answers, redirects, our own defects, and stopped threads."""

from __future__ import annotations

import pytest

from providers.gateway.answers import raise_for_status
from providers.gateway.errors import GatewayError, NotDone, OutcomeUnknown
from providers.gateway.vocabulary import Outcome, Reason

from .callers import MakeCaller, Serve
from .raw_server import Peer, always, answer


def close_after_reading(peer: Peer) -> None:
    peer.read_request()


def test_parsed_answer_is_returned(serve: Serve, caller: MakeCaller) -> None:
    server = serve(always(answer(b'{"status":"S"}')))
    assert caller(server.url).pay() == {"status": "S"}


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_redirect_is_not_followed(serve: Serve, caller: MakeCaller, status: int) -> None:
    target = serve(always(answer()))
    location = f"Location: {target.url}/elsewhere"
    server = serve(always(answer(b"", status=f"{status} Moved", headers=(location,))))
    with pytest.raises(GatewayError) as raised:
        caller(server.url).pay()
    assert (raised.value.reason, target.connections) == (Reason.REDIRECTED, 0)


def test_redirect_to_an_invalid_url_is_a_redirect(serve: Serve, caller: MakeCaller) -> None:
    server = serve(always(answer(b"", status="301 Moved", headers=("Location: http://[",))))
    with pytest.raises(NotDone) as raised:
        caller(server.url).pay()
    assert raised.value.reason is Reason.REDIRECTED


def test_error_carries_the_http_status(serve: Serve, caller: MakeCaller) -> None:
    server = serve(always(answer(b"<html>", status="502 Bad Gateway")))
    with pytest.raises(OutcomeUnknown) as raised:
        caller(server.url).pay()
    assert raised.value.http_status == 502


def test_client_defect_leaves_a_paid_call_unknown(serve: Serve, caller: MakeCaller) -> None:
    def faulty(answer_: object) -> None:
        raise KeyError("order_id")

    server = serve(always(answer()))
    with pytest.raises(OutcomeUnknown) as raised:
        caller(server.url).pay(parse=faulty)
    assert raised.value.reason is Reason.PORTAL_FAULT


def test_client_defect_leaves_a_read_not_done(serve: Serve, caller: MakeCaller) -> None:
    def faulty(answer_: object) -> None:
        raise RecursionError

    server = serve(always(answer()))
    with pytest.raises(NotDone) as raised:
        caller(server.url).read(parse=faulty)
    assert raised.value.reason is Reason.PORTAL_FAULT


def test_failing_limiter_leaves_the_call_not_done(
    serve: Serve, caller: MakeCaller, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(operation: object) -> None:
        raise RuntimeError("no database")

    server = serve(always(answer()))
    made = caller(server.url)
    monkeypatch.setattr(made.limiter, "wait", fail)
    with pytest.raises(NotDone):
        made.pay()
    assert server.connections == 0


# --- stopped threads -------------------------------------------------------


def test_thread_stopped_during_the_call_is_recorded_as_unknown(
    serve: Serve, caller: MakeCaller, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stop(*arguments: object) -> None:
        raise SystemExit

    monkeypatch.setattr("providers.gateway.http.client.read_body", stop)
    made = caller(serve(always(answer())).url)
    with pytest.raises(SystemExit):
        made.pay()
    assert [record.outcome for record in made.records] == [Outcome.UNKNOWN]


def test_thread_stopped_before_the_call_is_recorded_as_not_done(
    serve: Serve, caller: MakeCaller, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stop(*arguments: object) -> None:
        raise KeyboardInterrupt

    made = caller(serve(always(answer())).url)
    monkeypatch.setattr("providers.gateway.http.connection.resolve", stop)
    with pytest.raises(KeyboardInterrupt):
        made.pay()
    assert [record.outcome for record in made.records] == [Outcome.NOT_DONE]


def test_error_being_handled_does_not_affect_the_reason(serve: Serve, caller: MakeCaller) -> None:
    server = serve(close_after_reading)
    made = caller(server.url)
    try:
        raise TimeoutError
    except TimeoutError:
        with pytest.raises(OutcomeUnknown) as raised:
            made.pay(parse=raise_for_status)
    assert raised.value.reason is Reason.CUT_OFF
