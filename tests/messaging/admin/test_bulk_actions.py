"""Bulk actions, the tabs over the list of messages, and the dashboard's counts."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.test import Client

from messaging.models import Message
from providers import accounts
from tests.factories.accounts import make_account
from tests.factories.messages import make_message
from tests.factories.staff import make_user

pytestmark = pytest.mark.django_db
LIST = "/messaging/message/"


def sign_in(client: Client, *permissions: str) -> Client:
    client.force_login(make_user("messaging.view_message", *permissions))
    return client


def run_action(browser: Client, action: str, *chosen: Message, **data: str) -> Any:
    ids = [str(message.pk) for message in chosen]
    return browser.post(LIST, {"action": action, "_selected_action": ids, **data})


def test_cancel_asks_for_confirmation_with_the_count(client: Client) -> None:
    waiting, sent = make_message(), make_message(state="submitted")
    browser = sign_in(client, "messaging.cancel_message")
    page = run_action(browser, "cancel_waiting", waiting, sent).content.decode()
    assert "This affects 1 message." in page
    assert "1 other message is in another state" in page
    waiting.refresh_from_db()
    assert waiting.state == "queued"


def test_cancel_changes_only_pending_messages(client: Client) -> None:
    waiting, sent = make_message(), make_message(state="submitted")
    browser = sign_in(client, "messaging.cancel_message")
    run_action(browser, "cancel_waiting", waiting, sent, confirmed="yes")
    states = dict(Message.objects.values_list("pk", "state"))
    assert states == {waiting.pk: "cancelled", sent.pk: "submitted"}
    assert LogEntry.objects.count() == 1


@pytest.mark.parametrize(
    ("action", "state"), [("mark_sent", "submitted"), ("mark_not_sent", "not_sent")]
)
def test_settle_requires_a_reason(client: Client, action: str, state: str) -> None:
    messages = [make_message(state="unknown") for _ in range(2)]
    browser = sign_in(client, "messaging.resolve_message")
    page = run_action(browser, action, *messages, confirmed="yes").content.decode()
    assert "Choose a reason first, or describe it in a few words." in page
    run_action(browser, action, *messages, confirmed="yes", reason="console")
    settled = Message.objects.filter(state=state)
    assert [row.settled_because for row in settled] == ['{"key": "outcome.console"}'] * 2


@pytest.mark.parametrize("action", ["cancel_waiting", "mark_sent", "mark_not_sent"])
def test_action_requires_its_permission(client: Client, action: str) -> None:
    message = make_message(state="queued" if action == "cancel_waiting" else "unknown")
    run_action(sign_in(client), action, message, confirmed="yes", reason="console")
    before = message.state
    message.refresh_from_db()
    assert message.state == before


def test_tab_counts_messages_that_need_attention(client: Client) -> None:
    make_message(state="unknown")
    make_message(state="held")
    page = sign_in(client).get(LIST).content.decode()
    assert "Needs attention 2" in page
    assert "?shown=unknown&amp;shown=held" in page


@pytest.mark.parametrize("field", ["reference", "public_id", "provider_id"])
def test_search_for_a_whole_id_opens_the_message(client: Client, field: str) -> None:
    message = make_message(provider_id="26471304")
    make_message(provider_id="26471305")
    answer = sign_in(client).get(LIST, {"q": getattr(message, field)})
    assert answer["Location"] == f"{LIST}{message.public_id}/change/"


def test_country_and_reason_filter_the_list(client: Client) -> None:
    account = make_account(allowed_countries=["CN", "ID"])
    make_message(account, recipient="+6281234567890", state="refused", reason="no_balance")
    make_message(account)
    browser = sign_in(client)
    for query in ({"country": "ID"}, {"reason": "no_balance"}):
        assert browser.get(LIST, query).context["cl"].result_count == 1


def test_dashboard_links_to_what_needs_attention(client: Client) -> None:
    account = make_message(state="unknown").account
    accounts.pause(account, "no_balance")
    page = sign_in(client, "providers.view_account").get("/").content.decode()
    assert "1 message: outcome unknown" in page
    assert "?shown=unknown" in page
    assert f"{account.name} is paused: Insufficient balance." in page


def test_dashboard_hides_counts_without_the_permission(client: Client) -> None:
    make_message(state="unknown")
    client.force_login(make_user())
    assert "outcome unknown" not in client.get("/").content.decode()
