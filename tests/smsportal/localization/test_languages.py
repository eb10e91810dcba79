"""The language of pages: the browser's by default, or the chosen one; fully translated."""

from __future__ import annotations

import html
import re

import pytest
from django.test import Client
from django.urls import reverse

from messaging.models import Message
from tests.factories.accounts import make_account
from tests.factories.messages import make_message
from tests.factories.staff import make_user
from tests.support.signed_in import browser_of, member

pytestmark = pytest.mark.django_db
IN_CHINESE = {"accept-language": "zh-CN"}
NAVIGATION = {
    "Dashboard": "仪表盘",
    "Send SMS": "发送短信",
    "Messages": "短信记录",
    "Accounts": "账户",
    "API calls": "接口调用",
    "Staff": "员工",
    "Queue": "队列",
}


def text_of(content: bytes, start: str, end: str) -> str:
    """The visible text between two markers of a page."""
    part = content.decode().split(start, 1)[1].split(end, 1)[0]
    part = re.sub(r"<span[^>]*material-symbols.*?</span>", "", part, flags=re.DOTALL)
    return html.unescape(re.sub(r"<[^>]*>", " ", part))


def language_of(content: bytes) -> str:
    found = re.search(r'<html lang="([^"]+)"', content.decode())
    assert found
    return found[1]


def choose_language(client: Client, language: str) -> str:
    """Choose a language on the sign-in page. Returns the language of the next page."""
    values = {"language": language, "next": reverse("admin:login")}
    return language_of(client.post(reverse("set_language"), values, follow=True).content)


def test_sign_in_page_changes_its_language(client: Client) -> None:
    assert language_of(client.get(reverse("admin:login")).content) == "en"
    assert choose_language(client, "zh-hans") == "zh-hans"
    assert choose_language(client, "en") == "en"


def test_chosen_language_is_kept_after_signing_in(client: Client) -> None:
    member("viewer")
    choose_language(client, "zh-hans")
    response = client.post(
        reverse("admin:login"), {"username": "viewer", "password": "right"}, follow=True
    )
    assert response.redirect_chain
    assert language_of(response.content) == "zh-hans"


def test_browser_language_is_the_default(client: Client) -> None:
    assert language_of(client.get(reverse("admin:login"), headers=IN_CHINESE).content) == "zh-hans"


def test_chinese_navigation_has_no_english_words() -> None:
    page = browser_of(make_user(is_superuser=True)).get("/", headers=IN_CHINESE).content
    navigation = text_of(page, 'id="nav-sidebar-apps"', "</nav>")
    for english, chinese in NAVIGATION.items():
        assert chinese in navigation
        assert english not in navigation


def test_chinese_send_form_shows_errors_in_chinese() -> None:
    account = make_account("haorui")
    browser = browser_of(make_user(is_superuser=True))
    url = reverse("admin:messaging_message_send")
    page = browser.post(url, {"account": account.public_id}, headers=IN_CHINESE).content
    problems = text_of(page, "data-problems", "</ul>")
    assert "存在以下问题" in problems
    assert "There is" not in problems
    button = text_of(page, 'id="send-button"', "</button>")
    assert "发送短信" in button
    assert "Send" not in button


@pytest.mark.parametrize(
    ("state", "shown"),
    [
        ("queued", ["排队中"]),
        ("unknown", ["结果未知", "可能已产生费用：无法确认服务商是否已执行。"]),
    ],
)
def test_chinese_message_page_has_no_english_words(state: str, shown: list[str]) -> None:
    message = make_message()
    reason = "timed_out" if state == "unknown" else ""
    Message.objects.filter(pk=message.pk).update(state=state, reason=reason)
    browser = browser_of(make_user(is_superuser=True))
    url = f"/messaging/message/{message.public_id}/change/"
    live = text_of(browser.get(url, headers=IN_CHINESE).content, 'class="status-line"', "<ol")
    for text in shown:
        assert text in live
    assert not re.search("Mark as|Waiting|Outcome", live)
