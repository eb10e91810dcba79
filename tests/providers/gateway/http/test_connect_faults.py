"""The kinds of failed connections, with real TLS servers that have each fault."""

from __future__ import annotations

import datetime
import errno
import socket

import pytest
from cryptography import x509

from providers.gateway.errors import NotDone
from providers.gateway.http import connect_faults
from providers.gateway.http.client import Deadlines
from providers.gateway.reason_kinds import NOT_CONNECTED
from providers.gateway.vocabulary import Outcome, Reason

from .authority import DAY, Authority
from .callers import Caller, MakeCaller, Names, Serve
from .raw_server import always, answer

PATIENT = Deadlines(connect=3, read=3, total=8)


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


def fault_of(caller: Caller) -> tuple[Reason, str]:
    with pytest.raises(NotDone) as raised:
        caller.pay()
    assert raised.value.outcome is Outcome.NOT_DONE
    assert raised.value.reason in NOT_CONNECTED
    assert not raised.value.pauses_account
    (record,) = caller.records
    assert (record.outcome, record.reason) == (Outcome.NOT_DONE, raised.value.reason)
    return raised.value.reason, raised.value.words


def day(difference: datetime.timedelta) -> str:
    return f"{datetime.datetime.now(datetime.UTC) + difference:%Y-%m-%d}"


def test_valid_certificate_of_the_authority_is_accepted(
    serve: Serve, caller: MakeCaller, authority: Authority
) -> None:
    server = serve(always(answer(b'{"a": 1}')), tls=authority.server())
    made = caller(server.url, ca_bundle=authority.bundle, deadlines=PATIENT)
    assert made.pay() == {"a": 1}


def test_expired_certificate_is_named_with_its_last_day(
    serve: Serve, caller: MakeCaller, authority: Authority
) -> None:
    server = serve(always(answer()), tls=authority.server(begins=-9 * DAY, ends=-3 * DAY))
    made = caller(server.url, ca_bundle=authority.bundle, deadlines=PATIENT)
    assert fault_of(made) == (Reason.CERT_EXPIRED, day(-3 * DAY))
    assert server.requests == []


def test_certificate_that_is_not_valid_yet_is_named_with_its_first_day(
    serve: Serve, caller: MakeCaller, authority: Authority
) -> None:
    server = serve(always(answer()), tls=authority.server(begins=3 * DAY, ends=9 * DAY))
    made = caller(server.url, ca_bundle=authority.bundle, deadlines=PATIENT)
    assert fault_of(made) == (Reason.CERT_NOT_YET_VALID, day(3 * DAY))


@pytest.mark.parametrize(
    ("names", "shown"),
    [
        ((x509.DNSName("other.example"),), "other.example"),
        (
            tuple(x509.DNSName(f"{letter}.example") for letter in "abcd"),
            "a.example, b.example, c.example",
        ),
        ((), "test server"),
    ],
)
def test_certificate_of_another_host_is_named_with_that_host(
    serve: Serve,
    caller: MakeCaller,
    authority: Authority,
    names: tuple[x509.GeneralName, ...],
    shown: str,
) -> None:
    server = serve(always(answer()), tls=authority.server(names=names))
    made = caller(server.url, ca_bundle=authority.bundle, deadlines=PATIENT)
    assert fault_of(made) == (Reason.CERT_OTHER_HOST, shown)


def test_certificate_of_another_name_is_found_by_name_too(
    serve: Serve, caller: MakeCaller, authority: Authority, names: Names
) -> None:
    names["api.example"] = ["127.0.0.1"]
    server = serve(always(answer()), tls=authority.server(names=(x509.DNSName("b.example"),)))
    url = f"https://api.example:{server.port}"
    made = caller(url, ca_bundle=authority.bundle, deadlines=PATIENT)
    assert fault_of(made) == (Reason.CERT_OTHER_HOST, "b.example")


def test_unknown_issuer_is_named(serve: Serve, caller: MakeCaller, authority: Authority) -> None:
    server = serve(always(answer()), tls=authority.server())
    assert fault_of(caller(server.url, deadlines=PATIENT)) == (Reason.CERT_UNKNOWN_ISSUER, "")


def test_self_signed_certificate_is_named(
    serve: Serve, caller: MakeCaller, authority: Authority
) -> None:
    server = serve(always(answer()), tls=authority.own_server())
    assert fault_of(caller(server.url, deadlines=PATIENT)) == (Reason.CERT_SELF_SIGNED, "")


@pytest.mark.parametrize(
    "greeting",
    [
        b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n",
        b"220 mail.example ESMTP\r\n",
        b"SSH-2.0-OpenSSH_9.2\r\n",
        b"\x00" * 64,
        b"-ERR unknown command\r\n",
    ],
)
def test_port_without_tls_is_named(serve: Serve, caller: MakeCaller, greeting: bytes) -> None:
    server = serve(lambda peer: peer.send(greeting))
    made = caller(server.url.replace("http:", "https:"), deadlines=PATIENT)
    assert fault_of(made) == (Reason.NO_TLS, "")


def test_connection_that_is_closed_in_the_handshake_is_named(
    serve: Serve, caller: MakeCaller
) -> None:
    server = serve(lambda peer: None)
    made = caller(server.url.replace("http:", "https:"), deadlines=PATIENT)
    assert fault_of(made) == (Reason.CONNECTION_RESET, "")


def test_server_that_speaks_only_old_tls_is_named(serve: Serve, caller: MakeCaller) -> None:
    # A fatal alert: protocol version.
    server = serve(lambda peer: peer.send(b"\x15\x03\x01\x00\x02\x02\x46"))
    made = caller(server.url.replace("http:", "https:"), deadlines=PATIENT)
    assert fault_of(made) == (Reason.TLS_FAILED, "")


@pytest.mark.parametrize(
    ("failure", "reason"),
    [
        (OSError(errno.EHOSTUNREACH, "no route"), Reason.NO_ROUTE),
        (OSError(errno.ENETUNREACH, "no network"), Reason.NO_ROUTE),
        (socket.gaierror(socket.EAI_AGAIN, "try again"), Reason.NAME_NOT_FOUND),
        (ConnectionResetError(), Reason.CONNECTION_RESET),
        (ConnectionAbortedError(), Reason.CONNECTION_RESET),
        (BrokenPipeError(), Reason.CONNECTION_RESET),
        (TimeoutError(), Reason.CONNECT_TIMED_OUT),
        (OSError("something new"), Reason.UNREACHABLE),
    ],
    ids=repr,
)
def test_failure_of_the_operating_system_has_a_kind(failure: OSError, reason: Reason) -> None:
    assert connect_faults.reason_and_fact(failure) == (reason, "")
