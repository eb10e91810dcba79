"""The page of one message: visibility, live part, actions and permissions."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from core.admin.history import log_text
from messaging.models import Message
from messaging.states import MESSAGE_STATES, MessageState
from tests.factories.accounts import make_account
from tests.factories.messages import make_message
from tests.factories.staff import make_staff

pytestmark = pytest.mark.django_db
TEXT = "Flat 12, the key is under the mat"
NUMBER = "+8613912345678"
ROLES = ["viewer", "operator", "manager", "auditor"]


def sign_in(client: Client, role: str) -> User:
    user = make_staff(role)
    client.force_login(user)
    return user


def url(message: Message, page: str = "change") -> str:
    return f"/messaging/message/{message.public_id}/{page}/"


def get_page(client: Client, message: Message, page: str = "change") -> str:
    response = client.get(url(message, page))
    assert response.status_code == 200
    return str(response.content.decode())


def notices(client: Client, message: Message) -> list[str]:
    return [str(notice) for notice in client.get(url(message)).context["messages"]]


def state_of(message: Message) -> str:
    message.refresh_from_db()
    return message.state


# --- visibility --------------------------------------------------------------


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("page", ["change", "live"])
def test_number_and_text_are_masked_for_every_role(client: Client, role: str, page: str) -> None:
    message = make_message(text=TEXT)
    sign_in(client, role)
    whole = get_page(client, message, page)
    for hidden in (NUMBER, "13912345678", "139 1234 5678", "12345678", TEXT, "under the mat"):
        assert hidden not in whole


def test_masked_number_has_a_screen_reader_text(client: Client) -> None:
    message = make_message(text=TEXT)
    sign_in(client, "viewer")
    whole = get_page(client, message)
    assert "+86 139 •••• 5678" in whole
    assert "number hidden, ends in 5678" in whole
    assert f"{len(TEXT)} characters" in whole


def test_sender_sees_the_message_whole_for_half_a_day(client: Client) -> None:
    message = make_message(text=TEXT, by=sign_in(client, "operator"))
    assert "+86 139 1234 5678" in get_page(client, message)
    assert TEXT in get_page(client, message)

    Message.objects.update(typed_at=timezone.now() - timedelta(hours=12))
    assert "139 1234 5678" not in get_page(client, message)
    assert TEXT not in get_page(client, message)


def test_own_code_is_never_shown(client: Client) -> None:
    by = sign_in(client, "manager")
    message = make_message(make_account("haosms"), kind="own_code", by=by)
    assert "482913" not in get_page(client, message)


def test_provider_words_are_escaped(client: Client) -> None:
    message = make_message(
        state="refused", reason="other_refusal", words="<script>x</script>\u202e"
    )
    sign_in(client, "viewer")
    assert "<script>x</script>" not in get_page(client, message)
    assert "&lt;script&gt;x&lt;/script&gt;" in get_page(client, message)


@pytest.mark.parametrize("role", ROLES)
def test_every_state_renders_for_every_role(client: Client, role: str) -> None:
    message = make_message(claimed_at=timezone.now(), answered_at=timezone.now())
    sign_in(client, role)
    answers = {}
    for state in MessageState:
        Message.objects.update(state=state)
        response = client.get(url(message, "live"))
        answers[state] = response.status_code, bool(response.content)
    assert answers == dict.fromkeys(MessageState, (200, True))


@pytest.mark.parametrize("page", ["change", "live"])
def test_missing_message_returns_404(client: Client, page: str) -> None:
    sign_in(client, "viewer")
    assert client.get(f"/messaging/message/nothing/{page}/").status_code == 404


def test_public_id_reveals_neither_number_nor_count() -> None:
    message = make_message()
    assert str(message.pk) != message.public_id
    assert len(message.public_id) >= 16


# --- the live part -----------------------------------------------------------


@pytest.mark.parametrize("state", [s for s in MessageState if MESSAGE_STATES.is_final(s)])
def test_final_state_does_not_poll(client: Client, state: MessageState) -> None:
    message = make_message(state=state)
    sign_in(client, "viewer")
    assert "hx-get" not in get_page(client, message, "live")


@pytest.mark.parametrize("state", ["queued", "claimed", "sending", "submitted", "in_transit"])
def test_open_state_polls_every_two_seconds_at_first(client: Client, state: str) -> None:
    message = make_message(state=state)
    sign_in(client, "viewer")
    assert 'hx-trigger="every 2s' in get_page(client, message, "live")
    Message.objects.update(created_at=timezone.now() - timedelta(seconds=61))
    assert 'hx-trigger="every 5s' in get_page(client, message, "live")


def test_accepted_message_without_reports_does_not_poll(client: Client) -> None:
    message = make_message(make_account("haosms"), kind="own_code", state="submitted")
    sign_in(client, "viewer")
    assert "hx-get" not in get_page(client, message, "live")


def test_live_part_requires_login(client: Client) -> None:
    response = client.get(url(make_message(), "live"))
    assert response.status_code == 401
    assert b"<form" not in response.content


# --- cancelling --------------------------------------------------------------


def test_operator_cancels_a_queued_message(client: Client) -> None:
    message = make_message()
    user = sign_in(client, "operator")
    client.post(url(message, "cancel"))
    assert state_of(message) == "cancelled"
    assert message.ended_by == user
    assert log_text(LogEntry.objects.get()) == "Cancelled"


def test_late_cancel_shows_a_warning(client: Client) -> None:
    message = make_message(state="sending")
    sign_in(client, "operator")
    client.post(url(message, "cancel"))
    assert state_of(message) == "sending"
    assert notices(client, message) == [
        "Too late to cancel: the message has already been submitted to the provider."
    ]


# --- permissions -------------------------------------------------------------

ACTIONS = {
    "cancel": {"operator", "manager"},
    "settle": {"manager"},
    "again": {"manager"},
    "reveal": {"manager"},
}
"""Roles allowed per action on an unknown outcome. Sending it again also takes a manager, since it
decides the outcome."""


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("action", ACTIONS)
def test_each_role_has_only_its_actions(client: Client, action: str, role: str) -> None:
    message = make_message(state="unknown")
    sign_in(client, role)
    form = {"reason": "console", "outcome": "sent", "form_token": "again"}
    status = client.post(url(message, action), form).status_code
    assert (status != 403) == (role in ACTIONS[action])


@pytest.mark.parametrize("action", ACTIONS)
def test_get_of_an_action_changes_nothing(client: Client, action: str) -> None:
    message = make_message(state="unknown")
    sign_in(client, "manager")
    assert client.get(url(message, action)).status_code == 405
    assert state_of(message) == "unknown"


@pytest.mark.parametrize("action", ACTIONS)
def test_action_requires_login(client: Client, action: str) -> None:
    message = make_message(state="unknown")
    assert client.post(url(message, action), {"reason": "console"}).status_code in (302, 401)
    assert state_of(message) == "unknown"
    assert not LogEntry.objects.exists()


@pytest.mark.parametrize("role", ["viewer", "operator", "auditor"])
def test_unknown_outcome_names_who_can_settle_it(client: Client, role: str) -> None:
    message = make_message(state="unknown", reason="timed_out")
    sign_in(client, role)
    live = get_page(client, message, "live")
    assert "A manager can then set the outcome." in live
    assert "data-opens=" not in live


# --- settling ----------------------------------------------------------------


@pytest.mark.parametrize(("outcome", "state"), [("sent", "submitted"), ("not_sent", "not_sent")])
def test_settle_reason_is_stored_as_a_key(client: Client, outcome: str, state: str) -> None:
    message = make_message(state="unknown")
    sign_in(client, "manager")
    client.post(
        url(message, "settle"),
        {"outcome": outcome, "reason": "console"},
        headers={"accept-language": "zh-hans"},
    )
    assert state_of(message) == state
    message.refresh_from_db()
    assert message.settled_because == '{"key": "outcome.console"}'
    logged = json.loads(LogEntry.objects.get().change_message)
    assert logged == {"key": f"message.marked_{outcome}", "reason": {"key": "outcome.console"}}


def test_unknown_outcome_has_no_primary_button(client: Client) -> None:
    message = make_message(state="unknown", reason="timed_out")
    sign_in(client, "manager")
    live = get_page(client, message, "live")
    assert live.count("data-opens=") == 3
    assert "button-primary" not in live


def test_message_settled_as_not_sent_shows_no_charge(client: Client) -> None:
    message = make_message(state="unknown", reason="timed_out")
    sign_in(client, "manager")
    client.post(url(message, "settle"), {"outcome": "not_sent", "reason": "has_not"})
    live = get_page(client, message, "live")
    assert "Nothing was sent and nothing was charged." in live
    assert "Recipient did not receive it" in live
    assert "hx-trigger" not in live


def test_settle_accepts_a_typed_reason(client: Client) -> None:
    message = make_message(state="unknown")
    sign_in(client, "manager")
    client.post(
        url(message, "settle"), {"outcome": "sent", "reason": "other", "other": " rang them\x00 "}
    )
    message.refresh_from_db()
    assert message.settled_because == "rang them"


@pytest.mark.parametrize("act", ["settle", "reveal"])
def test_long_reason_is_refused_in_words_and_not_cut(client: Client, act: str) -> None:
    message = make_message(state="unknown")
    sign_in(client, "manager")
    answer = client.post(
        url(message, act),
        {"outcome": "sent", "reason": "other", "other": "rang " * 60},
        follow=True,
    )
    assert "This may have at most 200 characters; it has 299." in answer.content.decode()
    message.refresh_from_db()
    assert message.state == "unknown"


def test_no_reason_to_settle_is_chosen_beforehand(client: Client) -> None:
    message = make_message(state="unknown")
    sign_in(client, "manager")
    page = client.get(url(message, "change")).content.decode()
    dialog = page.partition('<dialog id="settle-sent"')[2].partition("</dialog>")[0]
    assert dialog.count('type="radio"') == 3
    assert "checked" not in dialog
    assert "required" in dialog
    assert " checked" in page.partition('<dialog id="reveal-dialog"')[2].partition("</dialog>")[0]


def test_settle_without_a_reason_changes_nothing(client: Client) -> None:
    message = make_message(state="unknown")
    sign_in(client, "manager")
    client.post(url(message, "settle"), {"outcome": "sent", "reason": "other", "other": " "})
    assert state_of(message) == "unknown"
    assert notices(client, message) == [
        "No change: choose a reason, or describe it in a few words."
    ]


def test_second_settlement_changes_nothing(client: Client) -> None:
    message = make_message(state="unknown")
    sign_in(client, "manager")
    for outcome in ("sent", "not_sent"):
        client.post(url(message, "settle"), {"outcome": outcome, "reason": "console"})
    assert state_of(message) == "submitted"
    assert notices(client, message)[-1] == "No change: the outcome has already been set."


# --- sending again -----------------------------------------------------------


def send_again(client: Client, message: Message, token: str = "again") -> Any:
    return client.post(url(message, "again"), {"form_token": token})


def test_send_again_redirects_to_the_new_message(client: Client) -> None:
    message = make_message(state="undelivered")
    sign_in(client, "operator")
    response = send_again(client, message)
    new = Message.objects.exclude(pk=message.pk).get()
    assert response["Location"] == url(new)
    assert new.sent_again_from == message


def test_one_dialog_sends_again_once(client: Client) -> None:
    message = make_message(state="undelivered")
    sign_in(client, "operator")
    first, second = send_again(client, message), send_again(client, message)
    assert first["Location"] == second["Location"]
    assert Message.objects.count() == 2


def test_send_again_requires_a_token(client: Client) -> None:
    message = make_message(state="undelivered")
    sign_in(client, "operator")
    send_again(client, message, "")
    assert Message.objects.count() == 1


def test_own_code_cannot_be_sent_again(client: Client) -> None:
    message = make_message(make_account("haosms"), kind="own_code", state="refused")
    sign_in(client, "operator")
    send_again(client, message)
    assert notices(client, message) == ["This message cannot be sent again unchanged."]


# --- revealing ---------------------------------------------------------------


def reveal(client: Client, message: Message, **form: str) -> Any:
    return client.post(url(message, "reveal"), form)


def test_reveal_shows_the_message_and_logs_the_reason(client: Client) -> None:
    message = make_message(text=TEXT)
    user = sign_in(client, "manager")
    response = reveal(client, message, reason="complaint")
    assert "+86 139 1234 5678" in response.content.decode()
    assert TEXT in response.content.decode()
    entry = LogEntry.objects.get()
    assert (log_text(entry), entry.user) == ("Revealed: Complaint", user)


def test_reveal_without_a_reason_shows_and_logs_nothing(client: Client) -> None:
    message = make_message(text=TEXT)
    sign_in(client, "manager")
    response = reveal(client, message, reason="other", other="  ")
    assert "12345678" not in response.content.decode().replace(" ", "")
    assert TEXT not in response.content.decode()
    assert not LogEntry.objects.exists()


def test_revealed_page_is_not_cached(client: Client) -> None:
    sign_in(client, "manager")
    response = reveal(client, make_message(), reason="check")
    assert "no-store" in response["Cache-Control"]


def test_log_holds_nothing_of_the_revealed_message(client: Client) -> None:
    message = make_message(text=TEXT)
    sign_in(client, "manager")
    reveal(client, message, reason="check")
    entry = LogEntry.objects.get()
    logged = f"{entry.object_repr} {entry.change_message}"
    assert "5678" not in logged
    assert TEXT not in logged
