"""The sandbox page, with a sandbox over real HTTP."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator

import pytest
import requests
from django.conf import LazySettings
from django.core.cache import cache
from django.test import Client
from django.urls import reverse

from sandbox import credentials
from sandbox.server import Sandbox
from tests.sandbox.conftest import Receiver
from tests.support.signed_in import browser_of, member

pytestmark = pytest.mark.django_db

PAGE = "/practice/"
PHONES = "/practice/phones/"
TOKEN_TEXT = "see http://127.0.0.1:9/callbacks/the-token/"
REPORTING = ("haorui", "otpservice")


@pytest.fixture
def sandbox(settings: LazySettings) -> Iterator[Sandbox]:
    with Sandbox() as running:
        settings.SANDBOX_URL = running.url
        yield running


@pytest.fixture
def browser() -> Client:
    return browser_of(member("manager"))


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    server = Receiver()
    yield server
    server.stop()


def send(sandbox: Sandbox, **changes: str) -> str:
    values = {
        "api_id": credentials.HAORUI_API_ID,
        "api_password": credentials.HAORUI_API_PASSWORD,
        "sms_type": "T",
        "encoding": "U",
        "sender_id": "TEST",
        "phonenumber": "8613312345678",
        "textmessage": "<b>the whole text</b>",
        **changes,
    }
    url = sandbox.base_url("haorui") + "/api/SendSMS"
    with requests.Session() as session:
        session.trust_env = False
        return str(session.post(url, json=values, timeout=5).json()["message_id"])


def rent(sandbox: Sandbox) -> str:
    url = sandbox.base_url("gosms") + "/order"
    headers = {"Authorization": f"Bearer {credentials.GOSMS_API_KEY}"}
    order = {"project_code": "telegram", "region": "ID"}
    with requests.Session() as session:
        session.trust_env = False
        return str(session.post(url, json=order, headers=headers, timeout=5).json()["order_id"])


def shown(reader: Client) -> str:
    return reader.get(PAGE).content.decode()


def test_page_is_missing_without_a_sandbox(browser: Client) -> None:
    assert browser.get(PAGE).status_code == 404
    assert browser.post(PAGE, {"act": "clear"}).status_code == 404
    assert browser.get(reverse("admin:practice_book")).status_code == 404
    assert browser.get(PHONES).status_code == 404


def entry_of(sandbox: Sandbox) -> int:
    return sandbox.book.entries()[-1].number


def state_of(page: str) -> str:
    return page.partition('class="bubble-facts"')[2].partition("</div>")[0]


@pytest.mark.parametrize("role", ["viewer", "operator", "manager", "auditor"])
def test_everybody_sees_what_arrived_whole_and_escaped(sandbox: Sandbox, role: str) -> None:
    send(sandbox)
    reader = browser_of(member(role))
    for address in (PAGE, PHONES):
        page = reader.get(address).content.decode()
        assert "+86 133 1234 5678" in page
        assert "&lt;b&gt;the whole text" in page
        assert "<b>the whole text" not in page


def test_callback_addresses_stay_hidden(sandbox: Sandbox, browser: Client) -> None:
    send(sandbox, callback_url="http://127.0.0.1:9/callbacks/the-token/", textmessage=TOKEN_TEXT)
    for address in (PAGE, PHONES, reverse("admin:practice_book")):
        assert "the-token" not in browser.get(address).content.decode()


def test_newest_phone_is_shown_unless_another_is_chosen(sandbox: Sandbox, browser: Client) -> None:
    send(sandbox)
    first = entry_of(sandbox)
    send(sandbox, phonenumber="6281322221111", textmessage="the second text")
    talk = browser.get(PHONES).content.decode().partition('id="phone"')[2]
    assert "the second text" in talk
    assert "the whole text" not in talk
    talk = browser.get(PHONES, {"entry": first}).content.decode().partition('id="phone"')[2]
    assert "the whole text" in talk
    assert "the second text" not in talk


@pytest.mark.parametrize("entry", ["99999", "-1", "x", "٣", "9" * 40])
def test_odd_choice_of_a_phone_shows_the_newest(
    sandbox: Sandbox, browser: Client, entry: str
) -> None:
    send(sandbox)
    assert "the whole text" in browser.get(PHONES, {"entry": entry}).content.decode()


def test_number_of_a_phone_is_in_no_address(sandbox: Sandbox, browser: Client) -> None:
    send(sandbox)
    addresses = re.findall('(?:href|hx-get|hx-post|action)="([^"]*)"', shown(browser))
    assert not [one for one in addresses if "1234" in one]


def test_calls_that_only_read_stand_apart(sandbox: Sandbox, browser: Client) -> None:
    send(sandbox)
    with requests.Session() as session:
        session.trust_env = False
        for _poll in range(60):
            session.get(sandbox.base_url("gosms") + "/user/balance", timeout=5)
    page = shown(browser)
    before, _, polls = page.partition("Calls that merely read")
    assert "Read balance" not in before.partition('id="book"')[2]
    assert "textmessage" in before
    assert 0 < polls.count("Read balance") <= 50


def test_fault_is_switched_on_announced_and_switched_off(sandbox: Sandbox, browser: Client) -> None:
    browser.post(PAGE, {"act": "fault", "fault": "slow", "call": "haorui:", "calls": "all"})
    (active,) = sandbox.faults.active()
    assert (active.fault.id, active.provider, active.calls) == ("slow", "haorui", None)
    assert "Sandbox: a simulated fault is on." in browser.get("/").content.decode()
    browser.post(PAGE, {"act": "clear"})
    assert not sandbox.faults.active()
    assert "simulated fault" not in browser.get("/").content.decode()


def test_one_of_two_faults_is_switched_off(sandbox: Sandbox, browser: Client) -> None:
    for call in ("haorui:send", "gosms:create_order"):
        browser.post(PAGE, {"act": "fault", "fault": "slow", "call": call, "calls": "all"})
    first, second = sandbox.faults.active()
    browser.post(PAGE, {"act": "stop", "number": first.number})
    assert sandbox.faults.active() == [second]


def test_fault_for_the_next_call_is_not_used_up_by_a_poll_or_a_repeat(
    sandbox: Sandbox, browser: Client
) -> None:
    send(sandbox, uid="earlier")
    fault = {"act": "fault", "fault": "html_502", "call": "haorui:send", "calls": "1"}
    browser.post(PAGE, fault)
    send(sandbox, uid="earlier")
    assert len(sandbox.faults.active()) == 1
    with pytest.raises(requests.JSONDecodeError):
        send(sandbox, uid="new")
    assert not sandbox.faults.active()


def test_fault_for_the_next_call_needs_an_operation(sandbox: Sandbox, browser: Client) -> None:
    fault = {"act": "fault", "fault": "slow", "call": "gosms:", "calls": "1"}
    page = browser.post(PAGE, fault, follow=True).content.decode()
    assert "choose what the call does" in page
    assert not sandbox.faults.active()


@pytest.mark.parametrize(
    ("what", "word", "state"),
    [("deliver", "Delivered", "Delivered"), ("fail", "Undeliverable", "Not delivered")],
)
def test_report_is_sent_by_its_button(
    sandbox: Sandbox, browser: Client, receiver: Receiver, what: str, word: str, state: str
) -> None:
    sandbox.change_settings("haorui", report_delay=None)
    message_id = send(sandbox, callback_url=receiver.url)
    assert "No report yet" in state_of(shown(browser))
    fields = {"act": "report", "provider": "haorui", "message_id": message_id, "what": what}
    page = browser.post(PAGE, fields, headers={"HX-Request": "true"}).content.decode()
    assert "Report sent." in page
    assert "<html" not in page
    assert sandbox.wait_for_pushes()
    assert [report["DLRStatus"] for report in receiver.received] == [word]
    assert state in state_of(shown(browser))


def test_late_report_is_announced_with_the_time_left(
    sandbox: Sandbox, browser: Client, receiver: Receiver
) -> None:
    sandbox.change_settings("haorui", report_delay=None)
    message_id = send(sandbox, callback_url=receiver.url)
    fields = {"act": "report", "provider": "haorui", "message_id": message_id, "what": "late"}
    assert "is sent in 90 seconds" in browser.post(PAGE, fields, follow=True).content.decode()
    assert "report in 90" in state_of(shown(browser)).replace("\xa0", " ")
    assert not receiver.received


def test_report_that_the_portal_refuses_is_marked(sandbox: Sandbox, browser: Client) -> None:
    sandbox.change_settings("haorui", report_delay=0)
    send(sandbox, callback_url="http://127.0.0.1:9/callbacks/token/")
    assert sandbox.wait_for_pushes()
    assert "The portal did not take the report." in state_of(shown(browser))


def test_any_other_report_can_be_chosen(
    sandbox: Sandbox, browser: Client, receiver: Receiver
) -> None:
    sandbox.change_settings("haorui", report_delay=None)
    message_id = send(sandbox, callback_url=receiver.url)
    fields = {"act": "report", "provider": "haorui", "message_id": message_id, "word": "DND"}
    assert "Report sent." in browser.post(PAGE, fields, follow=True).content.decode()
    assert sandbox.wait_for_pushes()
    assert "DND" in state_of(shown(browser))


def test_reports_wait_for_a_person_or_go_automatically(sandbox: Sandbox, browser: Client) -> None:
    def delays() -> list[object]:
        return [getattr(sandbox.provider(name).settings, "report_delay") for name in REPORTING]  # noqa: B009

    assert "sent automatically, 2 seconds" in shown(browser)
    browser.post(PAGE, {"act": "reports", "reports": "wait"})
    assert delays() == [None, None]
    assert "They wait" in shown(browser)
    browser.post(PAGE, {"act": "reports", "reports": "alone"})
    assert delays() == [2.0, 2.0]


def test_realistic_mix_fails_a_few_and_never_reports_one(
    sandbox: Sandbox, browser: Client, receiver: Receiver
) -> None:
    browser.post(PAGE, {"act": "reports", "reports": "mix"})
    sandbox.change_settings("haorui", report_delay=0.0)
    assert "A realistic mix: of 100 messages" in shown(browser)
    for number in range(100):
        send(sandbox, phonenumber=f"86133123455{number:02d}", callback_url=receiver.url)
    assert sandbox.wait_for_pushes()
    words = Counter(body["DLRStatus"] for body in receiver.received)
    assert words == {"Delivered": 96, "Undeliverable": 3}
    browser.post(PAGE, {"act": "reports", "reports": "alone"})
    assert "A realistic mix: of 100 messages" not in shown(browser)


def test_balance_at_a_provider_is_set(sandbox: Sandbox, browser: Client) -> None:
    page = browser.post(
        PAGE, {"act": "balance", "provider": "gosms", "balance": "1,950.50"}, follow=True
    )
    assert "Balance changed." in page.content.decode()
    assert re.search(r'id="balance-gosms"[^>]* value="1,950.50"', shown(browser))
    for wrong in ("", "-1", "1e9", "NaN", "1234567890"):
        answer = browser.post(
            PAGE, {"act": "balance", "provider": "gosms", "balance": wrong}, follow=True
        )
        assert "Not changed: type an amount such as 950.50." in answer.content.decode()
    assert re.search(r'id="balance-gosms"[^>]* value="1,950.50"', shown(browser))
    reader = browser_of(member("viewer"))
    assert 'name="balance"' not in shown(reader)
    assert reader.post(PAGE, {"act": "balance", "balance": "1"}).status_code == 403


def test_sms_is_delivered_to_a_rented_number(sandbox: Sandbox, browser: Client) -> None:
    sandbox.change_settings("gosms", sms_delay=None)
    order = rent(sandbox)
    assert "Waiting for an SMS" in state_of(shown(browser))
    fields = {"act": "sms", "message_id": order, "text": "Your code is 731905", "entry": "1"}
    response = browser.post(PAGE, fields)
    assert response.headers["Location"] == f"{PAGE}?entry=1#phone"
    page = shown(browser)
    assert "Your code is 731905" in page
    assert 'data-copy="731905"' in page
    assert "Waiting for an SMS" not in page


def test_code_can_be_copied_where_a_text_speaks_of_one(sandbox: Sandbox, browser: Client) -> None:
    send(sandbox, textmessage="Room 1208 is ready.")
    assert "Copy code" not in shown(browser)
    send(sandbox, textmessage="您的验证码是 482913，请勿泄露")
    assert 'data-copy="482913"' in shown(browser)


def test_page_tells_that_a_provider_sends_no_reports(sandbox: Sandbox, browser: Client) -> None:
    values = {"api_key": credentials.HAOSMS_API_KEY, "phone": "13312345678", "content": "482913"}
    with requests.Session() as session:
        session.trust_env = False
        url = sandbox.base_url("haosms") + "/extra_api/otp_msg"
        session.post(url, data={**values, "platform": "验证码通道1"}, timeout=5)
    page = shown(browser)
    assert "+86 133 1234 5678" in page
    assert "This provider sends no reports." in state_of(page)
    assert 'value="deliver"' not in page


@pytest.mark.parametrize("act", ["fault", "report", "sms", "nonsense"])
def test_request_refused_by_the_sandbox_does_not_break_the_page(
    sandbox: Sandbox, browser: Client, act: str
) -> None:
    response = browser.post(PAGE, {"act": act, "fault": "no-such", "calls": "x"}, follow=True)
    assert response.status_code == 200


def test_actions_require_the_permission_to_check_accounts(sandbox: Sandbox) -> None:
    send(sandbox)
    viewer = browser_of(member("viewer"))
    page = shown(viewer)
    assert 'name="act"' not in page
    assert "No report yet" in state_of(page)
    assert viewer.post(PAGE, {"act": "fault", "fault": "slow"}).status_code == 403
    assert not sandbox.faults.active()


def test_unreachable_sandbox_is_reported(browser: Client, settings: LazySettings) -> None:
    settings.SANDBOX_URL = "http://127.0.0.1:9"
    cache.clear()
    page = browser.get(PAGE).content.decode()
    assert "The sandbox cannot be reached." in page
    assert "http://127.0.0.1:9" in page
    assert browser.post(PAGE, {"act": "clear"}).status_code == 302
    assert browser.get("/").status_code == 200
