"""The live part of a page."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from messaging.models import Message
from providers.models import Account
from sandbox.server import Sandbox
from tests.factories.accounts import make_account
from tests.factories.messages import make_message
from tests.support.wait_until import wait_until

from .conftest import MakeVisitor
from .pages import MessagePage
from .visitor import Visitor

pytestmark = pytest.mark.any_database


@pytest.fixture
def message(sandbox: Sandbox) -> Message:
    return make_message(make_account("haorui", sandbox))


def move(message: Message, state: str, **changes: object) -> None:
    Message.objects.filter(pk=message.pk).update(state=state, **changes)


def wait_for_polls(visitor: Visitor, times: int) -> None:
    """Wait for this number of further polls of the page."""
    for _ in range(times):
        visitor.page.wait_for_event("response", lambda r: r.url.endswith("/live/"))


def test_focused_button_survives_polls(manager: Visitor, message: Message) -> None:
    move(message, "unknown")
    page = MessagePage.of(manager, message)
    page.again_button.focus()
    wait_for_polls(manager, 2)
    assert page.has_focus(page.again_button)
    expect(page.again_button).to_be_focused()


def test_live_update_applies_when_the_button_loses_focus(
    manager: Visitor, message: Message
) -> None:
    move(message, "unknown")
    page = MessagePage.of(manager, message)
    page.again_button.focus()
    wait_for_polls(manager, 1)
    move(message, "delivered")
    wait_for_polls(manager, 1)
    expect(page.state).to_have_text("Outcome unknown")
    page.title.click()
    page.again_button.evaluate("button => button.blur()")
    page.wait_for_state("Delivered")


def test_polling_stops_at_a_final_state(operator: Visitor, message: Message) -> None:
    page = MessagePage.of(operator, message)
    assert page.polls
    move(message, "delivered")
    page.wait_for_state("Delivered")
    assert not page.polls
    polls = operator.requests_to("/live/")
    # Longer than two polling intervals.
    operator.page.wait_for_timeout(4500)
    assert polls == []


def test_connection_loss_and_recovery_are_announced(operator: Visitor, message: Message) -> None:
    page = MessagePage.of(operator, message)
    line = operator.page.locator("#live-line")
    with operator.expecting("ERR_INTERNET_DISCONNECTED|htmx:(sendError|afterRequest)"):
        operator.context.set_offline(True)
        expect(line).to_contain_text("Not live since")
        expect(line).to_contain_text("Trying again.")
        expect(page.state).to_have_text("Waiting")
        operator.context.set_offline(False)
        expect(line).to_be_hidden()
    move(message, "delivered")
    page.wait_for_state("Delivered")


def test_expired_session_is_announced_without_a_sign_in_form(
    operator: Visitor, message: Message
) -> None:
    page = MessagePage.of(operator, message)
    with operator.expecting("401"):
        operator.lose_session()
        expect(operator.page.locator("#signed-out-note")).to_contain_text("You are signed out.")
    assert operator.page.locator("input[type=password]").count() == 0
    expect(page.state).to_have_text("Waiting")
    polls = operator.requests_to("/live/")
    operator.page.wait_for_timeout(2500)
    assert polls == []


def test_revoked_permission_is_announced(make_visitor: MakeVisitor, message: Message) -> None:
    visitor = make_visitor("viewer")
    MessagePage.of(visitor, message)
    assert visitor.user is not None
    with visitor.expecting("403"):
        visitor.user.groups.clear()
        expect(visitor.page.locator("#signed-out-note")).to_contain_text(
            "You no longer have access to this part of the page."
        )


def test_hidden_tab_does_not_poll(operator: Visitor, message: Message) -> None:
    MessagePage.of(operator, message)
    operator.page.evaluate("Object.defineProperty(document, 'visibilityState', {value: 'hidden'})")
    polls = operator.requests_to("/live/")
    operator.page.wait_for_timeout(2500)
    assert polls == []


def test_account_page_stops_polling_after_the_answer(manager: Visitor, sandbox: Sandbox) -> None:
    account: Account = make_account("gosms", sandbox)
    manager.page.goto(f"/providers/account/{account.public_id}/change/")
    manager.page.locator("#check-button").click()
    result = manager.page.locator("#account-check")
    expect(result.locator("[hx-trigger]")).to_have_count(1)
    account.enquiries.update(state="failed", reason="timed_out")
    expect(result).to_contain_text("No answer was received in time.")
    wait_until(lambda: result.locator("[hx-trigger]").count() == 0)
