"""The rules for texts that staff read, in English and Chinese."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

import polib
import pytest

from smsportal.environment import BASE_DIR

CATALOGUE: Final = polib.pofile(str(BASE_DIR / "locale/zh_Hans/LC_MESSAGES/django.po"))
FORBIDDEN: Final = re.compile(
    r"\b(anew|dead|whoever|somebody|nobody|everybody|by itself|a go-ahead|needs a hand"
    r"|(goes|went|is|are) out|handed over|taken up|took the|waits no more|any more|is over"
    r"|last word|whole number|may not|made by|settled?|stood still"
    r"|stands|that stands|(provider|portal) (says|asks|told))\b",
    re.IGNORECASE,
)
"""Dialect, and words that mean something else beside money or numbers."""
ALLOWED: Final = ("may or may not",)
LIST_SEPARATOR: Final = ", "
CHINESE: Final = r"[\u3400-\u9fff]"
BAD_CHINESE: Final = {
    "a blank after a full-width mark": re.compile(r"[。！？，、；：] "),
    "a blank before a full-width mark": re.compile(rf"{CHINESE} [。！？，、；：）]"),
    "a half-width mark": re.compile(rf"{CHINESE}[,;:!?](?!\d)|{CHINESE}\(|\){CHINESE}"),
    "a double ellipsis": re.compile("……"),
    "a blank before a quotation mark": re.compile(rf"{CHINESE} [“「]"),
    "a blank before an ellipsis": re.compile(" …"),
}


def texts() -> Iterator[str]:
    for entry in CATALOGUE:
        yield entry.msgid
        if entry.msgid_plural:
            yield entry.msgid_plural


def translations() -> Iterator[str]:
    for entry in CATALOGUE:
        yield from (entry.msgstr, *entry.msgstr_plural.values())


def test_english_texts_use_no_forbidden_phrase() -> None:
    found = [text for text in texts() if FORBIDDEN.search(_without_allowed(text))]
    assert found == []


def _without_allowed(text: str) -> str:
    for phrase in ALLOWED:
        text = text.replace(phrase, "")
    return text


def test_no_text_is_a_piece_of_a_sentence() -> None:
    """A text that begins or ends with a blank or a mark is joined to others by the code."""
    pieces = [
        text
        for text in texts()
        if text != LIST_SEPARATOR and (text != text.strip() or re.match(r"[,.;:)–—]", text))
    ]
    assert pieces == []


@pytest.mark.parametrize("fault", BAD_CHINESE)
def test_chinese_texts_are_punctuated_as_chinese(fault: str) -> None:
    assert [text for text in translations() if BAD_CHINESE[fault].search(text)] == []


def test_texts_of_the_same_act_begin_in_the_same_way() -> None:
    """What was not done is said as “No change: reason”."""
    assert [text for text in texts() if re.match(r"Nothing was (changed|done)", text)] == []
