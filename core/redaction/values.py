"""Redacts secrets, codes and phone numbers from text. Independent of Django.

Two methods, always combined: by value (every known secret, in each of its possible spellings) and
by the fields that an operation declares. There is no word list, because `code` is a verification
code in one place, `200` in another and an error name in a third. In case of doubt, everything is
hidden.
"""

from __future__ import annotations

import base64
import html
import json
import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Final
from urllib.parse import quote, quote_plus

from .fields import (
    HIDDEN,
    NO_FIELDS,
    Fields,
    mask_phone,
    redact_fields,
    redact_form_fields,
)

SHORTEST_BY_VALUE: Final = 4
"""Characters. A shorter secret is hidden by field only: by value it would shred the text."""
LONGEST_CODE: Final = 6
"""Characters. A call's value of up to this length is hidden as a whole word only."""


def storable(text: str) -> str:
    """Make text safe for PostgreSQL: replace NUL by its picture, escape lone surrogates."""
    if "\x00" in text:
        text = text.replace("\x00", "␀")
    return text if text.isascii() else text.encode("utf-8", "backslashreplace").decode()


def truncate(text: str, limit: int) -> str:
    """Truncate to `limit` bytes of UTF-8, with an ellipsis if anything was cut."""
    if len(text) * 4 <= limit or len(encoded := text.encode()) <= limit:
        return text
    return encoded[: limit - len("…".encode())].decode(errors="ignore") + "…"


# --- by value --------------------------------------------------------------


@lru_cache(maxsize=1024)
def spellings(secret: str) -> tuple[str, ...]:
    """The forms in which a value may appear: plain, in a URL, JSON, HTML or base64."""
    raw = secret.encode("utf-8", "surrogatepass")
    coded = _base64_spellings(raw)
    if secret.isascii() and secret.isalnum():
        return (*coded, secret) if len(secret) >= SHORTEST_BY_VALUE else coded
    url = [quote(raw, safe) for safe in ("", "/", "/:", "/:?@!$'()*,;=&+")] + [quote_plus(raw)]
    url += [quote(each, "") for each in url]
    url += [re.sub(r"%[0-9A-F]{2}", lambda hit: hit[0].lower(), each) for each in url]
    ascii_json = json.dumps(secret)[1:-1]
    upper_json = re.sub(r"(?<=\\u)[0-9a-f]{4}", lambda hit: hit[0].upper(), ascii_json)
    texts = [secret, json.dumps(secret, ensure_ascii=False)[1:-1], ascii_json, upper_json]
    texts += [each.replace("/", "\\/") for each in texts]
    escaped = html.escape(secret)
    texts += [escaped, html.escape(secret, quote=False)]
    texts += [escaped.replace("&#x27;", apostrophe) for apostrophe in ("&#39;", "&#039;")]
    found = {*texts, *url, *coded, secret.strip()}
    return tuple(
        sorted((each for each in found if len(each) >= SHORTEST_BY_VALUE), key=len, reverse=True)
    )


def _base64_spellings(raw: bytes) -> tuple[str, ...]:
    coded = base64.b64encode(raw).decode()
    safe = base64.urlsafe_b64encode(raw).decode()
    found = dict.fromkeys((quote(coded, ""), coded, safe, coded.rstrip("="), safe.rstrip("=")))
    return tuple(each for each in found if len(each) >= SHORTEST_BY_VALUE)


_HEX: Final = "3[0-9]|[46][1-9a-fA-F]|5[0-9aAfF]|7[0-9aA]"
_DECIMAL: Final = "4[89]|5[0-7]|6[5-9]|[78][0-9]|9[05789]|1[01][0-9]|12[0-2]"
_DISGUISED: Final = re.compile(rf"\\u00({_HEX})|%({_HEX})|&#[xX]0*({_HEX});|&#0*({_DECIMAL});")
"""Escaped ASCII letters and digits, which need no escaping."""


def _undisguised(text: str) -> str:
    if "\\u00" in text or "%" in text or "&#" in text:
        return _DISGUISED.sub(_plain_character, text)
    return text


def _plain_character(hit: re.Match[str]) -> str:
    return chr(int(hit[4]) if hit[4] else int(hit[1] or hit[2] or hit[3], 16))


_END_OF_ESCAPE: Final = re.compile(r"(?:\\u[0-9a-fA-F]{4}|\\[bfnrt]|%[0-9a-fA-F]{2})\Z")


