"""The kinds of settings. A rule turns the text of a setting into its value or says what is wrong.

Independent of Django.
"""

from __future__ import annotations

import base64
import binascii
import ipaddress
import math
import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

Rule = Callable[[str], Any]
"""Raises `Wrong`."""
TRUE: Final = ("true", "on", "ok", "y", "yes", "1")
FALSE: Final = ("false", "off", "n", "no", "0")
POSTGRESQL: Final = ("postgres", "postgresql", "psql", "pgsql")
MAX_DATABASE_NAME: Final = 63
DEFAULT_PORTS: Final = {"http": 80, "https": 443}


class Wrong(Exception):
    """Why a value is wrong, as the end of a sentence: “must be …”."""


def whole(low: int, high: int) -> Rule:
    def read(text: str) -> int:
        text = text.strip()
        if not re.fullmatch(r"[+-]?[0-9]{1,18}", text) or not low <= int(text) <= high:
            raise Wrong(f"must be a whole number from {low} to {high}")
        return int(text)

    return read


def decimal(low: float, high: float) -> Rule:
    def read(text: str) -> float:
        try:
            value = float(text)
        except ValueError:
            value = math.nan
        if not low <= value <= high:
            raise Wrong(f"must be a number from {low:g} to {high:g}")
        return value

    return read


def boolean(text: str) -> bool:
    word = text.strip().lower()
    if word not in (*TRUE, *FALSE):
        raise Wrong("must be true or false")
    return word in TRUE


def one_of(*words: str) -> Rule:
    """One of these words, in upper or lower case."""
    by_folded = {word.lower(): word for word in words}

    def read(text: str) -> str:
        if (word := by_folded.get(text.strip().lower())) is None:
            raise Wrong(f"must be one of {', '.join(words)}")
        return word

    return read


def items(rule: Rule) -> Rule:
    """A list, separated by commas."""

    def read(text: str) -> list[Any]:
        found = []
        for entry in filter(None, map(str.strip, text.split(","))):
            try:
                found.append(rule(entry))
            except Wrong as wrong:
                raise Wrong(f"has the entry “{entry}”, which {wrong}") from None
        return found

    return read


def pattern(regex: str, what: str) -> Rule:
    def read(text: str) -> str:
        if not re.fullmatch(regex, text.strip()):
            raise Wrong(f"must be {what}")
        return text.strip()

    return read


def secret_key(text: str) -> str:
    if len(text) < 20:
        raise Wrong("must have at least 20 characters")
    return text


def secret_keys(text: str) -> list[str]:
    """Separated by commas. What is wrong is named by its place, never by its text."""
    keys = [key.strip() for key in text.split(",") if key.strip()]
    for number, key in enumerate(keys, start=1):
        if len(key) < 20:
            raise Wrong(f"has key {number}, which must have at least 20 characters")
    return keys


def passphrase(text: str) -> str:
    if len(text) < 12:
        raise Wrong("must have at least 12 characters")
    return text


def access_token(text: str) -> str:
    """A token that a program sends in a header."""
    if not re.fullmatch(r"[!-~]{16,}", text.strip()):
        raise Wrong("must have at least 16 characters, all of ASCII and without spaces")
    return text.strip()


def time_of_day(text: str) -> str:
    """Not between 02:00 and 03:00, when clocks change."""
    if not re.fullmatch(r"(?!02)(?:[01][0-9]|2[0-3]):[0-5][0-9]", text.strip()):
        raise Wrong("must be a time such as 03:10, and not between 02:00 and 03:00")
    return text.strip()


def fernet_keys(text: str) -> list[str]:
    keys = [key.strip() for key in text.split(",") if key.strip()]
    for number, key in enumerate(keys, start=1):
        try:
            length = len(base64.b64decode(key, altchars=b"-_", validate=True))
        except (ValueError, binascii.Error):
            length = 0
        if length != 32:
            raise Wrong(f"is malformed: key {number} must be 32 bytes in URL-safe base64")
    return keys


def network(text: str) -> str:
    try:
        ipaddress.ip_network(text, strict=False)
    except ValueError:
        raise Wrong("must be an address or a network, such as 192.0.2.7 or 10.0.0.0/8") from None
    return text


def proxy(text: str) -> str:
    return text if text == "unix" else str(network(text))


def country(text: str) -> str:
    from phonenumbers import SUPPORTED_REGIONS  # Only if the setting is used: it is large.

    code = text.strip().upper()
    if code not in SUPPORTED_REGIONS:
        raise Wrong("must be the two letters of a country, such as CN")
    return code


