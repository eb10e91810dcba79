"""What staff read when a provider misbehaves, and what they can do then."""

from __future__ import annotations

import re
from functools import partial

import pytest
from playwright.sync_api import expect

from messaging.models import Message
from providers.engine.loop import DEADLINES
from providers.gateway.wire import Deadlines
from providers.models import Account
from providers.sandbox.faults import CATALOGUE
from providers.sandbox.server import Sandbox
from tests.builders import IMPATIENT, make_account, make_message

from .conftest import Engine, MakeVisitor
from .pages import AccountForm, MessagePage, SendForm
from .visitor import Visitor
from .waiting import wait_until

NUMBER = "139 1234 5678"
TEXT = "Your parcel is here."
NOT_SPENT = "No money was spent: the provider did not act on it."
MAYBE = "Money may have been spent: it is not known whether the provider acted."
REFUSED = "The provider refused it; a refusal is not normally charged."
NOTHING = "Nothing was sent and nothing was charged."
ACCEPTED = "The provider accepted it and charges by its own rules."
NO_ANSWER = "No answer after"

FAULTS = {
    ("Outcome unknown", "The provider had a fault of its own.", MAYBE): (
        "html_500",
        "html_502",
        "html_503",
        "html_504",
    ),
    ("Outcome unknown", "The provider answered with something unreadable.", MAYBE): (
        *("html_200", "empty_200", "json_truncated", "json_list", "json_string", "json_null"),
        *("json_number", "json_deep", "json_missing_keys", "json_duplicate_keys", "json_nan"),
        *("bad_utf8", "huge_body", "gzip_bomb", "tls_broken", "endless_headers", "huge_header"),
    ),
    ("Outcome unknown", f"{NO_ANSWER} 2", MAYBE): (
        "slow",
        "never_answers",
        "trickled_headers",
        "trickled_body",
    ),
    ("Outcome unknown", "The connection broke while the provider", MAYBE): (
        "reset_before",
        "reset_after",
        "closed_after",
    ),
    ("Outcome unknown", "The address of this account points elsewhere.", MAYBE): (
        "redirect_302",
        "redirect_303",
    ),
    ("Not sent", "The address of this account points elsewhere.", NOT_SPENT): (
        "redirect_301",
        "redirect_307",
        "redirect_308",
    ),
    ("Waiting", "The provider asks to slow down.", NOT_SPENT): ("too_many", "too_many_retry_after"),
    ("Accepted, waiting for report", "", ACCEPTED): (
        "odd_text",
        "contradiction",
        "keep_alive_closed",
        "keep_alive_reset",
    ),
}
"""What the page says, and after which faults of the practice providers."""
STOPPING = ("redirect", "too_many")
"""After these the account pauses, or waits."""


@pytest.fixture
def account(sandbox: Sandbox) -> Account:
    return make_account("haorui", sandbox)


@pytest.fixture
def unknown(account: Account) -> Message:
    message = make_message(account, recipient="+8613912345678")
    Message.objects.filter(pk=message.pk).update(state="unknown", reason="timed_out")
    message.refresh_from_db()
    return message


def has_an_answer(pk: int) -> bool:
    message = Message.objects.get(pk=pk)
    return bool(message.reason) or message.state == "submitted"


def test_every_fault_of_the_practice_providers_is_tried() -> None:
    known = {fault.id for fault in CATALOGUE.values() if fault.kind == "answer"}
    assert {fault for faults in FAULTS.values() for fault in faults} == known


@pytest.mark.any_database
@pytest.mark.parametrize(
    ("silent", "deadlines"),
    # Where an answer counts, one that comes late on a slow machine must not be given up.
    [(False, DEADLINES), (True, IMPATIENT)],
    ids=["answered", "silent"],
)
def test_every_fault_is_said_in_words_with_the_money_line(
    silent: bool,
    deadlines: Deadlines,
    operator: Visitor,
    account: Account,
    sandbox: Sandbox,
    engine: Engine,
) -> None:
    shown = [
        (fault, *words)
        for words, faults in FAULTS.items()
        for fault in faults
        if words[1].startswith(NO_ANSWER) is silent
    ]
    accounts = {
        fault: make_account("haorui", sandbox) if fault.startswith(STOPPING) else account
        for fault, *_ in shown
    }
    engine.start(deadlines)
    for fault, state, words, money in shown:
        sandbox.faults.set(fault, provider="haorui")
        message = make_message(accounts[fault], recipient="+8613912345678")
        wait_until(partial(has_an_answer, message.pk))
        page = MessagePage.of(operator, message).becomes(state)
        expect(page.money).to_have_text(money)
        expect(page.story).to_contain_text(words)
        if words:
            expect(page.story.locator(".next-step")).to_be_visible()
        if state == "Outcome unknown":
            expect(page.story).to_contain_text("A manager can settle this.")
            assert page.choices.count() == 0
        sandbox.faults.clear()
    unknown = [fault for fault, state, *_ in shown if state == "Outcome unknown"]
    assert Message.objects.filter(state="unknown").count() == len(unknown)
    assert sandbox.book.repeated() == []
    assert sandbox.book.entries(kind="strayed") == []


