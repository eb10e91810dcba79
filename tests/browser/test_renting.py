"""Renting in a browser: the code appears automatically, and a cancelled order shows its refund."""

from __future__ import annotations

import re

import pytest
from django.urls import reverse
from playwright.sync_api import Page, expect

from rentals.models import Order, Reading
from sandbox.server import Sandbox
from tests.factories.accounts import make_account
from tests.factories.orders import make_rented
from tests.support.wait_until import wait_until

from .conftest import LANGUAGES, Engine, MakeVisitor
from .pages import AnyPage


def rent_one(page: Page) -> Order:
    page.goto(reverse("admin:rentals_order_rent"))
    page.locator("#id_project").select_option("whatsapp")
    page.locator("#id_region").select_option("ID")
    page.keyboard.press("Control+Enter")
    page.wait_for_url(re.compile(r"/order/[^/]+/change/$"))
    expect(page.locator(".status-line")).to_contain_text("hourglass_top")
    order = Order.objects.latest("pk")
    expect(page.locator(".big-number")).to_contain_text(order.phone[-2:])
    return order


def confirm(page: Page, dialog: str) -> None:
    page.locator(f'[data-opens="{dialog}"]').click()
    with page.expect_navigation():
        page.locator(f"#{dialog} button[type=submit]").click()


@pytest.mark.parametrize("language", LANGUAGES)
def test_order_shows_its_code_and_a_cancelled_one_its_refund(
    language: str, make_visitor: MakeVisitor, sandbox: Sandbox, engine: Engine
) -> None:
    sandbox.change_settings("gosms", sms_delay=None)
    make_account("gosms", sandbox, options={"exclusive_key": True})
    engine.start()
    visitor = make_visitor("operator", language=language)
    page = visitor.page

    order = rent_one(page)
    reloaded = visitor.requests_to(f"/order/{order.public_id}/change/")
    # The button keeps the focus after the number was copied. It must not block the update.
    page.locator(".number-line .copy").first.focus()
    sandbox.deliver_sms(order.provider_id, "Your WhatsApp code is 482913")
    expect(page.locator(".code")).to_have_text("482913")
    expect(page.locator(".sms-text")).to_contain_text("Your WhatsApp code is 482913")
    assert reloaded == []
    assert AnyPage(page).language == language

    other = rent_one(page)
    confirm(page, "cancel-dialog")
    expect(page.locator(".status-line")).to_contain_text("cancel")
    read_transactions(page)
    page.goto(reverse("admin:rentals_order_change", args=[other.public_id]))
    expect(page.locator(".timeline")).to_contain_text("退款" if language != "en" else "Refund")
    page.locator(".timeline a").last.click()
    expect(page.locator("#result_list")).to_contain_text(other.provider_id)
    assert len(sandbox.book.entries("gosms", "cancel_order")) == 1


@pytest.mark.any_database
def test_nothing_is_rented_before_app_and_country_are_chosen(
    make_visitor: MakeVisitor, sandbox: Sandbox
) -> None:
    make_account("gosms", sandbox)
    page = make_visitor("operator").page
    page.goto(reverse("admin:rentals_order_rent"))
    button, why = page.locator("#rent-button"), page.locator("#rent-why")
    expect(button).to_have_attribute("aria-disabled", "true")
    expect(why).to_have_text("Choose an app and a country/region first.")
    page.keyboard.press("Control+Enter")
    button.click(force=True)
    expect(page.locator("#id_project")).to_be_focused()
    page.locator("#id_project").select_option("whatsapp")
    expect(why).to_have_text("Choose a country/region first.")
    page.keyboard.press("Control+Enter")
    expect(page.locator("#id_region")).to_be_focused()
    assert not Order.objects.exists()
    page.locator("#id_region").select_option("ID")
    expect(why).to_have_text("")
    expect(button).not_to_have_attribute("aria-disabled", "true")


def read_transactions(page: Page) -> None:
    page.goto(reverse("admin:rentals_transaction_changelist"))
    with page.expect_navigation():
        page.locator('form[action$="/read/"] button').click()
    done = Reading.objects.filter(kind="transactions", state="done")
    wait_until(done.exists)


@pytest.mark.any_database
def test_board_shows_an_sms_in_its_row(
    make_visitor: MakeVisitor, sandbox: Sandbox, engine: Engine
) -> None:
    sandbox.change_settings("gosms", sms_delay=None)
    make_account("gosms", sandbox)
    engine.start()
    visitor = make_visitor("operator")
    first, second = rent_one(visitor.page), rent_one(visitor.page)
    for order in (first, second):
        order.refresh_from_db()
    visitor.page.goto(reverse("admin:rentals_order_board"))
    rows = visitor.page.locator("#board tbody tr")
    before = rows.evaluate_all("rows => rows.map((row) => row.id)")
    copy = visitor.page.locator(f"#order-{second.public_id} .board-number .copy")
    copy.focus()
    sandbox.deliver_sms(second.provider_id, "Your code is 482913")
    expect(visitor.page.locator(f"#order-{second.public_id} .code")).to_have_text("482913")
    expect(visitor.page.locator("#board-news")).to_contain_text(second.phone[-4:])
    assert "482913" not in visitor.page.locator("#board-news").inner_text()
    expect(copy).to_be_focused()
    assert rows.evaluate_all("rows => rows.map((row) => row.id)") == before


def test_favourite_is_kept_and_chosen_with_a_click(
    make_visitor: MakeVisitor, sandbox: Sandbox
) -> None:
    make_account("gosms", sandbox)
    page = make_visitor("operator").page
    page.goto(reverse("admin:rentals_order_rent"))
    expect(page.locator("#id_project")).to_have_value("")
    expect(page.locator("#rent-button")).to_have_attribute("aria-disabled", "true")
    page.locator("#id_project").select_option("whatsapp")
    page.locator("#id_region").select_option("ID")
    page.locator("#favourite-button").click()
    expect(page.locator("#favourite-button")).to_have_attribute("value", "remove")
    expect(page.locator("#favourite-button")).to_be_focused()

    page.goto(reverse("admin:rentals_order_rent"))
    expect(page.locator("#id_project")).to_have_value("")
    page.locator('[data-project="whatsapp"]').click()
    expect(page.locator("#id_project")).to_have_value("whatsapp")
    expect(page.locator("#id_region")).to_have_value("ID")
    page.keyboard.press("Control+Enter")
    page.wait_for_url(re.compile(r"/order/[^/]+/change/$"))


def test_open_order_takes_two_lines_on_a_phone(make_visitor: MakeVisitor) -> None:
    visitor = make_visitor("operator", width=390)
    order = make_rented(by=visitor.user, price="0.50")
    page = visitor.page
    page.goto(reverse("admin:rentals_order_board"))

    box = page.locator(f"#order-{order.public_id}").bounding_box()

    assert box
    assert box["height"] < 100
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
