"""Lists: the panel of filters, which is fetched when it is opened, and the choice of rows."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.factories.accounts import make_account
from tests.factories.messages import make_message

from .conftest import MakeVisitor

pytestmark = pytest.mark.any_database

LIST = "/messaging/message/"


@pytest.fixture
def page(make_visitor: MakeVisitor) -> Page:
    account = make_account("haorui")
    make_account("haosms")
    for state in ("delivered", "refused", "refused"):
        make_message(account, state=state)
    page = make_visitor("manager").page
    page.goto(LIST)
    return page


def shown_states(page: Page) -> list[str]:
    return page.locator("#result_list .field-state_ .state > span:last-child").all_inner_texts()


def test_filters_are_opened_chosen_and_closed_by_keyboard(page: Page) -> None:
    panel, opener = page.locator("#changelist-filter"), page.locator("[data-filters]")
    expect(panel).to_have_count(0)
    opener.focus()
    page.keyboard.press("Space")
    expect(panel).to_be_visible()
    expect(page.locator("#filter-form")).to_be_focused()
    page.keyboard.press("Escape")
    expect(panel).to_be_hidden()
    expect(opener).to_be_focused()
    page.keyboard.press("Enter")
    expect(panel).to_be_visible()
    page.select_option("#id_shown", ["refused"], force=True)
    with page.expect_navigation():
        page.locator("#filter-form button[type=submit]").click()
    assert shown_states(page) == ["Refused", "Refused"]
    expect(page.locator(".filter-chip")).to_contain_text("State: Refused")


def test_panel_has_calendars_and_what_is_chosen(page: Page) -> None:
    page.goto(f"{LIST}?shown=refused")
    page.locator("[data-filters]").click()
    panel = page.locator("#changelist-filter")
    expect(panel.locator(".select2-selection__choice")).to_contain_text("Refused")
    expect(panel.locator(".datetimeshortcuts").first).to_be_attached()


def test_address_of_the_button_opens_the_panel(page: Page) -> None:
    page.goto(f"{LIST}{page.locator('[data-filters]').get_attribute('href')}")
    expect(page.locator("#changelist-filter")).to_be_visible()
    assert len(shown_states(page)) == 3


def test_one_opening_fetches_once(page: Page) -> None:
    asked: list[Any] = []
    page.on("request", lambda request: asked.append(request.url))
    opener = page.locator("[data-filters]")
    for _ in range(2):
        opener.click()
        expect(page.locator("#changelist-filter")).to_be_visible()
        page.keyboard.press("Escape")
        expect(page.locator("#changelist-filter")).to_be_hidden()
    assert len([url for url in asked if "filters=alone" in url]) == 1


def test_rows_are_chosen_one_by_one_and_all_at_once(page: Page) -> None:
    boxes, bar = page.locator("input.action-select"), page.locator(".bulk-bar")
    expect(bar).to_be_hidden()
    boxes.first.check()
    expect(bar).to_contain_text("1 of 3 selected")
    page.locator("#action-toggle").check()
    expect(bar).to_contain_text("3 of 3 selected")
    assert [box.is_checked() for box in boxes.all()] == [True] * 3
