"""The page of the money words explains each money line, and pages lead to the right word."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from django.conf import settings
from django.test import Client

from core.money_lines import MoneyLine
from messaging.models import Message
from smsportal.money_words import PARTS, all_words
from tests.factories.accounts import make_account
from tests.factories.messages import make_message
from tests.factories.staff import make_staff, make_user

pytestmark = pytest.mark.django_db
URL = "/money-words/"


@pytest.mark.parametrize("language", ["en", "zh-hans"])
def test_everybody_reads_what_each_word_means(client: Client, language: str) -> None:
    client.force_login(make_user())
    page = client.get(URL, headers={"accept-language": language}).content.decode()
    keys = [word.key for word in all_words()] + [part.key for part in PARTS]
    assert len(keys) == len(set(keys))
    for key in keys:
        assert f'id="{key}"' in page
    assert {line.key for line in MoneyLine} < set(keys)
    assert ("冻结" in page) == (language == "zh-hans")


def test_money_line_leads_to_its_word(client: Client) -> None:
    client.force_login(make_staff("operator"))
    message = make_message(make_account())
    Message.objects.filter(pk=message.pk).update(state="unknown", reason="timed_out")
    page = client.get(f"/messaging/message/{message.public_id}/change/").content.decode()
    assert f'href="{URL}#{MoneyLine.UNKNOWN.key}"' in page


def test_links_of_pages_name_known_words() -> None:
    keys = {word.key for word in all_words()} | {part.key for part in PARTS}
    templates = Path(settings.BASE_DIR, "templates").rglob("*.html")
    named = {
        word
        for template in templates
        for word in re.findall(
            r'money_words_link\.html" with word="([\w-]+)"', template.read_text(encoding="utf-8")
        )
    }
    assert named
    assert named <= keys


def test_search_finds_the_page(client: Client) -> None:
    client.force_login(make_staff("operator"))
    assert f'href="{URL}"' in client.post("/search/", {"s": "money"}).content.decode()
