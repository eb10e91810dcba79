"""Read the fields of a callback from JSON, a query or a form.

Nothing here raises on any bytes. A repeated name with different values, or a name with a list,
could mean two things: `CallbackFields` notes it as ambiguous, and the client then treats the
callback as unrecognised. A name that is repeated with the same value says one thing.
"""

from __future__ import annotations

import html
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from email.parser import BytesParser
from email.policy import compat32
from typing import Any, Final
from urllib.parse import unquote_to_bytes

from providers.gateway.charsets import declared_charset, decode
from providers.gateway.words import number_text, word_of

from .parsing import NumberText, id_of, text_of

MOST_FIELDS: Final = 100
_SIGNS: Final = re.compile(r"[_\s-]")
_ESCAPED_AND: Final = re.compile(r"&(?:amp|#38|#x26);", re.IGNORECASE)
"""Separators of a form that went through an HTML encoder. A value writes them as `%26amp%3B`."""


@dataclass(frozen=True, slots=True)
class CallbackFields:
    """`values` has the names in lower case without `_` and `-`; `original` has them unchanged."""

    values: Mapping[str, str]
    original: Mapping[str, str] = field(default_factory=dict)
    ambiguous: frozenset[str] = frozenset()
    repeated: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """All values of the names that are ambiguous because their values differ."""

    def get(self, *names: str) -> str:
        """The value of the first of these names that is not ambiguous or empty; else empty."""
        found = (self.values.get(name, "") for name in names if name not in self.ambiguous)
        return next((value for value in found if value), "")

    @staticmethod
    def normalized(name: str) -> str:
        """The key of `values` for an original name."""
        return _SIGNS.sub("", name.partition("[")[0]).lower()


def collect_fields(pairs: Iterable[tuple[object, object]]) -> CallbackFields:
    values: dict[str, str] = {}
    original: dict[str, str] = {}
    said: dict[str, list[str]] = {}
    ambiguous: set[str] = set()
    for name, value in pairs:
        key = text_of(name, 100)
        short = CallbackFields.normalized(key)
        if isinstance(value, list) and len(value) == 1 and not isinstance(value[0], (list, tuple)):
            # A list of one says one thing.
            value = value[0]
        text = _value_text(value)
        if "[" in key or isinstance(value, (list, tuple)):
            ambiguous.add(short)
        said.setdefault(short, []).append(text)
        if not values.get(short):
            values[short] = text
        original[key] = text_of(value)
    repeated = {short: tuple(texts) for short, texts in said.items() if _differ(texts)}
    return CallbackFields(values, original, frozenset(ambiguous | repeated.keys()), repeated)


def _value_text(value: object) -> str:
    if isinstance(value, NumberText):
        return number_text(value.number) or text_of(value)
    # Programs in C pad a text with NUL.
    return text_of(value.strip("\0") if isinstance(value, str) else value).strip()


def _differ(texts: Sequence[str]) -> bool:
    """Whether values contradict each other. An empty one says nothing."""
    words = {word_of(text) or text for text in texts if text}
    return len(words) > 1 and len({id_of(text) or text for text in texts if text}) > 1


def parse_query_pairs(query: str, content_type: str = "") -> list[tuple[str, str]] | None:
    """The fields of a query string or form; None if it has too many to be a report.

    Percent-encoded bytes are decoded together, by the declared charset or the one that they are in.
    """
    parts = [part for part in _ESCAPED_AND.sub("&", query).split("&") if part]
    if len(parts) > MOST_FIELDS:
        return None
    raw = [tuple(_unquote(piece) for piece in part.partition("=")[::2]) for part in parts]
    charset = _charset_of(b"\n".join(piece for pair in raw for piece in pair), content_type)
    return [(decode(name, charset), decode(value, charset)) for name, value in raw]


def percent_encoded(body: bytes) -> str:
    """A form with its non-ASCII bytes percent-encoded, so that all are decoded together."""
    return "".join(chr(byte) if byte < 128 else f"%{byte:02X}" for byte in body.strip())


def _unquote(text: str) -> bytes:
    return unquote_to_bytes(text.replace("+", " ").encode("utf-8", "backslashreplace"))


def _charset_of(data: bytes, content_type: str) -> str:
    """A Content-Type that makes `decode` read each part as it reads all of them."""
    try:
        data.decode("utf-8")
    except ValueError:
        return content_type if declared_charset(content_type) else "charset=gb18030"
    return "charset=utf-8"


def parse_multipart_pairs(body: bytes, content_type: str) -> list[tuple[str, str]] | None:
    """The fields of a multipart form, as `curl -F` and some libraries post it; None if it is not
    one."""
    head = f"Content-Type: {content_type}\r\n\r\n".encode("utf-8", "replace")
    try:
        parts = BytesParser(policy=compat32).parsebytes(head + body)
    except (ValueError, LookupError):
        return None
    found: Any = parts.get_payload()
    if not parts.is_multipart():
        return None
    pairs = []
    for part in found[: MOST_FIELDS + 1]:
        name = part.get_param("name", header="content-disposition")
        content = part.get_payload(decode=True)
        if isinstance(name, str) and isinstance(content, bytes):
            pairs.append((name, decode(content, str(part.get("content-type", "")))))
    return pairs if len(pairs) <= MOST_FIELDS else None


def parse_json_pairs(body: bytes, content_type: str = "") -> list[object] | None:
    """The objects of a JSON body, each as a tuple of pairs; None if it is not JSON.

    Pairs, because a dict would silently keep the last of two equal names. JSON that was sent as a
    form, and so ends in `=` or is percent-encoded, is read as well. So is JSON in a JSON string.
    """
    text = decode(body, content_type).strip()
    for written in (text, text.rstrip("="), html.unescape(text), _from_form(text)):
        read = _read_json(written)
        if isinstance(read, str) and not isinstance(read, NumberText):
            read = _read_json(read)
        if read is not None:
            return read if isinstance(read, list) else [read]
    return None


def looks_like_json(body: bytes, content_type: str = "") -> bool:
    """Whether a body, or the only field of a form, begins like a JSON object or list."""
    text = decode(body[:200], content_type).lstrip()
    return text.startswith(("{", "[", "%7B", "%7b", "%5B", "%5b"))


def _from_form(text: str) -> str:
    return decode(_unquote(text)).strip().rstrip("=")


def _read_json(text: str) -> object:
    """The value; None for text that is no JSON, and for null."""
    try:
        read: object = json.loads(
            text, object_pairs_hook=tuple, parse_float=NumberText, parse_constant=str
        )
    except (ValueError, RecursionError):
        return None
    return read
