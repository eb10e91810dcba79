"""Connections that know when the first byte of a request is written, and to which address.

The classes below replace those of urllib3 under the adapter of `requests`. They

- connect only to an address that has been checked,
- note when a request begins to be written,
- put its socket under the watchdog,
- hide the query string from urllib3, so that its exceptions and log records never contain it.

Only the adapter of `requests` is used. A Session would add .netrc, proxies from the environment,
cookies and redirects, and it reads the body of a redirect without limit even if redirects are
switched off.
"""

from __future__ import annotations

import http.client
import logging
import os
import socket
import ssl
import threading
from collections.abc import Mapping
from contextlib import suppress
from functools import lru_cache
from time import monotonic
from typing import Any, Final

import certifi
import requests
from requests.adapters import HTTPAdapter
from urllib3 import connection, connectionpool
from urllib3.exceptions import NewConnectionError
from urllib3.util import Timeout

from .address import AddressPolicy, resolve
from .connect_faults import read_certificate
from .context import Deadlines, RequestContext
from .watchdog import Alarm

IDLE_LIMIT: Final = 4.0
"""Seconds after which a server may close an idle connection just as we write to it."""
CERTIFICATE_TIMEOUT: Final = 3.0
"""Seconds to fetch a certificate that was refused, so that staff can be told what it says."""
POOL_SIZE: Final = 128
"""Connections kept per host, one for each call in flight."""


_current = threading.local()


def _current_context() -> RequestContext:
    context: RequestContext = _current.context
    return context


class _Response(http.client.HTTPResponse):
    def _safe_read(self, amount: int) -> bytes:
        # The base class reads everything if the chunk size is -1.
        if amount < 0:
            raise http.client.HTTPException("negative chunk size")
        return super()._safe_read(amount)  # type: ignore[misc, no-any-return]


class _WatchedConnection(connection.HTTPConnection):
    """The common part of both schemes."""

    response_class = _Response
    alarm: Alarm | None = None
    last_used = 0.0
    process = 0
    _held: list[bytes] | None = None

    def _new_conn(self) -> socket.socket:
        try:
            addresses = resolve(self._dns_host, self.port)
        except OSError as error:
            raise NewConnectionError(self, "The host name has no address.") from error
        _current_context().policy.check(addresses)
        self.process = os.getpid()
        deadline = monotonic() + float(self.timeout or 0)
        for remaining, (family, address) in zip(
            range(len(addresses), 0, -1), addresses, strict=True
        ):
            try:
                return _open_socket(family, address, (deadline - monotonic()) / remaining)
            except OSError as error:
                failure = error
        raise NewConnectionError(self, "No address could be connected to.") from failure

    def putrequest(
        self,
        method: str,
        url: str,
        skip_host: bool = False,
        skip_accept_encoding: bool = False,
    ) -> None:
        super().putrequest(method, _current_context().target, skip_host, skip_accept_encoding)

    def request(self, *args: Any, **kwargs: Any) -> None:
        """Send head and body together: one packet, and one wait less for the interpreter lock."""
        held: list[bytes] = []
        self._held = held
        try:
            super().request(*args, **kwargs)
        finally:
            self._held = None
        self.send(b"".join(held))

    def send(self, data: Any) -> None:
        if self._held is not None:
            self._held.append(data)
            return
        context = _current_context()
        if self.sock is None:
            self.connect()
        self.alarm = context.alarm
        self.alarm.guard(self.sock)
        context.begun = True
        super().send(data)


class _WatchedTLSConnection(_WatchedConnection, connection.HTTPSConnection):
    def connect(self) -> None:
        try:
            super().connect()
        except ssl.SSLCertVerificationError as error:
            with suppress(Exception):
                # Only to say more about the fault, so a failure here changes nothing.
                error.presented = self._presented_certificate()  # type: ignore[attr-defined]
            raise

    def _presented_certificate(self) -> Any:
        self.timeout = min(float(self.timeout or CERTIFICATE_TIMEOUT), CERTIFICATE_TIMEOUT)
        connected = self._new_conn()
        try:
            return read_certificate(connected, self.host)
        finally:
            connected.close()


