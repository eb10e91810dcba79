"""Single messages on hold: what becomes of each state, releasing, discarding, and reports."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from core.money_lines import MoneyLine
from messaging import do_not_send, queue_message
from messaging.models import Message
from messaging.on_hold import is_on_hold, on_hold
from messaging.presentation.explanations import explanation_of
from messaging.presentation.labels import shown_state, where_shown
from messaging.presentation.timeline import timeline
from messaging.states import MessageState
from providers import events
from providers.gateway.events import DeliveryReported
from providers.gateway.vocabulary import DeliveryState
from providers.models import Account, Hold
from tests.factories.accounts import make_account
from tests.factories.messages import make_message
from tests.factories.staff import make_user
from tests.support.holds import begin_hold, claim_all, holdable
from tests.support.threads import at_once

pytestmark = pytest.mark.django_db

S = MessageState
WAITING = ("queued", "claimed", "scheduled", "held")
GROUP = "messages"


def held_message(account: Account | None = None, **fields: Any) -> Message:
    message = make_message(account, **fields)
    begin_hold()
    message.refresh_from_db()
    return message


def group_of(message: Message) -> str:
    return f"messages:{message.account_id}"


def release(message: Message, rows: list[int] | None = None) -> int:
    assert message.hold is not None
    return holdable(GROUP).release(message.hold, group_of(message), rows, None)


def discard(message: Message, rows: list[int] | None = None) -> int:
    assert message.hold is not None
    by = make_user()
    return holdable(GROUP).discard(message.hold, group_of(message), rows, by, "Known as sent")


def report(message: Message, state: DeliveryState) -> list[events.Match]:
    event = DeliveryReported(reference=message.reference, provider_id="", words="", state=state)
    return events.publish(events.ReceivedEvent(message.account, event, timezone.now()))


# --- after the release ---------------------------------------------------------------


def end_by_cancel(message: Message) -> None:
    assert queue_message.cancel(message, make_user())


def end_by_list(message: Message) -> None:
    do_not_send.add(message.recipient, "Asked for it", make_user())


@pytest.mark.parametrize("end", [end_by_cancel, end_by_list])
def test_released_message_that_is_not_sent_ends_unknown(end: Callable[[Message], None]) -> None:
    message = held_message()
    assert release(message) == 1
    end(message)
    message.refresh_from_db()
    assert (message.state, message.reason) == ("unknown", "from_before")
    assert explanation_of(message).money == MoneyLine.UNKNOWN


@pytest.mark.parametrize("state", ["refused", "not_sent"])
def test_released_message_that_is_refused_may_have_been_sent_before(state: str) -> None:
    message = held_message()
    assert release(message) == 1
    Message.objects.filter(pk=message.pk).update(
        state=state, reason="invalid_number", answered_at=timezone.now()
    )
    message = Message.objects.get(pk=message.pk)
    explained = explanation_of(message)
    assert explained.money == MoneyLine.UNKNOWN
    assert "may have been sent before the hold" in explained.text


def test_message_written_after_the_hold_ends_cancelled() -> None:
    held_message()
    message = make_message()
    end_by_cancel(message)
    message.refresh_from_db()
    assert message.state == "cancelled"


# --- the hold begins -----------------------------------------------------------------


@pytest.mark.parametrize("state", S)
def test_hold_takes_what_waits_and_nothing_else(state: MessageState) -> None:
    claim: dict[str, Any] = (
        {"claim": uuid4(), "claimed_at": timezone.now()} if state == "claimed" else {}
    )
    message = held_message(state=state, **claim)
    if state in WAITING:
        assert (message.state, message.claim) == ("held", None)
        assert is_on_hold(message)
    else:
        assert message.state == state
        assert not is_on_hold(message)
    assert (message.hold is not None) == (state in (*WAITING, "sending"))
    assert Message.objects.filter(on_hold()).count() == (state in WAITING)


def test_hold_that_is_extended_takes_what_was_queued_since() -> None:
    first = held_message()
    second = make_message(first.account)
    assert first.hold is not None
    assert holdable(GROUP).hold(first.hold) == 1
    second.refresh_from_db()
    assert (second.state, second.hold) == ("held", first.hold)
    assert holdable(GROUP).count_undecided(first.hold) == 2


# --- a decision ----------------------------------------------------------------------


def test_released_message_is_queued_as_if_it_were_new() -> None:
    message = held_message(queued_at=timezone.now() - timedelta(days=2))
    assert claim_all() == []
    assert release(message) == 1
    message.refresh_from_db()
    assert (message.state, message.reason, message.hold) == ("queued", "", None)
    assert timezone.now() - message.queued_at < timedelta(minutes=1)
    assert [job.row_id for job in claim_all()] == [message.pk]
    assert release_again(message) == 0


def release_again(message: Message) -> int:
    hold = Hold.objects.get()
    return holdable(GROUP).release(hold, group_of(message), None, None)


def test_message_for_later_is_released_for_that_time() -> None:
    later = timezone.now() + timedelta(hours=2)
    message = held_message(state="scheduled", not_before=later)
    assert release(message) == 1
    message.refresh_from_db()
    assert (message.state, message.not_before, message.queued_at) == ("queued", later, later)
    assert claim_all() == []


def test_choice_releases_no_other_row() -> None:
    one = make_message()
    other = held_message(one.account)
    assert release(other, [other.pk]) == 1
    one.refresh_from_db()
    assert one.state == "held"


@pytest.mark.parametrize("group", ["messages:", "messages:x", "codes:1", "messages:999999", ""])
def test_unknown_group_changes_nothing(group: str) -> None:
    message = held_message()
    assert message.hold is not None
    assert holdable(GROUP).release(message.hold, group, None, None) == 0
    assert holdable(GROUP).discard(message.hold, group, None, None, "") == 0
    assert holdable(GROUP).count_undecided(message.hold) == 1


def test_number_on_the_do_not_send_list_stays_on_hold() -> None:
    message = held_message()
    do_not_send.add(message.recipient, "Asked for it", make_user())
    message.refresh_from_db()
    assert message.state == "held", "it may have been sent, so it is not cancelled"
    assert release(message) == 0
    (group,) = holdable(GROUP).groups(Hold.objects.get())
    assert "On the do-not-send list, not sent even if released: 1." in group.facts


def test_country_that_the_account_no_longer_allows_stays_on_hold() -> None:
    message = held_message()
    Account.objects.update(allowed_countries=["ID"])
    assert release(message) == 0
    message.refresh_from_db()
    assert message.state == "held"


def test_discarded_message_ends_unknown_and_keeps_no_code() -> None:
    message = held_message()
    assert discard(message) == 1
    message.refresh_from_db()
    assert (message.state, message.reason) == ("unknown", "from_before")
    assert message.ended_by is not None
    assert claim_all() == []
    assert report(message, DeliveryState.DELIVERED)
    message.refresh_from_db()
    assert (message.state, message.conflict) == ("delivered", False)


@pytest.mark.django_db(transaction=True)
def test_two_managers_decide_each_row_once() -> None:
    account = make_account()
    rows = [make_message(account) for _ in range(20)]
    hold = begin_hold()
    group = f"messages:{account.pk}"
    turns = iter((True, False, True, False))

    def decide() -> int:
        if next(turns):
            return holdable(GROUP).release(hold, group, None, None)
        return holdable(GROUP).discard(hold, group, None, None, "Sent")

    assert sum(at_once(decide, 4)) == 20
    states = set(Message.objects.values_list("state", flat=True))
    assert states <= {"queued", "unknown"}
    assert len(claim_all()) == Message.objects.filter(state="claimed").count() <= len(rows)


# --- reports ---------------------------------------------------------------------------


@pytest.mark.parametrize("state", [DeliveryState.DELIVERED, DeliveryState.SUBMITTED])
def test_report_settles_a_message_on_hold_without_a_conflict(state: DeliveryState) -> None:
    message = held_message()
    (match,) = report(message, state)
    message.refresh_from_db()
    assert (message.state, message.conflict) == (str(state), False)
    assert match.effect == events.Effect.APPLIED
    (group,) = holdable(GROUP).groups(Hold.objects.get())
    assert (group.undecided, group.settled) == (0, 1)
    assert "1 was already sent: a report arrived." in group.facts
    assert "A report shows that it had been sent before." in explanation_of(message).text


# --- what staff can do meanwhile ---------------------------------------------------------


def test_staff_can_neither_release_nor_cancel_it() -> None:
    message = held_message()
    assert not queue_message.release(message)
    assert not queue_message.cancel(message, make_user())
    message.refresh_from_db()
    assert message.state == "held"


@pytest.mark.parametrize("action", ["release", "cancel"])
def test_direct_post_changes_nothing_and_explains_why(client: Client, action: str) -> None:
    message = held_message()
    user = make_user("messaging.view_message", "messaging.send_message", "messaging.cancel_message")
    client.force_login(user)
    url = reverse(f"admin:messaging_message_{action}", args=[message.public_id])
    answer = client.post(url, follow=True)
    assert "this is on hold. A manager decides." in answer.content.decode()
    message.refresh_from_db()
    assert message.state == "held"


def test_page_shows_that_it_is_on_hold_and_offers_neither_button(client: Client) -> None:
    message = held_message()
    client.force_login(
        make_user("messaging.view_message", "messaging.send_message", "messaging.cancel_message")
    )
    url = reverse("admin:messaging_message_change", args=[message.public_id])
    page = client.get(url).content.decode()
    assert "On hold" in page
    assert "It is not known whether this was sent." in page
    assert "Put on hold" in page
    assert "Send it now" not in page
    assert "Cancel message" not in page
    assert "Needs confirmation" not in page


def test_go_ahead_is_still_possible_without_a_hold() -> None:
    message = make_message(state="held", reason="waited_too_long")
    assert shown_state(message) == "held"
    assert queue_message.release(message)


def test_lists_and_filters_agree_with_the_label() -> None:
    held = held_message()
    new = make_message(held.account)
    asked = make_message(held.account, state="held")
    for message in (held, new, asked):
        found = Message.objects.filter(where_shown(shown_state(message)))
        assert list(found) == [message]
    assert shown_state(held) == "on_hold"


def test_group_names_the_senders_and_what_needed_a_go_ahead() -> None:
    account = make_account()
    li, ana = make_user(), make_user()
    for by, state in ((li, "queued"), (li, "held"), (ana, "queued")):
        reason = "waited_too_long" if state == "held" else ""
        make_message(account, by=by, state=state, reason=reason)
    hold = begin_hold()
    (group,) = holdable(GROUP).groups(hold)
    assert group.key == f"messages:{account.pk}"
    assert group.account == f"{account.name}, 2 people"
    assert f"Ask the senders: {li.username} 2, {ana.username} 1." in group.facts
    assert "Already needed confirmation: 1." in group.facts
    assert (group.undecided, group.settled, group.may_send) == (3, 0, True)
    rows = holdable(GROUP).rows(hold, group.key, 0, 2)
    assert len(rows) == 2
    assert len(holdable(GROUP).rows(hold, group.key, rows[-1].pk, 2)) == 1
    assert all("13912345678" not in str(row.title).replace(" ", "") for row in rows), "masked"


def test_timeline_shows_the_decision() -> None:
    message = held_message()
    discard(message)
    message.refresh_from_db()
    texts = [line.text for line in timeline(message, with_calls=False)]
    assert "Put on hold" in texts
    assert any("whether it was sent before is not known" in text for text in texts)
    assert not any("Given up" in text for text in texts)
