"""Faults in the answer: HTML instead of JSON, broken JSON, redirects, refusals, huge bodies."""

from __future__ import annotations

import functools
import json
import zlib
from decimal import Decimal

from sandbox.exchange import dump_json, render
from sandbox.faults import Scene, fault

HTML_TITLES = {
    500: "Internal Server Error",
    502: "Bad Gateway",
    503: "Service Temporarily Unavailable",
    504: "Gateway Time-out",
}
ODD_TEXT = "\u202eevil\u202c zero\u200bwidth \x00 😀 <script>alert(1)</script> \r\nlog line " * 100
NESTING = 100_000
GZIP = 16 + zlib.MAX_WBITS


def _html(code: int) -> bytes:
    title = f"{code} {HTML_TITLES[code]}"
    return (
        f"<html>\r\n<head><title>{title}</title></head>\r\n"
        f"<body>\r\n<center><h1>{title}</h1></center>\r\n</body>\r\n</html>\r\n"
    ).encode()


def _send(scene: Scene, body: bytes, status: int | None = None) -> bool:
    scene.wire.send(render(scene.status() if status is None else status, body))
    return scene.head.keep_alive


def _html_fault(code: int, *, accepted: bool) -> None:
    @fault(f"html_{code}", f"HTML error {code}", accepted=accepted)
    def strike(scene: Scene) -> bool:
        scene.wire.send(render(code, _html(code), "text/html"))
        return scene.head.keep_alive


# A gateway may time out although the provider has done the work, so these count as accepted.
# Only an overloaded gateway (503) counts as having rejected the request. `accept=` reverses both.
for _code in HTML_TITLES:
    _html_fault(_code, accepted=_code != 503)


@fault("html_200", "HTML error page with status 200", accepted=True)
def html_200(scene: Scene) -> bool:
    scene.wire.send(render(200, _html(502), "text/html"))
    return scene.head.keep_alive


@fault("empty_200", "Empty answer", accepted=True)
def empty_200(scene: Scene) -> bool:
    return _send(scene, b"", 200)


@fault("json_truncated", "Broken answer: truncated", accepted=True)
def json_truncated(scene: Scene) -> bool:
    body = scene.body()
    return _send(scene, body[: max(1, len(body) * 2 // 3)])


def _json_fault(fault_id: str, label: str, body: bytes) -> None:
    @fault(fault_id, label, accepted=True)
    def strike(scene: Scene) -> bool:
        return _send(scene, body, 200)


_json_fault("json_list", "Broken answer: a list", b"[]")
_json_fault("json_string", "Broken answer: a text", b'"ok"')
_json_fault("json_null", "Broken answer: null", b"null")
_json_fault("json_number", "Broken answer: a number", b"5")
_json_fault("json_deep", "Broken answer: nested too deep", b"[" * NESTING)
_json_fault("json_missing_keys", "Broken answer: an empty object", b"{}")
_json_fault("bad_utf8", "Broken answer: not UTF-8", b'{"msg": "\xff\xfe\xc0\xaf"}')


@fault("json_duplicate_keys", "Broken answer: duplicate keys", accepted=True)
def json_duplicate_keys(scene: Scene) -> bool:
    payload = scene.payload()
    keys = payload if isinstance(payload, dict) else {"status": None}
    first = json.dumps(dict.fromkeys(keys)).encode()
    return _send(scene, first[:-1] + b", " + scene.body()[1:])


def _with_nan(value: object) -> object:
    if isinstance(value, dict):
        return {key: _with_nan(item) for key, item in value.items()}
    if isinstance(value, Decimal | int) and not isinstance(value, bool):
        return float("nan")
    return value


@fault("json_nan", "Broken answer: NaN instead of numbers", accepted=True)
def json_nan(scene: Scene) -> bool:
    payload = scene.payload()
    extra = {"number": float("nan")}
    spoilt = _with_nan(payload)
    return _send(scene, dump_json({**spoilt, **extra} if isinstance(spoilt, dict) else extra))


@fault("odd_text", "Unusual characters in texts", accepted=True)
def odd_text(scene: Scene) -> bool:
    payload = scene.payload()
    texts = {"remarks", "MSG", "content", "error", "message", "request_id"}
    fields = payload if isinstance(payload, dict) else {}
    odd = {key: ODD_TEXT if key in texts else value for key, value in fields.items()}
    # JSON may contain half of a surrogate pair, which no UTF-8 text can represent.
    return _send(scene, dump_json({**odd, "note": "\ud800"}))


@fault("contradiction", "Answer that contradicts itself", accepted=True)
def contradiction(scene: Scene) -> bool:
    payload = scene.payload()
    fields = payload if isinstance(payload, dict) else {}
    return _send(scene, dump_json(scene.provider.contradict(fields)))


@fault("too_many", "Too many requests (429)", accepted=False)
def too_many(scene: Scene) -> bool:
    return _send(scene, scene.provider.limited().body(), 429)


@fault("too_many_retry_after", "Too many requests, with retry time", accepted=False, wait=5)
def too_many_retry_after(scene: Scene) -> bool:
    headers = {"Retry-After": f"{scene.number('wait'):g}"}
    scene.wire.send(render(429, scene.provider.limited().body(), headers=headers))
    return scene.head.keep_alive


def _redirect_fault(code: int) -> None:
    @fault(f"redirect_{code}", f"Redirect ({code})", accepted=False, location="")
    def strike(scene: Scene) -> bool:
        # The default is a page of this server that records every client that follows.
        location = str(scene.options["location"]) or scene.elsewhere
        scene.wire.send(render(code, b"", "text/html", {"Location": location}))
        return scene.head.keep_alive


for _code in (301, 302, 303, 307, 308):
    _redirect_fault(_code)


@fault("huge_body", "2 MB answer", accepted=True, bytes=2097152)
def huge_body(scene: Scene) -> bool:
    return _send(scene, b" " * int(scene.number("bytes")) + scene.body())


@functools.lru_cache(maxsize=4)
def _compressed_spaces(size: int) -> bytes:
    packer = zlib.compressobj(9, zlib.DEFLATED, GZIP)
    return packer.compress(b" " * size) + packer.flush()


@fault("gzip_bomb", "Small answer that decompresses to 32 MB", accepted=True, bytes=33554432)
def gzip_bomb(scene: Scene) -> bool:
    packer = zlib.compressobj(wbits=GZIP)
    tail = packer.compress(scene.body()) + packer.flush()
    body = _compressed_spaces(int(scene.number("bytes"))) + tail
    headers = {"Content-Encoding": "gzip"}
    scene.wire.send(render(scene.status(), body, headers=headers))
    return scene.head.keep_alive
