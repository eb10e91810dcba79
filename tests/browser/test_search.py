"""From a number that a customer says to everything about it, and to a filled-in form."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from sandbox.server import Sandbox
from tests.factories.accounts import make_account
from tests.factories.messages import make_message

from .conftest import MakeVisitor

pytestmark = pytest.mark.any_database


def test_number_is_found_opened_and_written_to_by_keyboard(
    make_visitor: MakeVisitor, sandbox: Sandbox
) -> None:
    account = make_account("haorui", sandbox)
    make_message(account, recipient="+8613912345678", text="Of a colleague.")
    page = make_visitor("operator").page
    page.goto("/")
    page.keyboard.press("Control+k")
    field = page.locator("#search-input-command")
    field.press_sequentially("139 1234 5678")
    first = page.locator("#command-results-list a").first
    expect(first).to_contain_text("+86 139 1234 5678")
    field.press("ArrowDown")
    with page.expect_navigation():
        field.press("Enter")

    assert "139" not in page.url
    expect(page.locator(".number-heading")).to_have_text("+86 139 1234 5678")
    expect(page.locator(".feed")).not_to_contain_text("Of a colleague.")
    page.fill("#note-text", "Calls back at 15:00")
    with page.expect_navigation():
        page.keyboard.press("Enter")
    expect(page.locator(".memo")).to_contain_text("Calls back at 15:00")
    with page.expect_navigation():
        page.get_by_role("link", name="Send SMS").last.click()
    expect(page.locator("#id_recipient")).to_have_value("+86 139 1234 5678")


def test_bar_of_the_dashboard_hands_over_what_was_typed(
    make_visitor: MakeVisitor, sandbox: Sandbox
) -> None:
    make_account("haorui", sandbox)
    page = make_visitor("operator").page
    page.goto("/")
    page.fill("#bar-number", "139 1234 5678")
    page.fill("#bar-text", "Your parcel is here.")
    with page.expect_navigation():
        page.get_by_role("button", name="Send SMS").click()

    expect(page.locator("#id_recipient")).to_have_value("139 1234 5678")
    expect(page.locator("#id_text")).to_have_value("Your parcel is here.")


@pytest.mark.any_database
def test_page_that_does_not_exist_searches_everything(
    make_visitor: MakeVisitor, sandbox: Sandbox
) -> None:
    message = make_message(make_account("haorui", sandbox))
    visitor = make_visitor("viewer", width=390)
    page = visitor.page
    with visitor.expecting("404"):
        page.goto("/messaging/nothing/here/")
    page.locator("#content .find-here").click()
    expect(page.locator("#search-input-command")).to_be_focused()
    page.keyboard.type(message.reference)
    page.locator("#command-results-list a").first.click()
    page.wait_for_url(f"**/{message.public_id}/change/")
    visitor.lose_session()
    page.goto("/nothing/here/")
    assert page.locator(".find-here").count() == 0


def test_first_key_after_the_shortcut_goes_into_the_field(make_visitor: MakeVisitor) -> None:
    page = make_visitor("operator").page
    page.goto("/")
    focused = page.evaluate(
        """(() => {
            const shortcut = { key: "k", ctrlKey: true, bubbles: true, cancelable: true };
            document.body.dispatchEvent(new KeyboardEvent("keydown", shortcut));
            return document.activeElement.id;
        })()"""
    )
    assert focused == "search-input-command"


def test_palette_leaves_nothing_behind_and_nobody_stuck(make_visitor: MakeVisitor) -> None:
    visitor = make_visitor("operator")
    page = visitor.page
    page.goto("/")
    hits, field = page.locator("#command-results-list a"), page.locator("#search-input-command")
    page.keyboard.press("Control+k")
    page.keyboard.press("Control+k")
    page.keyboard.type("send")
    expect(hits).to_have_count(2)
    for key, focused in (("Tab", hits.first), ("Tab", hits.last), ("Tab", field)):
        page.keyboard.press(key)
        expect(focused).to_be_focused()
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("Escape")
    expect(hits).to_have_count(0)
    expect(field).to_be_focused()
    page.keyboard.insert_text("send")
    expect(hits).to_have_count(2)

    with visitor.expecting("ERR_INTERNET_DISCONNECTED|htmx"):
        visitor.context.set_offline(True)
        page.keyboard.type(" ")
        expect(page.locator(".palette [role=alert]")).to_contain_text("The search got no answer.")
        expect(hits).to_have_count(0)
        visitor.context.set_offline(False)
    page.keyboard.press("Escape")
    page.keyboard.press("Escape")
    expect(field).to_be_hidden()
    assert "overflow-hidden" not in (page.locator("body").get_attribute("class") or "")

    # Enter takes the first hit, also before it is there.
    page.keyboard.press("Control+k")
    page.keyboard.type("handbook")
    page.keyboard.press("Enter")
    page.wait_for_url("**/handbook/")
