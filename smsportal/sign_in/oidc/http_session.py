"""How the portal speaks to the identity provider: to its hosts only, within limits.

The library asks `requests` for everything. This session follows no redirect, reads no proxy and no
`.netrc` of the environment, sends nothing to another host, and ends after a few seconds, even if
the provider trickles its answer.
"""

from __future__ import annotations

import threading
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import urlsplit

import requests
from requests.adapters import HTTPAdapter
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.connection import HTTPConnection, HTTPSConnection

from providers.gateway.http.watchdog import WATCHDOG, Alarm

from .configuration import IdentityProvider

CONNECT_SECONDS: Final = 3.0
TOTAL_SECONDS: Final = 6.0
"""Of one call, with name, connection and answer. A sign-in makes two to four."""
MOST_BYTES: Final = 512 * 1024
_BLOCK: Final = 16 * 1024
_current = threading.local()


class ForeignAddress(requests.exceptions.InvalidURL):
    """The provider names an address that is none of its hosts."""


class _Connection(HTTPConnection):
    def connect(self) -> None:
        super().connect()
        _guard(self.sock)


class _TLSConnection(HTTPSConnection):
    def connect(self) -> None:
        super().connect()
        _guard(self.sock)


class _Pool(HTTPConnectionPool):
    ConnectionCls = _Connection


class _TLSPool(HTTPSConnectionPool):
    ConnectionCls = _TLSConnection


def _guard(connected: Any) -> None:
    alarm: Alarm = _current.alarm
    alarm.guard(connected)


class _Adapter(HTTPAdapter):
    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = {"http": _Pool, "https": _TLSPool}


def is_of_provider(url: object, provider: IdentityProvider) -> bool:
    """Whether the address is on a host of the provider, and encrypted if its issuer is."""
    if not isinstance(url, str):
        return False
    try:
        parts = urlsplit(url)
        host = parts.hostname
    except ValueError:
        return False
    plain = parts.username is None and parts.password is None and not parts.fragment
    return plain and parts.scheme == provider.scheme and host in provider.allowed_hosts


class ProviderSession(requests.Session):
    def __init__(self, provider: IdentityProvider) -> None:
        super().__init__()
        self.provider = provider
        self.trust_env = False
        self.headers["Accept"] = "application/json"
        for scheme in ("http://", "https://"):
            self.mount(scheme, _Adapter(max_retries=0))

    def request(self, method: Any, url: Any, **kwargs: Any) -> requests.Response:  # type: ignore[override]
        """One call. Raises `requests.RequestException` for each way in which it can fail."""
        if not is_of_provider(url, self.provider):
            raise ForeignAddress("The identity provider names an address on another host.")
        limits = {
            "timeout": (CONNECT_SECONDS, TOTAL_SECONDS),
            "allow_redirects": False,
            "stream": True,
        }
        alarm = _current.alarm = WATCHDOG.watch(TOTAL_SECONDS)
        try:
            answer = super().request(method, url, **{**kwargs, **limits})
            answer._content = _read(answer)
            if alarm.expired:
                raise requests.Timeout("The identity provider was too slow.")
        except TimeoutError as error:
            raise requests.Timeout("The identity provider was too slow.") from error
        finally:
            alarm.cancel()
            del _current.alarm
        # The library looks at this header without asking whether it is there.
        answer.headers.setdefault("content-type", "")
        if answer.is_redirect:
            raise ForeignAddress("The identity provider answers with a redirect.")
        if answer.status_code >= HTTPStatus.INTERNAL_SERVER_ERROR:
            raise requests.HTTPError("The identity provider has an error.", response=answer)
        return answer


def _read(answer: requests.Response) -> bytes:
    found = bytearray()
    for block in answer.iter_content(_BLOCK):
        found += block
        if len(found) > MOST_BYTES:
            raise requests.exceptions.ContentDecodingError("The answer is too long.")
    return bytes(found)
