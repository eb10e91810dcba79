"""The rules for texts that staff read, in English and Chinese."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

import django
import polib
import pytest
from django.apps import apps
from polib import POEntry

from smsportal.configuration.environment import BASE_DIR

CATALOGUE: Final = polib.pofile(str(BASE_DIR / "locale/zh_Hans/LC_MESSAGES/django.po"))
THEME: Final = polib.pofile(str(BASE_DIR / "locale/theme/zh_Hans/LC_MESSAGES/django.po"))
GLOSSARY: Final = BASE_DIR / "docs/developers/glossary.md"
INSTALLED: Final = Path("locale/zh_Hans/LC_MESSAGES/django.mo")
"""Where a package keeps its compiled Chinese."""
PAGELESS: Final = "allauth"
"""A library whose own pages nobody sees."""
FORBIDDEN: Final = re.compile(
    r"\b(anew|dead|whoever|somebody|nobody|everybody|by itself|a go-ahead|needs a hand"
    r"|(goes|went|is|are) out|handed over|taken up|took the|waits no more|any more|is over"
    r"|last word|whole number|may not|made by|settled?|stood still"
    r"|stands|that stands|(provider|portal) (says|asks|told))\b",
    re.IGNORECASE,
)
"""Dialect, and words that mean something else beside money or numbers."""
ALLOWED: Final = ("may or may not",)
LIST_SEPARATORS: Final = (", ", "; ")
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
        if text not in LIST_SEPARATORS and (text != text.strip() or re.match(r"[,.;:)–—]", text))
    ]
    assert pieces == []


@pytest.mark.parametrize("fault", BAD_CHINESE)
def test_chinese_texts_are_punctuated_as_chinese(fault: str) -> None:
    assert [text for text in translations() if BAD_CHINESE[fault].search(text)] == []


def test_texts_of_the_same_act_begin_in_the_same_way() -> None:
    """Every text about what was not done begins with “No change:”."""
    assert [text for text in texts() if re.match(r"Nothing was (changed|done)", text)] == []


def test_each_text_of_one_word_has_a_context() -> None:
    """In Chinese, a word depends on its place: “Read” names a time or a person's act."""
    words = [entry.msgid for entry in CATALOGUE if is_word(entry.msgid) and not entry.msgctxt]
    assert words == []


def is_word(text: str) -> bool:
    return not re.search(r"\s", text.strip())


def test_the_glossary_explains_each_context() -> None:
    used = {entry.msgctxt for entry in CATALOGUE if entry.msgctxt}
    explained = set(re.findall(r"^\| `([^`]+)` \|", GLOSSARY.read_text(encoding="utf-8"), re.M))
    assert explained == used


def test_no_text_overrides_django_or_an_installed_app() -> None:
    """Where two catalogues have the same text, ours wins on the pages of the other, too."""
    others = {entry_key(entry): entry for entry in installed_entries()}
    assert len(others) > 500
    assert differences([*CATALOGUE, *THEME], others) == []


def test_no_text_overrides_the_theme() -> None:
    assert differences(CATALOGUE, {entry_key(entry): entry for entry in THEME}) == []


def installed_entries() -> Iterator[POEntry]:
    folders = [Path(django.__file__).parent / "conf"]
    shown = [each for each in apps.get_app_configs() if not each.name.startswith(PAGELESS)]
    folders += [Path(config.path) for config in shown]
    for folder in folders:
        if (folder / INSTALLED).is_file():
            yield from polib.mofile(str(folder / INSTALLED))


def entry_key(entry: POEntry) -> tuple[str, str]:
    return entry.msgctxt or "", entry.msgid


def differences(
    entries: Iterable[POEntry], others: dict[tuple[str, str], POEntry]
) -> list[tuple[str, str, str]]:
    return [
        (entry.msgid, entry.msgstr, others[entry_key(entry)].msgstr)
        for entry in entries
        if entry_key(entry) in others and not same_translation(entry, others[entry_key(entry)])
    ]


def same_translation(one: POEntry, other: POEntry) -> bool:
    return bool(one.msgstr == other.msgstr and one.msgstr_plural == other.msgstr_plural)
