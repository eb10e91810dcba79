"""Bodies within the limits, and compression bombs."""

from __future__ import annotations

import gzip
import tracemalloc
import zlib

import pytest

from providers.gateway.call import Answer
from providers.gateway.errors import OutcomeUnknown
from providers.gateway.vocabulary import Reason

from .callers import MakeCaller, Serve
from .raw_server import always, answer, once

LIMIT = 1024 * 1024
GZIPPED = ("Content-Encoding: gzip",)


def body_of(answer_: Answer) -> bytes:
    return answer_.body


def test_body_of_exactly_the_limit_is_accepted(serve: Serve, caller: MakeCaller) -> None:
    server = serve(always(answer(b"x" * LIMIT)))
    assert len(caller(server.url).pay(parse=body_of)) == LIMIT


def test_compressed_body_is_decoded(serve: Serve, caller: MakeCaller) -> None:
    server = serve(always(answer(gzip.compress(b'{"a": 1}'), headers=GZIPPED)))
    assert caller(server.url).pay(parse=body_of) == b'{"a": 1}'


def test_body_compressed_in_two_members_is_decoded(serve: Serve, caller: MakeCaller) -> None:
    members = gzip.compress(b'{"a":') + gzip.compress(b" 1}")
    server = serve(always(answer(members, headers=GZIPPED)))
    assert caller(server.url).pay(parse=body_of) == b'{"a": 1}'


def test_empty_body_may_be_declared_compressed(serve: Serve, caller: MakeCaller) -> None:
    server = serve(always(answer(b"", headers=GZIPPED)))
    assert caller(server.url).pay(parse=body_of) == b""


def test_truncated_compressed_body_is_cut_off(serve: Serve, caller: MakeCaller) -> None:
    half = gzip.compress(b'{"a": "' + b"x" * 100 + b'"}')[:-12]
    server = serve(always(answer(half, headers=GZIPPED)))
    with pytest.raises(OutcomeUnknown) as raised:
        caller(server.url).pay()
    assert raised.value.reason is Reason.CUT_OFF


def test_compression_bomb_is_not_unpacked(serve: Serve, caller: MakeCaller) -> None:
    packer = zlib.compressobj(9, zlib.DEFLATED, 16 + zlib.MAX_WBITS)
    block = b"\0" * LIMIT
    bomb = b"".join(packer.compress(block) for _ in range(64)) + packer.flush()
    made = caller(serve(once(answer(bomb, headers=GZIPPED))).url)
    tracemalloc.start()
    try:
        with pytest.raises(OutcomeUnknown) as raised:
            made.pay()
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert (raised.value.reason, peak < 16 * LIMIT) == (Reason.UNREADABLE, True)


def test_body_of_a_redirect_is_limited_too(serve: Serve, caller: MakeCaller) -> None:
    server = serve(once(answer(b"x" * (LIMIT + 1), status="301 Moved", headers=("Location: /",))))
    with pytest.raises(OutcomeUnknown) as raised:
        caller(server.url).pay()
    assert raised.value.reason is Reason.UNREADABLE


def test_chunks_are_joined(serve: Serve, caller: MakeCaller) -> None:
    chunks = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\n{\r\n1\r\n}\r\n0\r\n\r\n"
    assert caller(serve(always(chunks)).url).pay(parse=body_of) == b"{}"


def test_header_names_are_in_lower_case(serve: Serve, caller: MakeCaller) -> None:
    server = serve(always(answer(headers=("X-Request-ID: Abc",))))
    headers = caller(server.url).pay(parse=lambda answer_: answer_.headers)
    assert headers["x-request-id"] == "Abc"
