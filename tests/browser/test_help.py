"""States show that they explain themselves, and do so for pointer, keyboard and screen reader."""

from __future__ import annotations

from typing import Final

import pytest
from django.urls import reverse
from playwright.sync_api import Page, expect

from messaging.models import Message
from sandbox.server import Sandbox
from tests.factories.accounts import make_account
from tests.factories.messages import make_message

from .conftest import LANGUAGES, MakeVisitor

SIGNS: Final = """() => [...document.querySelectorAll("#main .state[data-help]")]
    .filter((state) => state.checkVisibility())
    .map((state) => [
        getComputedStyle(state.lastElementChild).textDecorationStyle,
        Math.floor(state.getBoundingClientRect().height),
    ])"""


def is_inside(page: Page) -> bool:
    """Whether the tip stands inside the window."""
    inside: bool = page.locator("#tip").evaluate(
        """tip => {
            const box = tip.getBoundingClientRect();
            return box.left >= 0 && box.top >= 0 && box.right <= innerWidth
                && box.bottom <= innerHeight;
        }"""
    )
    return inside


@pytest.mark.any_database
@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("width", [1280, 390])
def test_states_explain_themselves(
    language: str, width: int, make_visitor: MakeVisitor, sandbox: Sandbox
) -> None:
    account = make_account("haorui", sandbox)
    for given in ("unknown", "delivered"):
        message = make_message(account)
        Message.objects.filter(pk=message.pk).update(state=given, reason="timed_out")
    page = make_visitor("operator", language=language, width=width).page
    page.goto(reverse("admin:messaging_message_changelist"))
    signs = page.evaluate(SIGNS)
    assert len(signs) == 2
    assert all(style == "dotted" and height >= 24 for style, height in signs), signs

    state = page.locator("#result_list .state").first
    state.hover()
    tip = page.locator("#tip")
    expect(tip).to_have_text(state.get_attribute("data-help") or "-")
    assert is_inside(page)
    tip.hover()
    page.wait_for_timeout(300)
    expect(tip).to_be_visible()
    page.keyboard.press("Escape")
    expect(tip).to_have_count(0)

    link = page.locator("#result_list tr.data-row a:not([tabindex='-1'])").first
    page.locator("#searchbar").focus()
    for _ in range(40):
        page.keyboard.press("Tab")
        if link.evaluate("link => link === document.activeElement"):
            break
    expect(link).to_have_attribute("aria-describedby", "tip")
    expect(tip).to_have_attribute("role", "tooltip")
    assert is_inside(page)

    page.goto(reverse("admin:messaging_message_change", args=[message.public_id]))
    state = page.locator(".status-line .state")
    state.focus()
    expect(tip).to_be_visible()
    expect(state).to_have_attribute("aria-describedby", "tip")
    assert is_inside(page)