def _open_socket(family: int, address: Any, timeout: float) -> socket.socket:
    connected = socket.socket(family, socket.SOCK_STREAM)
    try:
        connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connected.settimeout(max(timeout, 0.001))
        connected.connect(address)
    except BaseException:
        connected.close()
        raise
    return connected


class _WatchedPool(connectionpool.HTTPConnectionPool):
    ConnectionCls = _WatchedConnection

    def _get_conn(self, timeout: float | None = None) -> Any:
        conn: Any = super()._get_conn(timeout)
        if conn.sock is not None and not _is_reusable(conn):
            conn.close()
        return conn

    def _put_conn(self, conn: Any) -> None:
        if conn is not None and conn.alarm is not None:
            conn.alarm.cancel()
            if conn.alarm.expired:
                conn.close()
            conn.alarm = None
            conn.last_used = monotonic()
        super()._put_conn(conn)


class _WatchedTLSPool(_WatchedPool, connectionpool.HTTPSConnectionPool):
    ConnectionCls = _WatchedTLSConnection


def _is_reusable(conn: Any) -> bool:
    if conn.process != os.getpid():
        # The parent process uses the same socket.
        return False
    return not _current_context().require_recent or monotonic() - conn.last_used <= IDLE_LIMIT


class _Adapter(HTTPAdapter):
    def __init__(self, context: ssl.SSLContext) -> None:
        self._context = context
        super().__init__(pool_connections=32, pool_maxsize=POOL_SIZE, max_retries=0)

    def init_poolmanager(self, *arguments: Any, **settings: Any) -> None:
        super().init_poolmanager(*arguments, ssl_context=self._context, **settings)
        self.poolmanager.pool_classes_by_scheme = {"http": _WatchedPool, "https": _WatchedTLSPool}

    def cert_verify(self, conn: Any, url: Any, verify: Any, cert: Any) -> None:
        """Do nothing. The TLS context already requires a valid certificate of the host."""

    def build_connection_pool_key_attributes(
        self, request: Any, verify: Any, cert: Any = None
    ) -> Any:
        host, _ = super().build_connection_pool_key_attributes(request, True)
        return host, {}

    def request_url(self, request: Any, proxies: Any) -> str:
        return _current_context().redacted_target


@lru_cache(maxsize=8)
def _tls_context(ca_bundle: str) -> ssl.SSLContext:
    # Reading the bundle takes 10 ms or more, and every thread has its own Connections.
    context = ssl.create_default_context(cafile=ca_bundle)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context


class Connections:
    """Open connections to providers, for one thread or shared by several.

    `ca_bundle` is the path of a file of certificates to trust instead of the default ones.
    Verification cannot be switched off. A forked child opens connections of its own.
    """

    def __init__(
        self,
        policy: AddressPolicy,
        deadlines: Deadlines = Deadlines(),
        *,
        ca_bundle: str | None = None,
    ) -> None:
        self.policy = policy
        self.deadlines = deadlines
        self._timeout: Any = Timeout(connect=deadlines.connect, read=deadlines.read)
        self._adapter = _Adapter(_tls_context(ca_bundle or certifi.where()))

    def send(self, prepared: requests.PreparedRequest, context: RequestContext) -> Any:
        """Send the request. Returns the answer's head and unread body as a urllib3 response."""
        context.policy = self.policy
        _current.context = context
        try:
            response = self._adapter.send(
                prepared, stream=True, timeout=self._timeout, verify=True, proxies={}
            )
        finally:
            del _current.context
        return response.raw

    def close(self) -> None:
        self._adapter.close()


def headers_of(raw: Any) -> Mapping[str, str]:
    return {name.lower(): value for name, value in raw.headers.items()}


class _WithoutHeaderDump(logging.Filter):
    """Drops urllib3's log records of unparsable headers, because they contain the headers."""

    def filter(self, record: logging.LogRecord) -> bool:
        return not str(record.msg).startswith("Failed to parse headers")


logging.getLogger("urllib3.connection").addFilter(_WithoutHeaderDump())
