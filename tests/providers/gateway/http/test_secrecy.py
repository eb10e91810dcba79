"""No error, log line or record contains a credential, code or phone number.

The canaries are sent in the query, the form, the JSON and the headers. The server and the client
try to return them in every way.
"""

from __future__ import annotations

import json
import logging
import traceback
from collections.abc import Callable

import pytest

from core.redaction import HIDDEN
from providers.gateway.call import Answer, Effect, Operation, Request
from providers.gateway.errors import GatewayError, NotDone, OutcomeUnknown, Refused
from providers.gateway.http.client import AddressPolicy
from providers.gateway.vocabulary import CheckResult, Reason, Submission

from .callers import MakeCaller, Serve
from .raw_server import Behaviour, Peer, always, answer, once

PASSWORD = "p@ss/w:rd+Ü"
CODE = "482913"
PHONE = "8613912345678"
CANARIES = (PASSWORD, CODE, PHONE, "13912345678", "p%40ss", "482913", "cEBzcy93OnJkK")

SEND = Operation(
    "send", Effect.PAID, hidden=frozenset({"password", "code"}), masked=frozenset({"msisdn"})
)
FIELDS = {"username": "staff", "password": PASSWORD, "code": CODE, "msisdn": PHONE}
REQUESTS = {
    "query": Request("GET", "/send", query=FIELDS, secrets=(CODE,)),
    "form": Request("POST", "/send", form=FIELDS, secrets=(CODE,)),
    "json": Request("POST", "/send", json=FIELDS, secrets=(CODE,)),
    "header": Request("POST", "/send", headers={"Authorization": "Bearer p@ss/w:rd+"}),
    "broken header": Request("POST", "/send", headers={"Authorization": f"Bearer {PASSWORD}\n"}),
    "path": Request("GET", f"/{CODE}/{PHONE}", secrets=(CODE,)),
}
ECHO = f"code {CODE}, number {PHONE}, password {PASSWORD}"


def cut_off(peer: Peer) -> None:
    peer.read_request()


def headers_with_everything(peer: Peer) -> None:
    peer.read_request()
    peer.send(f"HTTP/1.1 200 OK\r\n{ECHO}\r\n\r\n".encode())


SERVERS = {
    "cut off": cut_off,
    "echo": always(answer(json.dumps({"status": "F", "remarks": ECHO}).encode())),
    "echo in plain": always(answer(ECHO.encode())),
    "echo in a redirect": once(answer(b"", status="307 x", headers=(f"Location: /?{CODE}",))),
    "malformed headers": headers_with_everything,
    "no HTTP": once(ECHO.encode() + b"\r\n"),
    "bad length": once(f"HTTP/1.1 200 OK\r\nContent-Length: {CODE}, {PHONE}\r\n\r\n".encode()),
    "bad chunk": once(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + ECHO.encode()),
}


def refuse_quoting_the_answer(answer_: Answer) -> None:
    try:
        json.loads(answer_.body)["absent"]
    except Exception as error:
        refusal = Refused(Reason.OTHER_REFUSAL, words=answer_.body.decode())
        refusal.add_note(ECHO)
        raise refusal from error


def fail_quoting_the_answer(answer_: Answer) -> None:
    raise ValueError(answer_.body.decode())


@pytest.fixture
def text_of_failed_call(
    serve: Serve, caller: MakeCaller, caplog: pytest.LogCaptureFixture
) -> Callable[..., str]:
    """A function that makes a failing call and returns everything written about it."""
    caplog.set_level(logging.DEBUG)

    def call(
        request: Request,
        behaviour: Behaviour,
        parse: Callable[[Answer], None] = refuse_quoting_the_answer,
    ) -> str:
        made = caller(serve(behaviour).url, credentials={"password": PASSWORD})
        with pytest.raises(GatewayError) as raised:
            made.http_client.call(SEND, request, parse)
        error = raised.value
        return "\n".join(
            (
                *traceback.format_exception(error),
                repr(error),
                str(error.args),
                error.words,
                caplog.text,
                *map(repr, made.records),
            )
        )

    return call


@pytest.mark.parametrize("behaviour", SERVERS.values(), ids=SERVERS)
@pytest.mark.parametrize("request_", REQUESTS.values(), ids=REQUESTS)
def test_failed_call_writes_no_secret(
    text_of_failed_call: Callable[..., str], request_: Request, behaviour: Behaviour
) -> None:
    written = text_of_failed_call(request_, behaviour)
    expected = CANARIES if request_.query or request_.form or request_.json else (PASSWORD,)
    assert [canary for canary in expected if canary in written] == []


