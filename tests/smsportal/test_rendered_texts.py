"""Each page speaks one language: the reader's. Data of people and providers is exempt."""

from __future__ import annotations

import re
from collections import defaultdict
from typing import Final

import pytest

from tests.factories.staff import make_user
from tests.support.every_page import every_address
from tests.support.every_row import DATA, fill
from tests.support.page_texts import texts_of
from tests.support.signed_in import browser_of

pytestmark = [pytest.mark.django_db, pytest.mark.slow]
PROPER_NAMES: Final = frozenset(
    (
        *("SMS", "HAORUI", "HaoSMS", "GoSMS", "OTP", "Service", "API", "Key", "UTC", "ID", "IP"),
        *(
            "HTTP",
            "CSV",
            "XLSX",
            "ODS",
            "MB",
            "GSM",
            "Unicode",
            "ISO",
            "GB",
            "SQLite",
            "TLS",
            "PostgreSQL",
        ),
        *(
            "Enter",
            "Ctrl",
            "Esc",
            "UTF",
            "F",
            "Webhook",
            *("Healthchecks", "Uptime", "Kuma"),
            "XXXX",
            "English",
            "A",
            "OUTGOING_ADDRESSES",
            "ch_",
            "api_key",
            "xx",
            "T",
            "P",
        ),
    )
)
LATIN: Final = re.compile(r"[A-Za-z][A-Za-z_]*")
ADDRESS: Final = re.compile(r"https?://[\w./-]+|(?<!\w)(?:/[A-Za-z]\w*)+", re.A)
CHINESE: Final = re.compile(r"[\u3400-\u9fff]")
FAULTY_MARKS: Final = re.compile(
    r"[\u3400-\u9fff][,;:!?](?!\d)|[\u3400-\u9fff] ?\(|\) ?[\u3400-\u9fff]|[。！？，、；：] (?!\|)"
    r"| [。！？，、；：）]|[\u3400-\u9fff] [“「…]"
)
DJANGO: Final = ("_delete",)
"""Django's own words and marks, which no catalogue of ours overrides."""
QUOTED: Final = ("Verification code", "验证码是", "Your verification code", "渠道管理")
"""Texts of a provider that a page quotes."""


def pages_by_text(language: str) -> dict[str, set[str]]:
    """Each text outside of data, with the names of its pages."""
    fill()
    browser = browser_of(make_user(is_superuser=True, username="chief"))
    browser.get("/")
    found: dict[str, set[str]] = defaultdict(set)
    without_page: set[str] = set()
    for name, address in every_address():
        if name.endswith(DJANGO) or name in without_page:
            continue
        answer = browser.get(address, headers={"accept-language": language})
        assert answer.status_code < 500, address
        if answer.status_code in (403, 405):
            without_page.add(name)
        if answer.headers.get("Content-Type", "").startswith("text/html"):
            for text in texts_of(answer.content.decode()):
                if not any(quoted in text for quoted in QUOTED):
                    found[DATA.sub("\ufffc", text)].add(name)
    assert len(found) > 500
    return found


def with_pages(found: dict[str, set[str]], texts: list[str]) -> str:
    return "\n".join(f"{text!r} on {sorted(found[text])}" for text in sorted(texts))


def test_chinese_pages_have_no_latin_words_but_names_and_no_half_width_marks() -> None:
    found = pages_by_text("zh-CN")
    latin = [text for text in found if set(LATIN.findall(ADDRESS.sub("", text))) - PROPER_NAMES]
    marks = [text for text in found if CHINESE.search(text) and FAULTY_MARKS.search(text)]
    assert not latin, with_pages(found, latin)
    assert not marks, with_pages(found, marks)


def test_english_pages_have_no_chinese_words() -> None:
    found = pages_by_text("en")
    chinese = [text for text in found if CHINESE.search(text)]
    assert not chinese, with_pages(found, chinese)
