"""Encode a request, byte for byte."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from typing import Final
from urllib.parse import quote, urlencode

import requests
from requests.structures import CaseInsensitiveDict

from ..call import Request

_SAFE_IN_A_PATH: Final = "/:@!$&'()*+,;=~%"
_WITHOUT_A_BODY: Final = frozenset({"GET", "HEAD"})


@dataclass(frozen=True, slots=True)
class Outgoing:
    """An encoded request. `address` and `body` are for the journal and not yet redacted."""

    prepared: requests.PreparedRequest = field(repr=False)
    address: str
    """The URL without its query."""
    path: str
    query: str = field(repr=False)
    body: str = field(repr=False)

    @property
    def target(self) -> str:
        return f"{self.path}?{self.query}" if self.query else self.path


def prepare(base_url: str, request: Request) -> Outgoing:
    """Join the base URL and the request, and encode everything.

    This replaces `requests.Request.prepare()`, which re-encodes the URL, reads .netrc and puts
    the whole URL into its errors. Raises TypeError or ValueError for values that cannot be
    encoded, before anything is sent.
    """
    if not request.path.startswith("/"):
        # Otherwise it would become part of the host name.
        raise ValueError("a path begins with a slash")
    body, media_type = _body(request)
    headers = CaseInsensitiveDict(_default_headers())
    headers.update(request.headers)
    if body or request.method not in _WITHOUT_A_BODY:
        headers["Content-Length"] = str(len(body))
    if media_type:
        headers["Content-Type"] = media_type
    address = base_url.rstrip("/") + quote(request.path, safe=_SAFE_IN_A_PATH)
    query = urlencode(request.query, quote_via=quote)
    prepared = requests.PreparedRequest()
    prepared.method = request.method
    prepared.url = f"{address}?{query}" if query else address
    prepared.headers = headers
    prepared.body = body or None
    path = address[address.index("/", address.index("//") + 2) :]
    return Outgoing(prepared, address, path, query, _body_text(request, body))


def _body(request: Request) -> tuple[bytes, str]:
    if request.json is not None:
        # Escaped to ASCII, so that no server can mistake the encoding.
        return json.dumps(request.json, allow_nan=False).encode(), "application/json"
    if request.form is not None:
        return urlencode(request.form).encode(), "application/x-www-form-urlencoded"
    return b"", ""


def _body_text(request: Request, body: bytes) -> str:
    if request.json is not None and b"\\u" in body:
        return json.dumps(request.json, ensure_ascii=False)
    return body.decode()


@cache
def _default_headers() -> dict[str, str]:
    try:
        release = version("smsportal")
    except PackageNotFoundError:
        release = "dev"
    return {
        "User-Agent": f"smsportal/{release}",
        "Accept": "*/*",
        "Accept-Encoding": "gzip",
        "Connection": "keep-alive",
    }
