"""The sandbox as a phone: what was sent arrives there, and its report comes from there."""

from __future__ import annotations

import pytest
import requests
from django.urls import reverse
from playwright.sync_api import Locator, Page, expect
from pytest_django import Settings
from pytest_django.live_server_helper import LiveServer

from messaging.models import Message
from sandbox import credentials
from sandbox.server import Sandbox
from tests.factories.accounts import make_account
from tests.providers.callbacks.pushes import process_received

from .conftest import Engine
from .pages import AnyPage, SendForm
from .visitor import Visitor

NUMBER = "139 1234 5678"
WHOLE = "+86 139 1234 5678"
POLL_MS = 3000


class SandboxPage(AnyPage):
    @classmethod
    def of(cls, visitor: Visitor, page: Page | None = None) -> SandboxPage:
        page = page or visitor.page
        page.goto(reverse("admin:practice"))
        return cls(page)

    @property
    def phone(self) -> Locator:
        return self.page.locator("#phone")

    def bubble(self, text: str) -> Locator:
        return self.phone.locator(".bubble").filter(has_text=text)

    def button(self, text: str, what: str) -> Locator:
        return self.bubble(text).locator(f'button[value="{what}"]')


@pytest.fixture
def reachable(portal: LiveServer, settings: Settings) -> None:
    """The portal tells the sandbox where to report to."""
    settings.PUBLIC_ADDRESS = portal.url


def take_report(sandbox: Sandbox) -> None:
    """Process the report that was pushed, as the queue does."""
    assert sandbox.wait_for_pushes()
    process_received()


def test_operator_sees_the_message_on_its_phone_and_delivers_it(
    operator: Visitor, sandbox: Sandbox, engine: Engine, reachable: None
) -> None:
    make_account("haorui", sandbox)
    phones = SandboxPage.of(operator)
    expect(phones.phone).to_have_count(0)
    phones.mark_document()
    message = (
        SendForm.of(operator, operator.page.context.new_page()).fill(NUMBER, "Room 1208").send()
    )
    engine.start()

    expect(phones.bubble("Room 1208")).to_contain_text("No report yet")
    expect(phones.phone.locator("h2")).to_have_text(WHOLE)
    assert phones.is_marked_document()
    phones.button("Room 1208", "deliver").press("Enter")
    expect(phones.bubble("Room 1208")).to_be_focused()
    expect(phones.bubble("Room 1208")).to_contain_text("Delivered")
    expect(phones.button("Room 1208", "deliver")).to_have_count(0)
    take_report(sandbox)
    message.wait_for_state("Delivered")
    assert phones.is_marked_document()


def test_failed_report_arrives_on_a_narrow_window(
    operator: Visitor, sandbox: Sandbox, engine: Engine, reachable: None
) -> None:
    make_account("haorui", sandbox)
    engine.start()
    SendForm.of(operator).fill(NUMBER, "Your code is 482913").send()
    operator.page.set_viewport_size({"width": 390, "height": 844})
    phones = SandboxPage.of(operator)
    phones.button("482913", "fail").click()
    expect(phones.bubble("482913")).to_contain_text("Not delivered")
    take_report(sandbox)
    assert Message.objects.get().state == "undelivered"
    assert phones.page.locator(".page").evaluate("page => page.scrollWidth <= page.clientWidth")
    assert phones.faulty_buttons() == []


def test_typing_an_sms_for_a_rented_number_is_not_interrupted(
    operator: Visitor, sandbox: Sandbox
) -> None:
    sandbox.change_settings("gosms", sms_delay=None)
    rent(sandbox)
    phones = SandboxPage.of(operator)
    field = phones.phone.locator("input[name=text]")
    field.fill("Your code is 731905")
    with operator.page.expect_response("**/practice/phones/**"):
        # Away from the field, the page goes on reading.
        phones.phone.locator("h2").click()
    # What is typed before the answer is shown would be mixed with it.
    expect(field).not_to_have_value("Your code is 731905")
    field.fill("Your code is 731905")
    operator.page.wait_for_timeout(POLL_MS + 1000)
    expect(field).to_have_value("Your code is 731905")
    field.press("Enter")
    expect(phones.bubble("731905").locator("[data-copy]")).to_have_attribute("data-copy", "731905")


def rent(sandbox: Sandbox) -> None:
    with requests.Session() as session:
        session.trust_env = False
        session.headers["Authorization"] = f"Bearer {credentials.GOSMS_API_KEY}"
        order = {"project_code": "telegram", "region": "ID"}
        url = sandbox.base_url("gosms") + "/order"
        session.post(url, json=order, timeout=5).raise_for_status()


@pytest.mark.any_database
@pytest.mark.slow
def test_phones_are_found_by_digits_also_after_an_update(
    operator: Visitor, sandbox: Sandbox
) -> None:
    for number in ("8613912345678", "8613687654321"):
        send_to_sandbox(sandbox, number)
    page = SandboxPage.of(operator).page
    shown = page.locator(".threads li:visible")
    expect(shown).to_have_count(2)
    page.fill("[data-phone-filter]", "139 12")
    expect(shown).to_have_count(1)
    page.locator("#phone-number").click()
    with page.expect_response(lambda answer: "/practice/phones/" in answer.url):
        pass
    expect(page.locator("[data-phone-filter]")).to_have_value("139 12")
    expect(shown).to_have_count(1)


def send_to_sandbox(sandbox: Sandbox, number: str) -> None:
    values = {
        "api_id": credentials.HAORUI_API_ID,
        "api_password": credentials.HAORUI_API_PASSWORD,
        "sms_type": "T",
        "encoding": "U",
        "sender_id": "TEST",
        "phonenumber": number,
        "textmessage": "Room 1208",
    }
    with requests.Session() as session:
        session.trust_env = False
        url = f"{sandbox.base_url('haorui')}/api/SendSMS"
        session.post(url, json=values, timeout=5).raise_for_status()
