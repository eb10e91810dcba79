"""Revealed values stand in their own place for a minute, and a loaded page is masked again."""

from __future__ import annotations

import pytest
from django.urls import reverse
from playwright.sync_api import Page, expect

from core.models import Act
from core.phones.tokens import token_of
from rentals.models import Order
from tests.factories.messages import make_message
from tests.factories.orders import make_rented

from .pages import MessagePage
from .visitor import Visitor

NUMBER = "+8613912345678"
WHOLE = "+86 139 1234 5678"
MASKED = "+86 139 •••• 5678"
TEXT = "Your parcel is here."
OLD = {"state": "delivered", "typed_at": None}


def reveal(page: Page) -> None:
    page.locator('[data-opens="reveal-dialog"]').click()
    page.locator("#reveal-dialog button[type=submit]").click()


def expect_masked(page: Page) -> None:
    expect(page.locator("h1")).to_have_text(MASKED)
    expect(page.locator("[data-reveal-clock]")).to_have_count(0)
    assert WHOLE not in page.locator("body").inner_text()


class TestMessage:
    def test_values_take_the_place_of_the_masked_ones(self, manager: Visitor) -> None:
        page = MessagePage.of(manager, make_message(recipient=NUMBER, text=TEXT)).page
        reveal(page)

        expect(page.locator("h1")).to_have_text(WHOLE)
        place = page.locator('[data-hidden="number"]')
        expect(place.locator(".number")).to_have_text(WHOLE)
        expect(place.locator(f'[data-copy="{NUMBER}"]')).to_be_visible()
        expect(place.locator("[data-reveal-clock]")).to_have_text("0:58")
        expect(page.locator('[data-hidden="text"]')).to_contain_text(TEXT)
        assert WHOLE not in page.locator("#revealed").inner_text()
        # One announcement; the clock is silent.
        expect(page.locator("#revealed [role=status]")).to_have_text("Shown for 60 seconds.")
        assert place.locator("[aria-live]").count() == 0

    def test_they_are_masked_after_a_minute_and_by_a_click(self, manager: Visitor) -> None:
        message = make_message(recipient=NUMBER, text=TEXT)
        page = MessagePage.of(manager, message).page
        manager.control_clock()
        reveal(page)
        expect(page.locator("h1")).to_have_text(WHOLE)
        page.clock.fast_forward(61_000)
        expect_masked(page)

        reveal(page)
        expect(page.locator("h1")).to_have_text(WHOLE)
        page.locator("[data-hide-now]").click()
        expect_masked(page)
        expect(page.locator('[data-opens="reveal-dialog"]')).to_be_focused()
        assert Act.objects.filter(what="reveal", subject=f"message:{message.pk}").count() == 2

    def test_reload_and_back_show_masked_values(self, manager: Visitor) -> None:
        page = MessagePage.of(manager, make_message(recipient=NUMBER, text=TEXT)).page
        reveal(page)
        expect(page.locator("h1")).to_have_text(WHOLE)
        page.reload()
        expect_masked(page)

        reveal(page)
        expect(page.locator("h1")).to_have_text(WHOLE)
        page.goto(reverse("admin:index"))
        page.go_back()
        expect_masked(page)
        assert Act.objects.filter(what="reveal").count() == 2


def test_polls_leave_the_revealed_number_of_an_order_in_place(manager: Visitor) -> None:
    order: Order = make_rented(phone="+6281234567890")
    page = manager.page
    page.goto(reverse("admin:rentals_order_change", args=[order.public_id]))
    reveal(page)
    number = page.locator('[data-hidden="number"]')
    expect(number).to_contain_text("+62 812 3456 7890")
    live = reverse("admin:rentals_order_live", args=[order.public_id])
    for _poll in range(2):
        with page.expect_response(f"**{live}"):
            pass
        expect(number).to_contain_text("+62 812 3456 7890")
    expect(page.locator("[data-reveal-clock]")).to_have_count(1)


def test_number_page_reveals_its_heading(manager: Visitor) -> None:
    make_message(recipient=NUMBER)
    page = manager.page
    page.goto(reverse("admin:number", args=[token_of(NUMBER)]))
    reveal(page)
    expect(page.locator(".number-heading .number")).to_have_text(WHOLE)
    expect(page.locator("h1")).to_have_text(WHOLE)


def test_without_scripts_the_form_is_on_the_page(manager: Visitor) -> None:
    message = make_message(recipient=NUMBER, text=TEXT)
    address = reverse("admin:messaging_message_change", args=[message.public_id])
    context = manager.page.context.browser.new_context(  # type: ignore[union-attr]
        java_script_enabled=False,
        storage_state=manager.page.context.storage_state(),
        base_url=manager.address,
    )
    page = context.new_page()
    page.goto(address)
    page.locator("#reveal-dialog button[type=submit]").click()

    expect(page.locator(".revealed-page")).to_contain_text(WHOLE)
    expect(page.locator(".revealed-page")).to_contain_text(TEXT)
    assert Act.objects.filter(what="reveal").count() == 1
    page.locator(".page-actions .button").click()
    expect(page.locator("h1")).to_have_text(MASKED)
    context.close()


@pytest.mark.parametrize("width", [1280, 390])
def test_notes_are_written_and_done_on_the_page(operator: Visitor, width: int) -> None:
    assert operator.user
    page = MessagePage.of(operator, make_message(recipient=NUMBER)).page
    page.set_viewport_size({"width": width, "height": 800})
    page.locator("#note-text").fill("Calls back at 15:00")
    page.locator("#note-to").select_option(str(operator.user.pk))
    page.locator(".note-form button").click()
    expect(page.locator(".memo.is-task")).to_contain_text("Calls back at 15:00")

    page.goto(reverse("admin:hand_over"))
    expect(page.locator("#notes .memo")).to_contain_text("Calls back at 15:00")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    page.locator("#notes .memo-form button").first.click()
    expect(page.locator("#notes .memo")).to_have_count(0)