def _hide_word(text: str, word: str) -> str:
    """Hide a short value that stands alone, not inside a longer word or number."""
    parts, start = [], 0
    while (at := text.find(word, start)) >= 0:
        end = at + len(word)
        alone = _stands_apart(text[max(0, at - 6) : at]) and not _is_word(text[end : end + 1])
        parts += [text[start:at], HIDDEN if alone else word]
        start = end
    return "".join((*parts, text[start:]))


def _stands_apart(before: str) -> bool:
    # The last letter of an escape (\n, %20, 验) is not part of a word.
    return not _is_word(before[-1:]) or bool(_END_OF_ESCAPE.search(before))


def _is_word(character: str) -> bool:
    return character.isascii() and character.isalnum()


def _mask_number(text: str, tail: str) -> str:
    """Mask every run of digits that contains the end of a known phone number."""
    parts, start = [], 0
    while (at := text.find(tail, start)) >= 0:
        end = at + len(tail)
        while at > start and _is_digit(text[at - 1]):
            at -= 1
        while end < len(text) and _is_digit(text[end]):
            end += 1
        parts += [text[start:at], mask_phone(text[at:end])]
        start = end
    return "".join((*parts, text[start:]))


_LONG_NUMBER: Final = re.compile(
    r"(?:(?<=%2[Bb])|(?<![0-9A-Za-z_-])\+?)[0-9]{9,15}(?![0-9A-Za-z_-])"
)


def mask_numbers(text: str) -> str:
    """Mask every possible phone number in text whose fields are unknown.

    Ids of that length lose their middle, too.
    """
    return _LONG_NUMBER.sub(lambda hit: mask_phone(hit[0]), text)


def _is_digit(character: str) -> bool:
    return "0" <= character <= "9"


@dataclass(frozen=True, slots=True)
class Redactor:
    """Redacts the secrets of an account, and those of a call that `with_values` adds."""

    _spellings: tuple[str, ...] = ()
    _words: tuple[str, ...] = ()
    _tails: tuple[str, ...] = ()

    def with_values(self, secrets: Iterable[str] = (), phones: Iterable[str] = ()) -> Redactor:
        """A redactor that also hides the codes and tokens of one call and masks its numbers."""
        values = {value for value in secrets if value and value not in self._spellings}
        words = {value for value in values if len(value) <= LONGEST_CODE}
        longer = [each for value in values for each in spellings(value) if each not in words]
        tails = {tail for phone in phones if len(tail := _digits(phone)[-8:]) > 6}
        if not (values or tails):
            return self
        return replace(
            self,
            _spellings=(*longer, *self._spellings),
            _words=(*self._words, *sorted(words, key=len, reverse=True)),
            _tails=(*self._tails, *tails),
        )

    def redact_values(self, text: str) -> str:
        """Hide every known value in text of any kind."""
        text = _undisguised(text)
        if "\x00" in text and self._finds(plain := text.replace("\x00", "")):
            # UTF-16 decoded as another encoding has a NUL between the letters of a secret.
            return self.redact_values(plain)
        for spelling in self._spellings:
            if spelling in text:
                text = text.replace(spelling, HIDDEN)
        for word in self._words:
            if word in text:
                text = _hide_word(text, word)
        for tail in self._tails:
            if tail in text:
                text = _mask_number(text, tail)
        return text

    def _finds(self, text: str) -> bool:
        return any(value in text for value in (*self._spellings, *self._words, *self._tails))

    def redact_body(self, text: str, fields: Fields = NO_FIELDS) -> str:
        """Redact a body of any kind: JSON (complete or truncated), a form, a page of HTML."""
        text = _undisguised(text)
        if fields.hidden or fields.masked:
            text = redact_fields(text, fields)
        return self.redact_values(text)

    def redact_form(self, text: str, fields: Fields = NO_FIELDS) -> str:
        """Redact a query string, or a form in the same encoding."""
        return self.redact_values(redact_form_fields(_undisguised(text), fields))


@lru_cache(maxsize=256)
def redactor(secrets: tuple[str, ...]) -> Redactor:
    """The redactor for an account's secrets. Cached, because calls share it."""
    found = {each for secret in secrets for each in _long_enough(secret)}
    return Redactor(tuple(sorted(found, key=len, reverse=True)))


def _long_enough(secret: str) -> tuple[str, ...]:
    return spellings(secret) if len(secret) >= SHORTEST_BY_VALUE else ()


def _digits(text: str) -> str:
    return "".join(filter(_is_digit, text))
