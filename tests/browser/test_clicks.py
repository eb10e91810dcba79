"""The five most frequent jobs take no more clicks than they must.

A click is a press of the pointer on the page. Typing, Tab, Enter in the field of a code and
shortcuts are no clicks. Counting begins on the page where the job begins (the form, the message
with the unknown outcome, any page for a search) and ends when the page shows that it is done.
"""

from __future__ import annotations

import re
from typing import Final

import pytest
from django.urls import reverse
from playwright.sync_api import Page, expect

from messaging.models import Message
from sandbox.server import Sandbox
from tests.factories.accounts import make_account
from tests.factories.codes import code_of
from tests.factories.messages import make_message

from .conftest import Engine, MakeVisitor
from .pages import MessagePage
from .visitor import Visitor

COUNT: Final = """document.addEventListener("click", (event) => {
    if (!event.isTrusted || !event.detail) return;
    sessionStorage.setItem("clicks", 1 + Number(sessionStorage.getItem("clicks")));
}, true)"""
"""`detail` is 0 for clicks that the keyboard makes."""


def begin(visitor: Visitor, address: str) -> Page:
    """Count from here, in a tab of its own: windows serve many tests."""
    page = visitor.open_tab()
    page.add_init_script(COUNT)
    page.goto(address)
    return page


def clicks(page: Page) -> int:
    return int(page.evaluate("Number(sessionStorage.getItem('clicks'))"))


@pytest.mark.slow
def test_sms_is_sent_with_one_click(
    make_visitor: MakeVisitor, sandbox: Sandbox, engine: Engine
) -> None:
    make_account("haorui", sandbox)
    engine.start()
    page = begin(make_visitor("operator"), reverse("admin:messaging_message_send"))
    page.keyboard.type("139 1234 5678")
    while not page.locator("#id_text").evaluate("field => field === document.activeElement"):
        page.keyboard.press("Tab")
    page.keyboard.type("Your parcel is here.")
    page.locator("#send-button").click()
    MessagePage(page).wait_for_state("Accepted, waiting for report")
    assert clicks(page) == 1


@pytest.mark.slow
def test_code_is_sent_and_checked_with_one_click(
    make_visitor: MakeVisitor, sandbox: Sandbox, engine: Engine
) -> None:
    make_account("haorui", sandbox)
    engine.start()
    page = begin(make_visitor("operator"), reverse("admin:otp_session_send"))
    page.keyboard.type("139 1234 5678")
    page.locator("#send-button").click()
    expect(page.locator("#live .status-line [role=status]")).to_contain_text("Waiting for the code")
    page.keyboard.type(code_of(sandbox, "haorui"))
    page.keyboard.press("Enter")
    expect(page.locator("#desk")).to_contain_text("Verified at")
    assert clicks(page) == 1


@pytest.mark.slow
def test_code_of_a_rented_number_takes_one_click(
    make_visitor: MakeVisitor, sandbox: Sandbox, engine: Engine
) -> None:
    sandbox.change_settings("gosms", sms_delay=0.1)
    make_account("gosms", sandbox, options={"exclusive_key": True})
    engine.start()
    page = begin(make_visitor("operator"), reverse("admin:rentals_order_rent"))
    expect(page.locator("#id_project")).to_be_focused()
    page.keyboard.type("Whats")
    page.keyboard.press("Tab")
    page.keyboard.type("Indon")
    page.locator("#rent-button").click()
    page.wait_for_url(re.compile(r"/order/[^/]+/change/$"))
    expect(page.locator(".code")).to_have_text(re.compile(r"\d{4,}"))
    assert clicks(page) == 1


@pytest.mark.slow
@pytest.mark.any_database
def test_number_is_found_and_opened_with_one_click(
    make_visitor: MakeVisitor, sandbox: Sandbox
) -> None:
    make_message(make_account("haorui", sandbox), recipient="+8613912345678")
    page = begin(make_visitor("operator"), "/")
    page.keyboard.press("Control+k")
    page.keyboard.type("139 1234 5678")
    page.locator("#command-results-list a").first.click()
    expect(page.locator(".number-heading")).to_have_text("+86 139 1234 5678")
    assert clicks(page) == 1


@pytest.mark.slow
@pytest.mark.any_database
def test_unknown_outcome_is_settled_with_three_clicks(
    make_visitor: MakeVisitor, sandbox: Sandbox
) -> None:
    message = make_message(make_account("haorui", sandbox))
    Message.objects.filter(pk=message.pk).update(state="unknown", reason="timed_out")
    page = begin(
        make_visitor("manager"), reverse("admin:messaging_message_change", args=[message.public_id])
    )
    MessagePage(page).settle("sent", reason="console").wait_for_state("Sent (set by hand)")
    assert clicks(page) == 3
