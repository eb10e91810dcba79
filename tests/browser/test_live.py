"""The part of a page that follows what happens elsewhere."""

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


def polls(visitor: Visitor, times: int) -> None:
    """Let the page ask so many times more."""
    for _ in range(times):
        visitor.page.wait_for_event("response", lambda r: r.url.endswith("/live/"))


def test_a_button_that_has_the_focus_survives_polls(manager: Visitor, message: Message) -> None:
    move(message, "unknown")
    page = MessagePage.of(manager, message)
    page.again_button.focus()
    polls(manager, 2)
    assert page.has_focus(page.again_button)
    expect(page.again_button).to_be_focused()


def test_the_news_come_once_the_button_is_left(manager: Visitor, message: Message) -> None:
    move(message, "unknown")
    page = MessagePage.of(manager, message)
    page.again_button.focus()
    polls(manager, 1)
    move(message, "delivered")
    polls(manager, 1)
    expect(page.state).to_have_text("Outcome unknown")
    page.title.click()
    page.again_button.evaluate("button => button.blur()")
    page.becomes("Delivered")


def test_a_final_state_stops_the_questions(operator: Visitor, message: Message) -> None:
    page = MessagePage.of(operator, message)
    assert page.polls
    move(message, "delivered")
    page.becomes("Delivered")
    assert not page.polls
    asked = operator.requests_to("/live/")
    # Longer than two questions would have taken.
    operator.page.wait_for_timeout(4500)
    assert asked == []


def test_a_lost_server_is_said_and_its_return_too(operator: Visitor, message: Message) -> None:
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
    page.becomes("Delivered")


def test_a_session_that_ended_is_said_without_a_form_in_the_page(
    operator: Visitor, message: Message
) -> None:
    page = MessagePage.of(operator, message)
    with operator.expecting("401"):
        operator.lose_session()
        expect(operator.page.locator("#signed-out-note")).to_contain_text("You are signed out.")
    assert operator.page.locator("input[type=password]").count() == 0
    expect(page.state).to_have_text("Waiting")
    asked = operator.requests_to("/live/")
    operator.page.wait_for_timeout(2500)
    assert asked == []


def test_a_permission_that_was_taken_away_is_said(
    make_visitor: MakeVisitor, message: Message
) -> None:
    visitor = make_visitor("viewer")
    MessagePage.of(visitor, message)
    assert visitor.user is not None
    with visitor.expecting("403"):
        visitor.user.groups.clear()
        expect(visitor.page.locator("#signed-out-note")).to_contain_text(
            "You may no longer see this part of the page."
        )


def test_a_hidden_tab_asks_nothing(operator: Visitor, message: Message) -> None:
    MessagePage.of(operator, message)
    operator.page.evaluate("Object.defineProperty(document, 'visibilityState', {value: 'hidden'})")
    asked = operator.requests_to("/live/")
    operator.page.wait_for_timeout(2500)
    assert asked == []


def test_the_account_page_stops_asking_when_the_answer_is_there(
    manager: Visitor, sandbox: Sandbox
) -> None:
    account: Account = make_account("gosms", sandbox)
    manager.page.goto(f"/providers/account/{account.public_id}/change/")
    manager.page.locator("#check-button").click()
    news = manager.page.locator("#account-check")
    expect(news.locator("[hx-trigger]")).to_have_count(1)
    account.enquiries.update(state="failed", reason="timed_out")
    expect(news).to_contain_text("No answer came in time.")
    wait_until(lambda: news.locator("[hx-trigger]").count() == 0)
