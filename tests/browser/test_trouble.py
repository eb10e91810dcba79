"""What staff read when a provider misbehaves, and what they can do then."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from messaging.models import Message
from providers.models import Account
from sandbox.server import Sandbox
from tests.factories.accounts import make_account
from tests.factories.messages import make_message

from .conftest import Engine
from .pages import MessagePage
from .visitor import Visitor

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


class TestOutcomeUnknown:
    def test_it_is_settled_as_sent(self, manager: Visitor, unknown: Message) -> None:
        page = MessagePage.of(manager, unknown).settle("sent", "has")
        page.becomes("Sent (marked)")
        expect(page.timeline).to_contain_text(f"Marked as sent by {manager.user}: Recipient has it")

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