def test_a_wrong_password_pauses_the_account_and_says_what_to_do(
    operator: Visitor, make_visitor: MakeVisitor, sandbox: Sandbox, engine: Engine
) -> None:
    account = make_account(
        "otpservice", sandbox, credentials={"username": "practice", "password": "wrong"}
    )
    engine.start()
    page = SendForm.of(operator).fill(NUMBER).send().becomes("Refused")
    expect(page.money).to_have_text(REFUSED)
    expect(page.story).to_contain_text("The provider did not accept the login.")
    expect(page.story).to_contain_text("Replace the key, then check the connection.")
    wait_until(lambda: Account.objects.get(pk=account.pk).is_paused)

    form = AccountForm.of(make_visitor("manager"), account)
    expect(form.state).to_have_text("Paused")
    form.says("Paused since", "The provider did not accept the login.")
    form.page.locator("#replace-button").click()
    form.page.wait_for_url("**#id_secret_password")
    form.page.locator("#resume-button").click()
    expect(form.state).not_to_have_text("Paused")


@pytest.mark.any_database
def test_a_paused_account_cannot_be_chosen(operator: Visitor, sandbox: Sandbox) -> None:
    make_account("haorui", sandbox, name="Open one")
    paused = make_account("haorui", sandbox, name="Closed one")
    Account.objects.filter(pk=paused.pk).update(
        paused_at=paused.created_at, pause_reason="credentials"
    )
    option = SendForm.of(operator).account.locator(f'option[value="{paused.public_id}"]')
    expect(option).to_be_disabled()
    expect(option).to_have_text("Closed one – paused")


def test_a_provider_that_cannot_be_reached_is_tried_again_and_said_to_be(
    operator: Visitor, engine: Engine
) -> None:
    make_account("haorui")
    engine.start()
    page = SendForm.of(operator).fill(NUMBER, TEXT).send()
    expect(page.story).to_contain_text("The provider could not be reached.")
    expect(page.story).to_contain_text(re.compile("Tried [12] times, next at"))
    expect(page.money).to_have_text(NOT_SPENT)


class TestOutcomeUnknown:
    @pytest.mark.any_database
    @pytest.mark.parametrize("role", ["viewer", "operator", "auditor"])
    def test_those_who_may_not_settle_see_no_choices(
        self, role: str, make_visitor: MakeVisitor, unknown: Message
    ) -> None:
        page = MessagePage.of(make_visitor(role), unknown)
        expect(page.state).to_have_text("Outcome unknown")
        expect(page.story).to_contain_text("A manager can settle this.")
        assert page.choices.count() == 0
        assert page.page.locator("dialog").count() <= 1

    @pytest.mark.any_database
    def test_no_choice_is_the_right_one_by_default(
        self, manager: Visitor, unknown: Message
    ) -> None:
        page = MessagePage.of(manager, unknown)
        assert page.choices.count() == 3
        assert page.live.locator(".button-primary").count() == 0

    def test_it_is_settled_as_sent(self, manager: Visitor, unknown: Message) -> None:
        page = MessagePage.of(manager, unknown).settle("sent", "has")
        page.becomes("Sent (marked)")
        expect(page.timeline).to_contain_text(f"Marked as sent by {manager.user}: Recipient has it")

    def test_it_is_settled_as_not_sent(self, manager: Visitor, unknown: Message) -> None:
        page = MessagePage.of(manager, unknown).settle("not_sent", "has_not")
        page.becomes("Not sent")
        expect(page.money).to_have_text(NOTHING)
        expect(page.timeline).to_contain_text("Recipient does not have it")
        assert not page.polls

    @pytest.mark.any_database
    def test_a_reason_of_one_s_own_needs_words(self, manager: Visitor, unknown: Message) -> None:
        page = MessagePage.of(manager, unknown).settle("sent", "other")
        expect(page.notes.filter(has_text="choose or type a reason")).to_be_visible()
        page.becomes("Outcome unknown")

    @pytest.mark.any_database
    def test_a_dialog_gives_the_focus_back(self, manager: Visitor, unknown: Message) -> None:
        page = MessagePage.of(manager, unknown)
        opener = page.live.locator('[data-opens="settle-sent"]')
        opener.click()
        manager.page.keyboard.press("Escape")
        expect(manager.page.locator("#settle-sent")).to_be_hidden()
        assert page.has_focus(opener)

    def test_sending_it_again_warns_of_a_double_and_makes_a_linked_message(
        self, manager: Visitor, unknown: Message, sandbox: Sandbox, engine: Engine
    ) -> None:
        engine.start()
        page = MessagePage.of(manager, unknown)
        page.again_button.click()
        expect(page.again_dialog).to_contain_text(
            "The recipient may get it twice and it may be paid twice."
        )
        manager.page.keyboard.press("Escape")
        page.send_again().becomes("Accepted, waiting for report")
        assert page.message.sent_again_from == unknown
        assert len(sandbox.book.entries("haorui", accepted=True)) == 1
        unknown.refresh_from_db()
        assert unknown.state == "unknown"