def time_zone(text: str) -> str:
    name = text.strip()
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise Wrong("must be the name of a time zone, such as Asia/Shanghai") from None
    return name


def address(text: str) -> str:
    """http:// or https:// with a host and perhaps a path, without a slash at the end."""
    value = text.strip().rstrip("/")
    try:
        parts = urlsplit(value)
        fits = parts.scheme in DEFAULT_PORTS and bool(parts.hostname) and parts.port != 0
    except ValueError:
        fits = False
    if not fits or re.search(r"[\s?#@]", value):
        raise Wrong("must be an address such as https://sms.example.com")
    return value


def origin(text: str) -> str:
    """An address without a path, written as browsers write it."""
    parts = urlsplit(address(text))
    if parts.path:
        raise Wrong("must be https://, a host, and nothing more, such as https://sms.example.com")
    name = str(parts.hostname)
    host = f"[{name}]" if ":" in name else ascii_host(name)
    port = parts.port if parts.port != DEFAULT_PORTS[parts.scheme] else None
    return f"{parts.scheme}://{host}" + (f":{port}" if port else "")


def host_name(text: str) -> str:
    """A host as browsers write it: `*`, a name, perhaps with a dot in front, or an IP address."""
    value = text.strip().lower()
    if not re.fullmatch(r"\*|\.?[\w.-]+|\[[0-9a-f:.]+\]", value):
        raise Wrong("must be a host name without scheme and port")
    dot = "." if value.startswith(".") else ""
    return value if value.isascii() else dot + ascii_host(value.removeprefix("."))


def ascii_host(name: str) -> str:
    """The name in the letters of DNS, which browsers send: 短信.example is xn--vuq298g.example."""
    if name.isascii():
        return name
    import idna  # Only if the setting is used: its tables are large.

    try:
        return idna.encode(name, uts46=True).decode("ascii")
    except idna.IDNAError:
        raise Wrong("has a host name that no browser can open") from None


def listening_address(text: str) -> str:
    """Host and port, such as 127.0.0.1:8000 or [::1]:8000."""
    value = text.strip()
    host, _, port = value.rpartition(":")
    plain = re.fullmatch(r"\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+", host)
    if not plain or not re.fullmatch(r"[0-9]{1,5}", port) or not 1 <= int(port) <= 65535:
        raise Wrong(
            "must be an address with a port from 1 to 65535, such as 127.0.0.1:8000 or [::1]:8000"
        )
    return value


def web_address(text: str) -> str:
    """The same, or the path of a socket file."""
    value = text.strip()
    if value.startswith("fd://"):
        raise Wrong("cannot be a descriptor: the web server does not inherit it; use unix:/path")
    if value.startswith("unix:"):
        if not value.removeprefix("unix:").startswith("/"):
            raise Wrong("must name the socket file by its full path, such as unix:/run/portal.sock")
        return value
    return listening_address(value)


def folder(text: str) -> str:
    path = Path(text.strip()).expanduser()
    for part in (path, *path.parents):
        # Unlike Path.is_dir, these raise nothing where this user may not look.
        if os.path.isdir(part):  # noqa: PTH112
            break
        if os.path.exists(part):  # noqa: PTH110
            raise Wrong("must be a folder" if part == path else f"lies in {part}, which is a file")
    return str(path)


def file(text: str) -> str:
    if not os.path.isfile(text.strip()):  # noqa: PTH113
        raise Wrong("must be an existing file")
    return text.strip()


def database_url(text: str) -> str:
    value = text.strip()
    try:
        parts = urlsplit(value)
        scheme, name = parts.scheme, parts.path.lstrip("/")
        # Several hosts are separated by commas, each with a port of its own.
        has_port = "," in parts.netloc or parts.port != 0
    except ValueError:
        raise Wrong("must be an address; encode special characters, such as %23 for #") from None
    if scheme == "sqlite":
        if parts.netloc or not name or ":memory:" in value:
            raise Wrong("must name a file after three slashes: sqlite:///data/portal.sqlite3")
    elif scheme not in POSTGRESQL:
        raise Wrong("must begin with postgres:// or sqlite:///")
    elif not name or not has_port or len(name.rsplit("/", 1)[-1].encode()) > MAX_DATABASE_NAME:
        raise Wrong("must be postgres://user:password@host/name, with the name of a database")
    return value
