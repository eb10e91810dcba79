"""The five most frequent jobs with the keyboard alone, and their pages at twice the size."""

from __future__ import annotations

import re
from typing import Final

import pytest
from django.urls import reverse
from playwright.sync_api import Locator, Page, expect

from messaging.models import Message
from sandbox.server import Sandbox
from tests.factories.accounts import make_account
from tests.factories.codes import code_of
from tests.factories.messages import make_message
from tests.factories.orders import make_rented

from .conftest import LANGUAGES, Engine, MakeVisitor
from .pages import AnyPage, MessagePage

COVERED: Final = """() => {
    const covered = [];
    const parts = "a[href], button, input:not([type=hidden]), select, textarea, [tabindex='0']";
    for (const part of document.querySelectorAll(parts)) {
        if (part.tabIndex < 0 || part.disabled || part.closest(".skip-link")) continue;
        if (!part.checkVisibility({visibilityProperty: true})) continue;
        part.focus();
        const box = part.getBoundingClientRect();
        const hit = document.elementFromPoint(box.x + box.width / 2, box.y + box.height / 2);
        const shown = hit && (part.contains(hit) || hit.contains(part)
            || [...(part.labels || [])].some((label) => label.contains(hit)));
        if (!shown) covered.push(part.outerHTML.slice(0, 120));
    }
    return covered;
}"""


def tab_to(page: Page, target: Locator) -> None:
    """Press Tab until the target has the focus."""
    for _ in range(80):
        if target.evaluate("part => part === document.activeElement"):
            return
        page.keyboard.press("Tab")
    raise AssertionError(f"Tab does not reach {target}")


def test_sms_is_sent(make_visitor: MakeVisitor, sandbox: Sandbox, engine: Engine) -> None:
    make_account("haorui", sandbox)
    engine.start()
    page = make_visitor("operator").page
    page.goto(reverse("admin:messaging_message_send"))
    tab_to(page, page.locator("#id_recipient"))
    page.keyboard.type("139 1234 5678")
    tab_to(page, page.locator("#id_text"))
    page.keyboard.type("Your parcel is here.")
    page.keyboard.press("Control+Enter")
    MessagePage(page).wait_for_state("Accepted, waiting for report")


def test_code_is_sent_and_checked(
    make_visitor: MakeVisitor, sandbox: Sandbox, engine: Engine
) -> None:
    make_account("haorui", sandbox)
    engine.start()
    page = make_visitor("operator").page
    page.goto(reverse("admin:otp_session_send"))
    tab_to(page, page.locator("#id_recipient"))
    page.keyboard.type("139 1234 5678")
    page.keyboard.press("Control+Enter")
    page.wait_for_url("**/change/")
    expect(page.locator("#live .status-line [role=status]")).to_contain_text("Waiting for the code")
    expect(page.locator("#check-code")).to_be_focused()
    page.keyboard.type(code_of(sandbox, "haorui"))
    page.keyboard.press("Enter")
    expect(page.locator("#desk")).to_contain_text("Verified at")


def test_number_is_rented_and_its_code_read(
    make_visitor: MakeVisitor, sandbox: Sandbox, engine: Engine
) -> None:
    sandbox.change_settings("gosms", sms_delay=0.1)
    make_account("gosms", sandbox, options={"exclusive_key": True})
    engine.start()
    page = make_visitor("operator").page
    page.goto(reverse("admin:rentals_order_rent"))
    for field, typed in (("#id_project", "Whats"), ("#id_region", "Indon")):
        tab_to(page, page.locator(field))
        page.keyboard.type(typed)
    page.keyboard.press("Control+Enter")
    page.wait_for_url(re.compile(r"/order/[^/]+/change/$"))
    expect(page.locator(".code")).to_have_text(re.compile(r"\d{4,}"))


@pytest.mark.any_database
def test_number_is_found_and_opened(make_visitor: MakeVisitor, sandbox: Sandbox) -> None:
    make_message(make_account("haorui", sandbox), recipient="+8613912345678")
    page = make_visitor("operator").page
    page.goto("/")
    page.keyboard.press("Control+k")
    expect(page.locator("#search-input-command")).to_be_focused()
    page.keyboard.type("139 1234 5678")
    expect(page.locator("#command-results-list a").first).to_contain_text("139 1234 5678")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(page.locator(".number-heading")).to_have_text("+86 139 1234 5678")


@pytest.mark.any_database
def test_unknown_outcome_is_settled(make_visitor: MakeVisitor, sandbox: Sandbox) -> None:
    message = make_message(make_account("haorui", sandbox))
    Message.objects.filter(pk=message.pk).update(state="unknown", reason="timed_out")
    page = make_visitor("manager").page
    page.goto(reverse("admin:messaging_message_change", args=[message.public_id]))
    tab_to(page, page.locator('#live [data-opens="settle-sent"]'))
    page.keyboard.press("Enter")
    dialog = page.locator("#settle-sent")
    tab_to(page, dialog.locator("input[type=radio]").first)
    page.keyboard.press("Space")
    tab_to(page, dialog.locator("button[type=submit]"))
    page.keyboard.press("Enter")
    MessagePage(page).wait_for_state("Sent (set by hand)")


@pytest.mark.any_database
def test_covered_fields_are_found(make_visitor: MakeVisitor) -> None:
    page = make_visitor().page
    page.set_content(
        "<input id=free><p style='height: 3000px'></p><input id=below>"
        "<div style='position: fixed; inset: 60% 0 0; background: #fff'>Bar</div>"
        "<input id=under style='position: fixed; bottom: 0; z-index: -1'>"
    )
    covered = [part.split('"')[1] for part in page.evaluate(COVERED)]
    assert covered == ["below", "under"]


@pytest.mark.any_database
@pytest.mark.parametrize("language", LANGUAGES)
def test_nothing_is_covered_at_twice_the_size(
    language: str, make_visitor: MakeVisitor, sandbox: Sandbox
) -> None:
    sender = make_account("haorui", sandbox)
    for _ in range(12):
        message = make_message(sender, recipient="+8613912345678")
    Message.objects.filter(pk=message.pk).update(state="unknown", reason="timed_out")
    order = make_rented(make_account("gosms", sandbox))
    page = make_visitor("superuser", language=language).page
    # A window of 1280 by 900 at 200 %.
    page.set_viewport_size({"width": 640, "height": 450})
    addresses = [
        "/",
        reverse("admin:messaging_message_send"),
        reverse("admin:otp_session_send"),
        reverse("admin:rentals_order_rent"),
        reverse("admin:messaging_message_changelist"),
        reverse("admin:messaging_message_change", args=[message.public_id]),
        reverse("admin:rentals_order_change", args=[order.public_id]),
    ]
    faulty = {}
    for address in addresses:
        page.goto(address)
        if found := AnyPage(page).overflow() or page.evaluate(COVERED):
            faulty[address] = found
    assert faulty == {}
