"""Answers with any content: the outcome is one of three, and no paid call is repeated by guess."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from providers.gateway.client import Client
from providers.gateway.errors import GatewayError, NotDone
from providers.gateway.http.client import Deadlines
from providers.gateway.vocabulary import Outcome
from tests.providers.clients.fake_transport import raw_answer
from tests.providers.clients.samples import PAID, SAMPLES
from tests.providers.clients.test_declarations import CLIENT_CALLS
from tests.providers.clients.test_odd_answers import outcome_of
from tests.providers.gateway.http.callers import Caller
from tests.providers.gateway.http.raw_server import Peer, RawServer

from .examples import json_values, search, texts

pytestmark = pytest.mark.fuzz
OUTCOMES = {"done", *Outcome}
REPEATABLE_STATUSES = {301, 307, 308, 429}
"""Statuses that say that the request was not carried out."""
PATIENT = Deadlines(connect=30, read=30, total=60)
HEADERS = ("retry-after", "content-type", "content-length", "content-encoding", "location")
paid_calls = st.sampled_from([one for one in CLIENT_CALLS if one[1] in PAID])
headers = st.dictionaries(st.sampled_from(HEADERS), texts, max_size=3)
statuses = st.sampled_from([200, 200, 200, 201, 204, 400, 401, 403, 404, 408, 409, 429, 500, 503])


@st.composite
def bodies(draw: st.DrawFn, sample: str) -> bytes:
    """The provider's own sample with changes, in any encoding, or anything."""
    fields = json.loads(sample)
    changes = draw(st.dictionaries(st.sampled_from(sorted(fields)) | texts, json_values))
    without = draw(st.sets(st.sampled_from(sorted(fields)), max_size=2))
    changed = {name: one for name, one in {**fields, **changes}.items() if name not in without}
    text = json.dumps(changed, ensure_ascii=draw(st.booleans()))
    body = text.encode(draw(st.sampled_from(("utf-8", "utf-16", "gb18030"))), "replace")
    return draw(st.sampled_from([body, body[: len(body) // 2]]) | st.binary(max_size=200))


@search
@given(call=paid_calls, status=statuses, given_headers=headers, data=st.data())
def test_paid_call_is_repeated_only_after_a_status_that_allows_it(
    call: tuple[type[Client], str], status: int, given_headers: dict[str, str], data: Any
) -> None:
    client, method = call
    body = data.draw(bodies(SAMPLES[client.key, method]))
    outcome, _, _ = outcome_of(client, method, raw_answer(body, status, **given_headers))
    assert outcome in OUTCOMES
    if outcome == Outcome.NOT_DONE:
        assert status in REPEATABLE_STATUSES
    if status >= 500:
        assert outcome in (Outcome.UNKNOWN, Outcome.REFUSED)


@st.composite
def raw_answers(draw: st.DrawFn) -> bytes:
    """What a server may write: status line, headers and body, each of them broken or not."""
    status = draw(st.integers(100, 599) | st.integers(0, 99999))
    line = draw(st.sampled_from([f"HTTP/1.1 {status} OK", f"HTTP/1.0 {status}", "HTTP/1.1", "OK"]))
    body = draw(st.sampled_from([b"{}", b'{"status":"S"}', b""]) | st.binary(max_size=100))
    lengths = st.sampled_from([str(len(body)), str(len(body) + 5), "-1", "x", "9" * 30])
    names = st.sampled_from(["Content-Length", "Transfer-Encoding", "Content-Encoding", "X"])
    words = lengths | st.sampled_from(["chunked", "gzip", "br", "identity, chunked"])
    lines = [f"{name}: {word}" for name, word in draw(st.lists(st.tuples(names, words)))]
    ends = draw(st.sampled_from(["\r\n", "\n", "\r"]))
    head = ends.join([line, *lines, "", ""]).encode("latin-1")
    return draw(st.sampled_from([head + body, head, body, head[: len(head) // 2]]))


@search
@given(raw=raw_answers() | st.binary(max_size=300))
@example(raw=b"")
def test_paid_request_that_was_read_is_never_not_done_by_a_broken_answer(raw: bytes) -> None:
    def behave(peer: Peer) -> None:
        peer.read_request()
        peer.send(raw)

    server = RawServer(behave)
    # The server always closes, so a long wait means a slow machine.
    caller = Caller(server.url, deadlines=PATIENT)
    failure: GatewayError | None = None
    try:
        caller.pay()
    except GatewayError as error:
        failure = error
    finally:
        caller.connections.close()
        server.close()
    if isinstance(failure, NotDone):
        assert failure.http_status in REPEATABLE_STATUSES
    assert server.connections == 1
    assert len(server.requests) == 1
