"""The sandbox page, with a sandbox over real HTTP."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import requests
from django.conf import LazySettings
from django.core.cache import cache
from django.test import Client
from django.urls import reverse

from sandbox import credentials
from sandbox.server import Sandbox
from tests.support.signed_in import browser_of, member

pytestmark = pytest.mark.django_db

PAGE = "/practice/"


@pytest.fixture
def sandbox(settings: LazySettings) -> Iterator[Sandbox]:
    with Sandbox() as running:
        settings.SANDBOX_URL = running.url
        yield running


@pytest.fixture
def browser() -> Client:
    return browser_of(member("manager"))


def send(sandbox: Sandbox) -> str:
    values = {
        "api_id": credentials.HAORUI_API_ID,
        "api_password": credentials.HAORUI_API_PASSWORD,
        "sms_type": "T",
        "encoding": "U",
        "sender_id": "TEST",
        "phonenumber": "8613312345678",
        "textmessage": "<b>the whole text</b>",
    }
    url = sandbox.base_url("haorui") + "/api/SendSMS"
    with requests.Session() as session:
        session.trust_env = False
        return str(session.post(url, json=values, timeout=5).json()["message_id"])


def test_page_is_missing_without_a_sandbox(browser: Client) -> None:
    assert browser.get(PAGE).status_code == 404
    assert browser.post(PAGE, {"act": "clear"}).status_code == 404
    assert browser.get(reverse("admin:practice_book")).status_code == 404


def test_received_messages_are_shown_escaped(sandbox: Sandbox, browser: Client) -> None:
    send(sandbox)
    page = browser.get(PAGE).content.decode()
    assert "Sandbox: nothing here reaches a phone or costs money." in page
    assert "8613312345678" in page
    assert "&lt;b&gt;the whole text" in page
    assert "<b>the whole text" not in page


def test_viewer_sees_entries_without_numbers_and_texts(sandbox: Sandbox) -> None:
    send(sandbox)
    for page in (PAGE, reverse("admin:practice_book")):
        shown = browser_of(member("viewer", name=page)).get(page).content.decode()
        assert "HAORUI" in shown
        assert "12345678" not in shown
        assert "whole text" not in shown
        assert "Send this report" not in shown


def test_fault_is_switched_on_announced_and_switched_off(sandbox: Sandbox, browser: Client) -> None:
    browser.post(PAGE, {"act": "fault", "fault": "slow", "provider": "haorui", "calls": "all"})
    (active,) = sandbox.faults.active()
    assert (active.fault.id, active.provider, active.calls) == ("slow", "haorui", None)
    assert "Sandbox: a simulated fault is on." in browser.get("/").content.decode()
    browser.post(PAGE, {"act": "clear"})
    assert not sandbox.faults.active()
    assert "Practice: a fault" not in browser.get("/").content.decode()


def test_chosen_report_is_requested(sandbox: Sandbox, browser: Client) -> None:
    message_id = send(sandbox)
    fields = {"act": "report", "provider": "haorui", "message_id": message_id, "word": "Delivered"}
    response = browser.post(PAGE, fields, follow=True)
    assert "Report sent." in response.content.decode() or ("alert" in response.content.decode())


@pytest.mark.parametrize("act", ["fault", "report", "sms", "nonsense"])
def test_request_refused_by_the_sandbox_does_not_break_the_page(
    sandbox: Sandbox, browser: Client, act: str
) -> None:
    response = browser.post(PAGE, {"act": act, "fault": "no-such", "calls": "x"}, follow=True)
    assert response.status_code == 200


def test_actions_require_the_permission_to_check_accounts(sandbox: Sandbox) -> None:
    response = browser_of(member("viewer")).post(PAGE, {"act": "fault", "fault": "slow"})
    assert response.status_code == 403
    assert not sandbox.faults.active()


def test_unreachable_sandbox_is_reported(browser: Client, settings: LazySettings) -> None:
    settings.SANDBOX_URL = "http://127.0.0.1:9"
    cache.clear()
    page = browser.get(PAGE).content.decode()
    assert "The sandbox cannot be reached." in page
    assert "http://127.0.0.1:9" in page
    assert browser.post(PAGE, {"act": "clear"}).status_code == 302
    assert browser.get("/").status_code == 200
