"""Read the fields of a callback from JSON, a query or a form.

Nothing here raises on any bytes. A repeated name, or a name with a list, could mean two things:
`CallbackFields` notes it as ambiguous, and the client then treats the callback as unrecognised.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from email.parser import BytesParser
from email.policy import compat32
from typing import Any, Final
from urllib.parse import parse_qsl

from .parsing import text_of

MOST_FIELDS: Final = 100
_SIGNS: Final = re.compile(r"[_\s-]")


@dataclass(frozen=True, slots=True)
class CallbackFields:
    """`values` has the names in lower case without `_` and `-`; `original` has them unchanged."""

    values: Mapping[str, str]
    original: Mapping[str, str] = field(default_factory=dict)
    ambiguous: frozenset[str] = frozenset()

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
    ambiguous: set[str] = set()
    for name, value in pairs:
        key = text_of(name, 100)
        short = CallbackFields.normalized(key)
        if short in values or "[" in key or isinstance(value, (list, tuple)):
            ambiguous.add(short)
        values.setdefault(short, text_of(value).strip())
        original[key] = text_of(value)
    return CallbackFields(values, original, frozenset(ambiguous))


def parse_query_pairs(query: str) -> list[tuple[str, str]] | None:
    """The fields of a query string; None if it has too many to be a report."""
    try:
        return parse_qsl(
            query, keep_blank_values=True, errors="backslashreplace", max_num_fields=MOST_FIELDS
        )
    except ValueError:
        return None


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
            pairs.append((name, content.decode("utf-8", "backslashreplace")))
    return pairs if len(pairs) <= MOST_FIELDS else None


def parse_json_pairs(body: bytes) -> list[object] | None:
    """The objects of a JSON body, each as a tuple of pairs; None if it is not JSON.

    Pairs, because a dict would silently keep the last of two equal names.
    """
    try:
        read = json.loads(body, object_pairs_hook=tuple, parse_float=str, parse_constant=str)
    except (ValueError, RecursionError):
        return None
    return read if isinstance(read, list) else [read]
