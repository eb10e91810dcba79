"""Taking secrets, codes and phone numbers out of what is written down.

Two ways, and always both: by value (every secret that is known, in the spellings it may
turn up in) and by the fields that an operation declares. Never by a word list: `code`
is a verification code in one place, `200` in another and an error name in a third.
Where it is in doubt, everything is hidden. It needs no Django.
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
"""Characters. A shorter secret is hidden by its field only; by value it would shred."""
LONGEST_CODE: Final = 6
"""A value of one call that is no longer than this is hidden as a whole word only."""


def storable(text: str) -> str:
    """Text that PostgreSQL takes: NUL as its picture, lone surrogates as escapes."""
    if "\x00" in text:
        text = text.replace("\x00", "␀")
    return text if text.isascii() else text.encode("utf-8", "backslashreplace").decode()


def truncate(text: str, limit: int) -> str:
    """At most `limit` bytes of UTF-8, and an ellipsis where something was left off."""
    if len(text) * 4 <= limit or len(encoded := text.encode()) <= limit:
        return text
    return encoded[: limit - len("…".encode())].decode(errors="ignore") + "…"


# --- by value --------------------------------------------------------------


@lru_cache(maxsize=1024)
def spellings(secret: str) -> tuple[str, ...]:
    """A value as it may turn up: itself, in a URL, in JSON, in HTML, in base64."""
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
"""ASCII letters and digits that somebody took the trouble to escape."""


def _undisguised(text: str) -> str:
    if "\\u00" in text or "%" in text or "&#" in text:
        return _DISGUISED.sub(_plain_character, text)
    return text


def _plain_character(hit: re.Match[str]) -> str:
    return chr(int(hit[4]) if hit[4] else int(hit[1] or hit[2] or hit[3], 16))


_END_OF_ESCAPE: Final = re.compile(r"(?:\\u[0-9a-fA-F]{4}|\\[bfnrt]|%[0-9a-fA-F]{2})\Z")


def _hide_word(text: str, word: str) -> str:
    """Hide a short value where it stands alone, not inside a longer word or number."""
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
    """Mask every run of digits that a known phone number is part of."""
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
    """Mask whatever could be a phone number, where nobody knows which fields hold one. Ids of
    that length lose their middle as well."""
    return _LONG_NUMBER.sub(lambda hit: mask_phone(hit[0]), text)


def _is_digit(character: str) -> bool:
    return "0" <= character <= "9"


@dataclass(frozen=True, slots=True)
class Redactor:
    """Knows the secrets of one account, and of one call where `also` has added them."""

    _spellings: tuple[str, ...] = ()
    _words: tuple[str, ...] = ()
    _tails: tuple[str, ...] = ()

    def with_values(self, secrets: Iterable[str] = (), phones: Iterable[str] = ()) -> Redactor:
        """With the values of one call: codes and tokens, and phone numbers to mask."""
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
        """Hide every known value, whatever the text is."""
        text = _undisguised(text)
        if "\x00" in text and self._finds(plain := text.replace("\x00", "")):
            # UTF-16 read as something else: the secret stands there, letter by letter.
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
        """A body of any kind: JSON (whole or cut off), a form, a page of HTML."""
        text = _undisguised(text)
        if fields.hidden or fields.masked:
            text = redact_fields(text, fields)
        return self.redact_values(text)

    def redact_form(self, text: str, fields: Fields = NO_FIELDS) -> str:
        """A query string, or a form in the same encoding."""
        return self.redact_values(redact_form_fields(_undisguised(text), fields))


@lru_cache(maxsize=256)
def redactor(secrets: tuple[str, ...]) -> Redactor:
    """The redactor of an account's secrets; made once, since most calls share one."""
    found = {each for secret in secrets for each in _long_enough(secret)}
    return Redactor(tuple(sorted(found, key=len, reverse=True)))


def _long_enough(secret: str) -> tuple[str, ...]:
    return spellings(secret) if len(secret) >= SHORTEST_BY_VALUE else ()


def _digits(text: str) -> str:
    return "".join(filter(_is_digit, text))
