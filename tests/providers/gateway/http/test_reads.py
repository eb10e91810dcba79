"""Reads are retried, and a 429 slows the account down."""

from __future__ import annotations

import pytest

from providers.gateway.call import Operation
from providers.gateway.errors import NotDone, Refused
from providers.gateway.http.client import AddressPolicy
from providers.gateway.vocabulary import Outcome, Reason

from .callers import CONFIRMED, PAID, POST, MakeCaller, Serve, parse
from .raw_server import Peer, always, answer, once


def close_after_reading(peer: Peer) -> None:
    peer.read_request()


BROKEN = once(answer(b"<html>", status="502 Bad Gateway", headers=("Connection: close",)))
LIMITED = answer(b"", status="429 Too Many Requests")


def test_read_succeeds_at_the_fourth_attempt(serve: Serve, caller: MakeCaller) -> None:
    unreadable = once(answer(b"{", headers=("Connection: close",)))
    server = serve(BROKEN, close_after_reading, unreadable, always(answer(b'{"a": 1}')))
    assert caller(server.url).read() == {"a": 1}


def test_read_gives_up_after_four_attempts(serve: Serve, caller: MakeCaller) -> None:
    server = serve(close_after_reading)
    with pytest.raises(NotDone):
        caller(server.url).read()
    assert len(server.requests) == 4


def test_pauses_between_attempts_grow(serve: Serve, caller: MakeCaller) -> None:
    made = caller(serve(BROKEN).url)
    with pytest.raises(NotDone):
        made.read()
    grown = [pause / least for least, pause in zip((0.5, 1, 2), made.sleeps, strict=True)]
    assert all(1 <= part <= 1.25 for part in grown)


def test_every_attempt_is_recorded(serve: Serve, caller: MakeCaller) -> None:
    made = caller(serve(BROKEN, always(answer())).url)
    made.read()
    assert [(record.attempt, record.outcome) for record in made.records] == [
        (1, Outcome.NOT_DONE),
        (2, Outcome.DONE),
    ]


def test_every_attempt_waits_for_the_limiter(serve: Serve, caller: MakeCaller) -> None:
    made = caller(serve(BROKEN, always(answer())).url)
    made.read()
    assert made.limiter.waits == 2


def test_read_without_an_answer_is_not_done(serve: Serve, caller: MakeCaller) -> None:
    made = caller(serve(close_after_reading).url)
    with pytest.raises(NotDone) as raised:
        made.read()
    assert raised.value.reason is Reason.CUT_OFF


def test_unreachable_provider_is_retried(caller: MakeCaller) -> None:
    made = caller("http://provider.invalid")
    with pytest.raises(NotDone):
        made.read()
    assert len(made.sleeps) == 3


def test_refusal_is_not_retried(serve: Serve, caller: MakeCaller) -> None:
    made = caller(serve(always(answer(b"", status="404 Not Found"))).url)
    with pytest.raises(Refused):
        made.read()
    assert made.sleeps == []


def test_redirect_is_not_retried(serve: Serve, caller: MakeCaller) -> None:
    made = caller(serve(always(answer(b"", status="302 Found"))).url)
    with pytest.raises(NotDone) as raised:
        made.read()
    assert (raised.value.reason, made.sleeps) == (Reason.REDIRECTED, [])


def test_forbidden_address_is_not_retried(serve: Serve, caller: MakeCaller) -> None:
    made = caller(serve(always(answer())).url, policy=AddressPolicy(allow_http=True))
    with pytest.raises(NotDone):
        made.read()
    assert made.sleeps == []


# --- 429 -------------------------------------------------------------------


def test_429_slows_the_account_down(serve: Serve, caller: MakeCaller) -> None:
    made = caller(serve(always(LIMITED)).url)
    with pytest.raises(NotDone) as raised:
        made.read()
    assert raised.value.reason is Reason.RATE_LIMITED
    assert [5 <= seconds <= 10 for seconds in made.limiter.slowed] == [True]


def test_429_does_not_block_the_thread(serve: Serve, caller: MakeCaller) -> None:
    made = caller(serve(always(LIMITED)).url)
    with pytest.raises(NotDone):
        made.read()
    assert made.sleeps == []


def test_retry_after_sets_the_slowdown(serve: Serve, caller: MakeCaller) -> None:
    limited = answer(b"", status="429 Too Many Requests", headers=("Retry-After: 17",))
    made = caller(serve(always(limited)).url)
    with pytest.raises(NotDone) as raised:
        made.read()
    assert (made.limiter.slowed, raised.value.retry_after) == ([17.0], 17.0)


def test_retry_after_of_zero_is_ignored(serve: Serve, caller: MakeCaller) -> None:
    limited = answer(b"", status="429 Too Many Requests", headers=("Retry-After: 0",))
    made = caller(serve(always(limited)).url)
    with pytest.raises(NotDone):
        made.pay()
    assert [5 <= seconds <= 10 for seconds in made.limiter.slowed] == [True]


@pytest.mark.parametrize("operation", [PAID, CONFIRMED], ids=lambda operation: operation.effect)
def test_429_slows_the_account_down_for_any_call(
    serve: Serve, caller: MakeCaller, operation: Operation
) -> None:
    made = caller(serve(always(LIMITED)).url)
    with pytest.raises(NotDone):
        made.http_client.call(operation, POST, parse)
    assert len(made.limiter.slowed) == 1


def test_documented_error_under_429_also_slows_the_account_down(
    serve: Serve, caller: MakeCaller
) -> None:
    def documented(answer_: object) -> None:
        raise Refused(Reason.NO_BALANCE)

    made = caller(serve(always(LIMITED)).url)
    with pytest.raises(Refused):
        made.pay(parse=documented)
    assert len(made.limiter.slowed) == 1


def test_failing_slowdown_changes_no_outcome(
    serve: Serve, caller: MakeCaller, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(seconds: float) -> None:
        raise RuntimeError

    made = caller(serve(always(LIMITED)).url)
    monkeypatch.setattr(made.limiter, "slow_down", fail)
    with pytest.raises(NotDone) as raised:
        made.pay()
    assert raised.value.reason is Reason.RATE_LIMITED
