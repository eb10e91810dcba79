"""The pages stay light: the markup of a row, the bytes of a list, the files of a page.

How long they take is measured by `python -m benchmarks.weight`.
"""

from __future__ import annotations

import gzip
import re
from datetime import datetime
from typing import Final

import pytest
import time_machine
from django.contrib.auth.models import User
from django.test import Client

from benchmarks.weight import row_bytes
from tests.support.signed_in import browser_of

pytestmark = pytest.mark.django_db

MOST_OF_A_ROW: Final = 1_200
MOST_OF_A_LIST: Final = 60_000
"""Bytes of 50 rows as they are sent."""
LONG_LISTS: Final = (
    "/messaging/message/?period=all",
    "/otp/session/?period=all",
    "/rentals/order/",
    "/rentals/transaction/",
    "/providers/apicall/",
    "/providers/callback/",
)
SHORT_LISTS: Final = ("/messaging/batch/", "/providers/account/", "/auth/user/")


@pytest.fixture
def browser(month_of_history: datetime) -> Client:
    browser = browser_of(User.objects.get(username="admin"))
    browser.defaults["HTTP_ACCEPT_ENCODING"] = "gzip"
    return browser


def page_of(browser: Client, url: str, language: str, now: datetime) -> tuple[str, int]:
    """A page, and its length as it was sent."""
    browser.cookies["django_language"] = language
    with time_machine.travel(now, tick=False):
        # Its session began at another time.
        browser.force_login(User.objects.get(username="admin"))
        answer = browser.get(url)
    assert answer.status_code == 200
    return gzip.decompress(answer.content).decode(), len(answer.content)


@pytest.mark.parametrize("language", ["en", "zh-hans"])
@pytest.mark.parametrize("url", LONG_LISTS)
def test_fifty_rows_are_light(
    browser: Client, month_of_history: datetime, url: str, language: str
) -> None:
    page, sent = page_of(browser, url, language, month_of_history)
    assert page.count('class="data-row"') == 50
    assert row_bytes(page) < MOST_OF_A_ROW
    assert sent < MOST_OF_A_LIST / 2


@pytest.mark.parametrize("language", ["en", "zh-hans"])
@pytest.mark.parametrize("url", SHORT_LISTS)
def test_rows_of_short_lists_are_light(
    browser: Client, month_of_history: datetime, url: str, language: str
) -> None:
    page, _sent = page_of(browser, url, language, month_of_history)
    assert page.count('class="data-row"') > 2
    assert row_bytes(page) < MOST_OF_A_ROW


@pytest.mark.parametrize(
    ("url", "most"), [("/messaging/message/", 35), ("/messaging/message/send/", 23), ("/", 22)]
)
def test_a_page_needs_few_files(
    browser: Client, month_of_history: datetime, url: str, most: int
) -> None:
    page, _sent = page_of(browser, url, "en", month_of_history)
    files = re.findall(r'<script[^>]* src="|<link[^>]*rel="stylesheet"', page)
    assert len(files) <= most, re.findall(r"(?:src|href)=\"([^\"]*\.(?:js|css))", page)
