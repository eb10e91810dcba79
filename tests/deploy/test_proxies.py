"""The portal behind the proxies of `deploy/`: nginx to a socket file, Caddy to an IPv6 address.

A real portal without a terminal, whose first administrator comes from its environment.
"""

from __future__ import annotations

import json
import socket
import ssl
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack
from pathlib import Path
from typing import Final

import pytest

from audit.addresses import address_of
from core.models import Act
from tests.support import proxies
from tests.support.hosts import Host, empty_database, free_port
from tests.support.proxies import NAME, Visitor
from tests.upgrade import databases

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.any_database,
    pytest.mark.long,
    pytest.mark.filterwarnings("ignore::urllib3.exceptions.InsecureRequestWarning"),
]
PASSWORD: Final = "violet harbour 91 lamps"
VISITOR: Final = "127.0.0.5"
FORGED: Final = "203.0.113.9"
THREADS: Final = 2
SLOW: Final = 3 * THREADS
"""Clients that have not yet sent all of their request: more than the portal has threads."""
TRIED: Final[list[tuple[str, Callable[[Path, str], AbstractContextManager[int]], str | None]]] = [
    ("unix", proxies.nginx, proxies.NGINX),
    ("ipv6", proxies.caddy, proxies.CADDY),
]


class Site:
    def __init__(self, host: Host, database: str, port: int) -> None:
        self.host, self.database, self.port = host, database, port

    def visitor(self) -> Visitor:
        return Visitor(self.port, VISITOR)

    def acts(self) -> list[tuple[str, object, str | None]]:
        with databases.connected(self.database):
            acts = Act.objects.filter(what__startswith="sign_in").select_related("personal_row")
            found: list[tuple[str, object, str | None]] = [
                (act.what, address_of(act) or None, act.request_id) for act in acts
            ]
        return found[::-1]


def settings_of(kind: str, folder: Path) -> tuple[dict[str, str], str]:
    """The settings of a portal that is bound this way, and where a proxy finds it."""
    if kind == "unix":
        bind = f"unix:{folder / 'web.sock'}"
        return {"BIND": bind, "TRUSTED_PROXIES": "unix"}, bind
    bind = f"[::1]:{free_port()}"
    return {"BIND": bind, "TRUSTED_PROXIES": "::1"}, bind


@pytest.fixture(params=TRIED, ids=["nginx-unix", "caddy-ipv6"])
def site(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Site]:
    kind, proxy, program = request.param
    if program is None:
        pytest.skip("The proxy is not installed.")
    password = tmp_path / "password"
    password.write_text(PASSWORD)
    settings, portal = settings_of(kind, tmp_path)
    with ExitStack() as stack:
        database = stack.enter_context(empty_database(tmp_path))
        host = Host(
            tmp_path / "host",
            database,
            **settings,
            PUBLIC_ADDRESS=f"https://{NAME}",
            ALLOWED_HOSTS=NAME,
            BEHIND_TLS_PROXY="true",
            WEB_THREADS=str(THREADS),
            FIRST_ADMIN_NAME="ada",
            FIRST_ADMIN_PASSWORD_FILE=str(password),
            LOG_FORMAT="json",
        )
        stack.callback(host.stop)
        host.start("--only", "web")
        host.wait_until_ready()
        (tmp_path / "proxy").mkdir()
        yield Site(host, database, stack.enter_context(proxy(tmp_path / "proxy", portal)))


def begin_slowly(port: int) -> ssl.SSLSocket:
    """A client that has sent the head and a part of the body of a form."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    raw = socket.create_connection(("127.0.0.1", port), timeout=30)
    client = context.wrap_socket(raw, server_hostname=NAME)
    head = f"POST /login/ HTTP/1.1\r\nHost: {NAME}\r\nContent-Length: 20\r\n\r\n"
    client.sendall(head.encode() + b"username=a")
    return client


def test_portal_works_behind_its_proxy(site: Site) -> None:
    visitor = site.visitor()
    refused = visitor.sign_in("ada", "wrong", **{"X-Forwarded-For": FORGED})
    assert refused.status_code == 200
    entered = visitor.sign_in("ada", PASSWORD, **{"X-Forwarded-For": FORGED})
    assert (entered.status_code, entered.cookies.get("smsportal_session") is not None) == (
        302,
        True,
    )
    # The address of the client, whatever it says about itself, and the reference of its request.
    references = [answer.headers["X-Request-ID"] for answer in (refused, entered)]
    assert site.acts() == [
        ("sign_in.fail", VISITOR, references[0]),
        ("sign_in", VISITOR, references[1]),
    ]
    assert visitor.get(f"{visitor.base}/metrics").status_code == 404

    slow = [begin_slowly(site.port) for _ in range(SLOW)]
    assert visitor.get(f"{visitor.base}/login/", timeout=20).status_code == 200
    for client in slow:
        client.sendall(b"&password=")
        # Without the token of a form.
        assert client.recv(4096).startswith(b"HTTP/1.1 403 ")
        client.close()

    site.host.stop()
    lines = [json.loads(line) for line in site.host.log().splitlines()]
    assert "Created the first administrator ada with the password in" in "".join(
        line["message"] for line in lines
    )
    assert PASSWORD not in site.host.log()
    assert {"asctime", "levelname", "name", "request_id", "message"} <= set(lines[-1])
