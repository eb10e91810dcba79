"""A person saves filters and chooses columns, by keyboard and with and without scripts."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.factories.accounts import make_account
from tests.factories.messages import make_message

from .conftest import LANGUAGES, MakeVisitor
from .pages import AnyPage

pytestmark = pytest.mark.any_database

LIST = "/messaging/message/"
PAGE = "/my-lists/messaging.message/"


def columns_of(page: Page) -> list[str]:
    heads = page.locator("#result_list thead th[class*=column-]").all()
    classes = [str(head.get_attribute("class")).split() for head in heads]
    return [one.removeprefix("column-") for found in classes for one in found if "column-" in one]


def fill() -> None:
    account = make_account("haorui")
    for state in ("delivered", "refused", "refused"):
        make_message(account, state=state)


def test_filters_are_saved_opened_and_made_the_default_by_keyboard(
    make_visitor: MakeVisitor,
) -> None:
    fill()
    page = make_visitor("manager").page
    page.goto(f"{LIST}?shown=refused")
    page.get_by_role("link", name="Save filter").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_text("State: Refused")).to_be_visible()
    page.get_by_label("Name", exact=True).focus()
    page.keyboard.type("My refusals")
    page.keyboard.press("Tab")
    page.keyboard.press("Space")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.locator(".filter-chip").first).to_contain_text("Opens with: My refusals")
    page.goto(LIST)
    expect(page.locator("tr.data-row")).to_have_count(2)
    page.locator(".filter-chip").first.click()
    expect(page.locator("tr.data-row")).to_have_count(3)
    menu = page.locator(".own-menu")
    menu.locator("summary").focus()
    page.keyboard.press("Enter")
    expect(menu.get_by_role("link", name="My refusals")).to_be_visible()
    page.keyboard.press("Escape")
    expect(menu.get_by_role("link", name="My refusals")).to_be_hidden()
    expect(menu.locator("summary")).to_be_focused()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.locator("tr.data-row")).to_have_count(2)


def test_columns_are_chosen_moved_and_reset(make_visitor: MakeVisitor) -> None:
    fill()
    page = make_visitor("manager").page
    page.goto(LIST)
    delivered = columns_of(page)
    page.get_by_role("link", name="Columns").click()
    page.get_by_role("checkbox", name="Kind").uncheck()
    page.get_by_role("button", name="Move up: Time").click()
    expect(page.get_by_role("checkbox", name="Kind")).not_to_be_checked()
    page.get_by_role("button", name="Show these columns").click()
    page.wait_for_url(f"**{LIST}*")
    assert columns_of(page) == [
        *[name for name in delivered if name not in ("kind_", "sender", "time")],
        "time",
        "sender",
    ]
    page.locator("th.column-time a").first.click()
    page.wait_for_url("**o=*")
    page.get_by_role("link", name="Columns").click()
    page.get_by_role("button", name="As delivered").click()
    page.wait_for_url(f"**{LIST}*")
    assert columns_of(page) == delivered


def test_live_cells_follow_the_chosen_columns(make_visitor: MakeVisitor) -> None:
    message = make_message(make_account("haorui"))
    page = make_visitor("manager").page
    page.goto(PAGE)
    for name in ("Kind", "Account", "Segments"):
        page.get_by_role("checkbox", name=name).uncheck()
    page.get_by_role("button", name="Show these columns").click()
    page.wait_for_url(f"**{LIST}*")
    type(message).objects.update(state="unknown")
    expect(page.locator(".field-state_")).to_contain_text("Outcome unknown")
    assert columns_of(page) == ["state_", "recipient", "sender", "time"]


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("width", [390, 1280])
def test_the_page_and_the_menu_fit(make_visitor: MakeVisitor, language: str, width: int) -> None:
    fill()
    page = make_visitor("manager", language=language, width=width).page
    for name in ("A", "W" * 60):
        page.goto(f"{PAGE}?shown=refused")
        page.locator("#own-name").fill(name)
        page.locator("button[value=save]").click()
        page.wait_for_url(f"**{LIST}*")
    page.locator(".own-menu summary").click()
    box = page.locator(".own-menu > ul").bounding_box()
    assert box is not None
    assert 0 <= box["x"] <= box["x"] + box["width"] <= width
    assert AnyPage(page).overflow() == 0
    page.goto(f"{PAGE}?shown=refused")
    assert AnyPage(page).overflow() == 0
