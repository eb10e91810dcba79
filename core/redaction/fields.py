"""Redacts the values of declared fields in JSON, forms and other text. Independent of Django.

The text is edited in place, without parsing and serialising it. A body that is truncated, repeats
a key or writes a number oddly therefore stays recognisable.
"""

from __future__ import annotations

import json
import re
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from typing import Final
from urllib.parse import unquote_plus

HIDDEN: Final = "[hidden]"
"""Replaces a value. Pages render it as a marker."""
DOT: Final = "•"


def mask_phone(text: str) -> str:
    """Keep the first three and the last four digits; replace the others by dots.

    Separators stay. Of up to seven digits, only the last two are kept. Letters become dots.
    """
    count = sum(character.isdigit() for character in text)
    first, last = (3, 4) if count > 7 else (0, 2)
    seen = 0
    shown = []
    for character in text:
        if character.isdigit():
            seen += 1
            if first < seen <= count - last:
                character = DOT
        elif character.isalpha():
            character = DOT
        shown.append(character)
    return "".join(shown)


@dataclass(frozen=True, slots=True)
class Fields:
    """Field names in lower case. `hidden` values are removed, `masked` values lose the middle."""

    hidden: frozenset[str]
    masked: frozenset[str]

    def covers(self, name: str) -> bool:
        return name in self.hidden or name in self.masked

    def redacted(self, name: str, value: str) -> str:
        """The replacement for the value of a covered field."""
        if not value:
            return value
        return HIDDEN if name in self.hidden else mask_phone(value)


@lru_cache(maxsize=256)
def fields_of(hidden: frozenset[str], masked: frozenset[str] = frozenset()) -> Fields:
    return Fields(
        frozenset(name.lower() for name in hidden), frozenset(name.lower() for name in masked)
    )


NO_FIELDS: Final = Fields(frozenset(), frozenset())


_JSON: Final = re.compile(r'[\ufeff\s]*[{\[]\s*(?:["{}\[\]0-9-]|true|false|null|\Z)')
_STRING: Final = re.compile(r'"([^"\\]*(?:\\.[^"\\]*)*)(?:"(\s*:\s*)?|\\?\Z)', re.DOTALL)
_STRUCTURE: Final = re.compile(_STRING.pattern + r"|[{}\[\]]", re.DOTALL)
_SCALAR: Final = re.compile(r"[^,}\]\s]*")
_FORM: Final = re.compile(r"[^\s=&<>{}\"]+=[^\s=&<>{}\"]*(?:&[^\s=&<>{}\"]+=[^\s=&<>{}\"]*)*\s*")


def redact_fields(text: str, fields: Fields) -> str:
    """Redact a body of any kind.

    Text in another format that seems to state a covered field is hidden completely.
    """
    if _JSON.match(text):
        return _redact_json(text, fields)
    if _FORM.fullmatch(text):
        return redact_form_fields(text, fields)
    return HIDDEN if _names_field(text, fields) else text


def _names_field(text: str, fields: Fields) -> bool:
    """Whether text that is neither JSON nor a form seems to state a covered field."""
    names = "|".join(map(re.escape, sorted(fields.hidden | fields.masked)))
    return bool(re.search(rf"(?i)(?<![0-9a-z_])(?:{names})(?![0-9a-z_])\W{{0,3}}[:=>]", text))


def _redact_json(text: str, fields: Fields) -> str:
    """Replace values in place, so that repeated keys and odd numbers stay visible."""
    parts, start, at = [], 0, 0
    while token := _STRING.search(text, at):
        at = token.end()
        name = _unescaped(token[1]).lower()
        if token[2] is not None and fields.covers(name):
            end = _end_of_value(text, at)
            parts += [text[start:at], _json_replacement(text[at:end], name, fields)]
            start = at = end
        elif token[2] is None and _holds_fields(token[1], fields):
            parts += [text[start : token.start()], f'"{HIDDEN}"']
            start = at
    return "".join((*parts, text[start:]))


def _unescaped(text: str) -> str:
    if "\\" in text:
        with suppress(ValueError):
            text = json.loads(f'"{text}"', strict=False)
    return text


def _holds_fields(value: str, fields: Fields) -> bool:
    """Whether a text is JSON, a form or markup itself, and seems to state a covered field."""
    plain = _unescaped(value).strip()
    is_data = plain[:1] in ("{", "[", "<") or _FORM.fullmatch(plain)
    return bool(is_data) and _names_field(plain, fields)


def _end_of_value(text: str, start: int) -> int:
    opening = text[start : start + 1]
    if opening == '"':
        token = _STRING.match(text, start)
        return len(text) if token is None else token.end() - len(token[2] or "")
    if opening not in ("{", "["):
        scalar = _SCALAR.match(text, start)
        return len(text) if scalar is None else scalar.end()
    depth = 0
    for token in _STRUCTURE.finditer(text, start):
        depth += {"{": 1, "[": 1, "}": -1, "]": -1}.get(token[0], 0)
        if depth == 0:
            return token.end()
    return len(text)


def _json_replacement(value: str, name: str, fields: Fields) -> str:
    if value in ("", '""', "null"):
        return value
    whole = value[0] not in '{["' or (len(value) > 1 and value[0] == value[-1] == '"')
    if name in fields.hidden or not whole:
        return f'"{HIDDEN}"'
    return f'"{mask_phone(value.strip(chr(34)))}"'


def redact_form_fields(text: str, fields: Fields) -> str:
    """Redact a query string, or a form in the same encoding."""
    if not (fields.hidden or fields.masked):
        return text
    pairs = []
    for pair in text.split("&"):
        name, equals, value = pair.partition("=")
        plain = unquote_plus(name).lower()
        if fields.covers(plain):
            value = fields.redacted(plain, unquote_plus(value))
        pairs.append(f"{name}{equals}{value}")
    return "&".join(pairs)