@pytest.mark.parametrize("request_", list(REQUESTS.values())[:3], ids=list(REQUESTS)[:3])
def test_client_defect_writes_no_secret(
    text_of_failed_call: Callable[..., str], request_: Request
) -> None:
    written = text_of_failed_call(request_, SERVERS["echo"], fail_quoting_the_answer)
    assert [canary for canary in CANARIES if canary in written] == []


def test_unreachable_provider_writes_no_secret(
    caller: MakeCaller, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    made = caller("http://provider.invalid", credentials={"password": PASSWORD})
    with pytest.raises(GatewayError) as raised:
        made.http_client.call(SEND, REQUESTS["query"], refuse_quoting_the_answer)
    written = "".join(traceback.format_exception(raised.value)) + caplog.text + repr(made.records)
    assert [canary for canary in CANARIES if canary in written] == []


@pytest.mark.parametrize("request_", [REQUESTS["query"], REQUESTS["form"]])
@pytest.mark.parametrize(
    "make_result", [lambda words: Submission("1", words), lambda words: CheckResult(False, words)]
)
def test_words_of_a_success_contain_no_secret(
    serve: Serve,
    caller: MakeCaller,
    request_: Request,
    make_result: Callable[[str], Submission | CheckResult],
) -> None:
    made = caller(serve(SERVERS["echo"]).url, credentials={"password": PASSWORD})
    result = made.http_client.call(
        SEND, request_, lambda answer_: make_result(answer_.body.decode())
    )
    assert [canary for canary in CANARIES if canary in result.words] == []


def test_error_has_no_chained_exception(serve: Serve, caller: MakeCaller) -> None:
    made = caller(serve(SERVERS["echo"]).url)
    with pytest.raises(Refused) as raised:
        made.pay(parse=refuse_quoting_the_answer)
    assert (raised.value.__cause__, raised.value.__context__) == (None, None)


def test_traceback_has_no_frame_of_the_client(serve: Serve, caller: MakeCaller) -> None:
    made = caller(serve(SERVERS["echo"]).url)
    with pytest.raises(Refused) as raised:
        made.pay(parse=refuse_quoting_the_answer)
    functions = [frame.name for frame in traceback.extract_tb(raised.value.__traceback__)]
    assert "refuse_quoting_the_answer" not in functions


def test_stopped_thread_has_no_chained_exception(
    serve: Serve, caller: MakeCaller, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stop(*arguments: object) -> None:
        try:
            raise ValueError(PASSWORD)
        except ValueError:
            raise SystemExit from None

    monkeypatch.setattr("providers.gateway.http.client.read_body", stop)
    with pytest.raises(SystemExit) as raised:
        caller(serve(SERVERS["echo"]).url).pay()
    assert raised.value.__context__ is None


def test_defect_is_logged_by_type_and_place(
    serve: Serve, caller: MakeCaller, caplog: pytest.LogCaptureFixture
) -> None:
    with pytest.raises(OutcomeUnknown):
        caller(serve(SERVERS["echo"]).url).pay(parse=fail_quoting_the_answer)
    assert "send failed: ValueError in fail_quoting_the_answer" in caplog.text


def test_words_of_the_provider_are_kept_apart_from_secrets(
    serve: Serve, caller: MakeCaller
) -> None:
    made = caller(serve(SERVERS["echo in plain"]).url, credentials={"password": PASSWORD})
    with pytest.raises(Refused) as raised:
        made.http_client.call(SEND, REQUESTS["form"], refuse_quoting_the_answer)
    assert raised.value.words == f"code {HIDDEN}, number 861••••••5678, password {HIDDEN}"


def test_undecryptable_secret_stops_the_call(serve: Serve, caller: MakeCaller) -> None:
    def fail() -> str:
        raise ValueError("wrong key")

    server = serve(always(answer()))
    with pytest.raises(NotDone):
        caller(server.url, credentials={"password": fail}).pay()
    assert server.connections == 0


def test_error_does_not_contain_a_forbidden_address(
    caller: MakeCaller, caplog: pytest.LogCaptureFixture
) -> None:
    made = caller("http://staff:p@ss@10.0.0.1/", policy=AddressPolicy(allow_http=True))
    with pytest.raises(GatewayError) as raised:
        made.pay()
    assert "10.0.0.1" not in str(raised.value) + caplog.text
