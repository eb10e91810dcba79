"""A message of unknown outcome: settling it and sending it again."""

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
    def test_message_is_settled_as_sent(self, manager: Visitor, unknown: Message) -> None:
        page = MessagePage.of(manager, unknown).settle("sent", "has")
        page.wait_for_state("Sent (set by hand)")
        expect(page.timeline).to_contain_text(
            f"Marked as sent by {manager.user}: Recipient received it"
        )

    @pytest.mark.any_database
    def test_closed_dialog_returns_the_focus(self, manager: Visitor, unknown: Message) -> None:
        page = MessagePage.of(manager, unknown)
        opener = page.live.locator('[data-opens="settle-sent"]')
        opener.click()
        manager.page.keyboard.press("Escape")
        expect(manager.page.locator("#settle-sent")).to_be_hidden()
        assert page.has_focus(opener)

    def test_sending_again_warns_of_a_duplicate_and_links_the_messages(
        self, manager: Visitor, unknown: Message, sandbox: Sandbox, engine: Engine
    ) -> None:
        engine.start()
        page = MessagePage.of(manager, unknown)
        page.again_button.click()
        expect(page.again_dialog).to_contain_text(
            "The recipient may receive it twice, and it may be charged twice."
        )
        manager.page.keyboard.press("Escape")
        page.send_again().wait_for_state("Accepted, waiting for report")
        assert page.message.sent_again_from == unknown
        assert len(sandbox.book.entries("haorui", accepted=True)) == 1
        unknown.refresh_from_db()
        assert unknown.state == "unknown"
