"""The frame of a page: the search field, the sidebar, the bar of chosen rows."""

from __future__ import annotations

import pytest
from django.urls import reverse
from playwright.sync_api import Locator, Page, expect

from sandbox.server import Sandbox
from tests.factories.accounts import make_account
from tests.factories.messages import make_message

from .conftest import MakeVisitor
from .pages import AnyPage, SendForm

pytestmark = pytest.mark.any_database


def palette(page: Page) -> Locator:
    return page.locator(".palette")


def test_search_field_opens_the_palette(make_visitor: MakeVisitor) -> None:
    page = make_visitor("manager").page
    page.goto("/")
    page.locator("[data-find]").click()
    field = page.locator("#search-input-command")
    expect(field).to_be_focused()
    field.press_sequentially("callb")
    found = page.locator("#command-results-list a")
    expect(found).to_have_count(1)
    field.press("ArrowDown")
    with page.expect_navigation():
        field.press("Enter")
    assert page.url.endswith(reverse("admin:providers_callback_changelist"))


def test_enter_with_nothing_found_goes_nowhere(make_visitor: MakeVisitor) -> None:
    page = make_visitor("viewer").page
    page.goto("/")
    page.keyboard.press("/")
    field = page.locator("#search-input-command")
    expect(field).to_be_focused()
    assert field.input_value() == "", "the key itself is not typed"
    field.press_sequentially("zzzz")
    expect(page.locator(".palette-none")).to_be_visible()
    field.press("Enter")
    assert palette(page).is_visible()


def test_keyboard_opens_the_palette_from_a_field_and_comes_back(
    make_visitor: MakeVisitor, sandbox: Sandbox
) -> None:
    make_account("haorui", sandbox)
    form = SendForm.of(make_visitor("operator"))
    recipient = form.page.locator("#id_recipient")
    recipient.focus()
    form.page.keyboard.press("Control+k")
    expect(form.page.locator("#search-input-command")).to_be_focused()
    form.page.keyboard.press("Escape")
    expect(palette(form.page)).to_be_hidden()
    expect(recipient).to_be_focused()


def test_slash_stays_with_the_search_of_a_list(make_visitor: MakeVisitor, sandbox: Sandbox) -> None:
    make_message(make_account("haorui", sandbox))
    page = make_visitor("operator").page
    page.goto(reverse("admin:messaging_message_changelist"))
    page.keyboard.press("/")
    expect(page.locator("#searchbar")).to_be_focused()
    expect(palette(page)).to_be_hidden()


def test_question_mark_shows_the_shortcuts_unless_it_is_typed(
    make_visitor: MakeVisitor, sandbox: Sandbox
) -> None:
    make_account("haorui", sandbox)
    form = SendForm.of(make_visitor("operator"))
    dialog = form.page.locator("#shortcuts-dialog")
    form.text.focus()
    form.page.keyboard.type("Ready?")
    expect(form.text).to_have_value("Ready?")
    expect(dialog).to_be_hidden()
    opener = form.page.locator(".user-opener")
    opener.focus()
    form.page.keyboard.press("?")
    expect(dialog).to_contain_text("Search numbers, ids, names and pages")
    form.page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    expect(opener).to_be_focused()


def test_menu_of_the_user_shows_the_shortcuts(make_visitor: MakeVisitor) -> None:
    page = make_visitor("viewer", language="zh-hans", width=390).page
    page.goto("/")
    page.locator(".top .below-xl").click()
    page.locator(".user-opener").click()
    page.locator("[data-opens=shortcuts-dialog]").click()
    dialog = page.locator("#shortcuts-dialog")
    expect(dialog).to_contain_text("键盘快捷键")
    assert AnyPage(page).overflow() == 0
    dialog.locator("[data-dismiss]").click()
    expect(dialog).to_be_hidden()


def test_chosen_rows_are_counted(make_visitor: MakeVisitor, sandbox: Sandbox) -> None:
    account = make_account("haorui", sandbox)
    make_message(account)
    make_message(account)
    page = make_visitor("manager").page
    page.goto(reverse("admin:messaging_message_changelist"))
    expect(page.locator(".bulk-bar")).to_be_hidden()
    page.locator(".action-select").first.click()
    expect(page.locator(".action-counter")).to_have_text("1 of 2 selected")
    expect(page.locator(".bulk-bar")).to_be_visible()


def size(page: Page, selector: str) -> tuple[float, float]:
    box = page.locator(selector).first.bounding_box()
    assert box is not None, selector
    return box["width"], box["height"]


def test_frame_has_the_widths_that_were_drawn(make_visitor: MakeVisitor) -> None:
    page = make_visitor("manager").page
    page.set_viewport_size({"width": 1920, "height": 1080})
    page.goto("/")
    assert size(page, "#nav-sidebar")[0] == 240
    assert size(page, ".nav-link")[1] == 30
    assert size(page, "[data-find]") == (320, 36)
    assert size(page, ".content-room")[0] == 1440
    page.set_viewport_size({"width": 390, "height": 844})
    assert size(page, "[data-find]") == (44, 44)
    assert AnyPage(page).overflow() == 0
