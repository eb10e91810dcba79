"""The process that sends one alert, or asks one address. Started by `alerts.transport`.

It is a process of its own for four reasons. A server that answers one byte a minute costs no more
than the time that the parent allows. Connections can be forbidden for the whole process, whatever
the library does. The library is loaded nowhere else. Its memory is gone afterwards.

It reads one JSON object from standard input and writes one to standard output. It imports no
Django.
"""

from __future__ import annotations

import json
import logging
import re
import socket
import sys
import time
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from typing import Any, Final
from urllib.parse import urlsplit

from providers.gateway.http.address import AddressPolicy, ForbiddenAddress

CONNECT_SECONDS: Final = 5.0
READ_SECONDS: Final = 10.0
NOT_ALLOWED: Final = ("subprocess.Popen", "os.system", "os.exec", "os.posix_spawn", "os.spawn")
_STATUS: Final = re.compile(r"error=([1-5][0-9]{2})\b")


class Guard:
    """Forbids connections to addresses that the installation does not allow, and other programs.

    An audit hook sees the address that is connected to, so a name that resolves differently the
    second time gains nothing.
    """

    def __init__(self, policy: AddressPolicy) -> None:
        self.policy = policy
        self.has_refused = False
        self.began_at = time.monotonic()
        """When the sending began: the library was loaded before."""

    def install(self) -> None:
        self.began_at = time.monotonic()
        sys.addaudithook(self.check)

    def check(self, event: str, values: tuple[Any, ...]) -> None:
        if event in NOT_ALLOWED:
            raise PermissionError(event)
        if event in ("socket.connect", "socket.sendto"):
            self._check_address(values[1])

    def _check_address(self, address: object) -> None:
        try:
            if not isinstance(address, tuple):
                raise ForbiddenAddress("private")  # The path of a socket file.
            self.policy.check([(socket.AF_UNSPEC, address)])
        except ForbiddenAddress:
            self.has_refused = True
            raise PermissionError("This address is not allowed.") from None


class _Statuses(logging.Handler):
    """Keeps the HTTP status that the library logs. Nothing else of its log leaves the process."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.last = ""

    def emit(self, record: logging.LogRecord) -> None:
        found = _STATUS.search(record.getMessage())
        if found:
            self.last = found[1]


def notify(order: dict[str, Any], guard: Guard) -> str:
    """Send a message. Returns why it failed, or an empty string."""
    from apprise import Apprise, AppriseAsset

    statuses = _Statuses()
    log = logging.getLogger("apprise")
    log.addHandler(statuses)
    log.setLevel(logging.DEBUG)
    log.propagate = False
    asset = AppriseAsset(
        app_id="SMS portal",
        async_mode=False,
        http_redirects=False,
        secure_logging=True,
        storage_mode="memory",
    )
    asset.image_url_mask = asset.image_url_logo = ""
    server = Apprise.instantiate(order["url"], asset=asset, suppress_exceptions=True)
    if server is None:
        return "not_understood"
    server.redirects = False
    server.verify_certificate = True
    server.socket_connect_timeout = CONNECT_SECONDS
    server.socket_read_timeout = READ_SECONDS
    guard.install()
    sender = Apprise(asset=asset)
    sender.add(server)
    if sender.notify(title=order["title"], body=order["body"], body_format="text"):
        return ""
    return f"http_{statuses.last}" if statuses.last else "not_accepted"


def ping(order: dict[str, Any], guard: Guard) -> str:
    """Ask an address. Any answer from 200 to 299 counts; a redirection is not followed."""
    parts = urlsplit(order["url"])
    kind = HTTPSConnection if parts.scheme == "https" else HTTPConnection
    connection = kind(parts.hostname or "", parts.port, timeout=READ_SECONDS)
    guard.install()
    try:
        connection.request("GET", parts.path or "/", headers={"User-Agent": "smsportal"})
        status = connection.getresponse().status
    finally:
        connection.close()
    return "" if 200 <= status < 300 else f"http_{status}"


def run(order: dict[str, Any]) -> dict[str, Any]:
    allow = bool(order["allow_private"])
    guard = Guard(AddressPolicy(allow_http=allow, allow_private=allow))
    try:
        error = (ping if order["do"] == "ping" else notify)(order, guard)
    except (OSError, HTTPException):
        error = "no_connection"
    except Exception:  # noqa: BLE001 - the library may raise anything, with secrets in the text
        error = "not_accepted"
    if guard.has_refused:
        error = "private"
    return {"error": error, "seconds": round(time.monotonic() - guard.began_at, 3)}


if __name__ == "__main__":
    answer = run(json.load(sys.stdin))
    json.dump(answer, sys.stdout)
