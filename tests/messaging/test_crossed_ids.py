"""Ids of a provider that name two messages."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from messaging import apply_report
from messaging.crossed_ids import flag_shared_ids, is_crossed, reports_of_others, twins_of
from messaging.engine.apply_outcome import apply_submissions
from messaging.models import Message, Report
from providers.callbacks.process import process_due
from providers.events import Effect, Match, ReceivedEvent
from providers.gateway.events import DeliveryReported, Unrecognised, VerificationReported
from providers.gateway.vocabulary import DeliveryState, Submission
from providers.models import Account, Callback
from tests.factories.accounts import make_account
from tests.factories.messages import make_message
from tests.providers.callbacks.pushes import push_json

pytestmark = pytest.mark.django_db


@pytest.fixture
def account() -> Account:
    return make_account(provider="haorui")


def two_messages(account: Account, **fields: Any) -> tuple[Message, Message]:
    first = make_message(account, state="submitted", provider_id="1", **fields)
    second = make_message(account, state="submitted", provider_id="2", **fields)
    return first, second


def received(account: Account, reference: str, provider_id: str) -> ReceivedEvent:
    delivered = DeliveryReported(reference, provider_id, "", state=DeliveryState.DELIVERED)
    return ReceivedEvent(account, delivered, timezone.now())


def statements(queries: Any) -> list[str]:
    return [query["sql"] for query in queries.captured_queries]


# --- one report, two messages ------------------------------------------------------------


def test_report_of_two_messages_is_applied_to_our_reference_and_flagged_on_both(
    account: Account,
) -> None:
    first, second = two_messages(account)
    match = apply_report.on_delivery(received(account, first.reference, "2"))
    assert match == Match(
        f"message:{first.pk}",
        Effect.CONFLICT,
        "reference",
        other=f"message:{second.pk}",
        problem="two_subjects",
    )
    first.refresh_from_db()
    second.refresh_from_db()
    assert (first.state, first.conflict, first.provider_id) == ("delivered", True, "1")
    assert (second.state, second.conflict) == ("submitted", True)
    assert reports_of_others(first) == [second]
    assert reports_of_others(second) == [first]
    assert is_crossed(first)
    assert is_crossed(second)


def test_id_of_another_message_is_not_taken_over(account: Account) -> None:
    first, second = two_messages(account)
    Message.objects.filter(pk=first.pk).update(provider_id="", state="sending")
    apply_report.on_delivery(received(account, first.reference, second.provider_id))
    first.refresh_from_db()
    assert (first.provider_id, first.state) == ("", "delivered")


def test_later_report_keeps_the_flag(account: Account) -> None:
    first, _ = two_messages(account)
    apply_report.on_delivery(received(account, first.reference, "2"))
    apply_report.on_delivery(received(account, first.reference, "1"))
    first.refresh_from_db()
    assert first.conflict


@pytest.mark.parametrize("provider_id", ["1", "", "77"])
def test_report_whose_ids_do_not_name_two_messages_is_no_conflict(
    account: Account, provider_id: str
) -> None:
    first, second = two_messages(account)
    match = apply_report.on_delivery(received(account, first.reference, provider_id))
    assert match == Match(f"message:{first.pk}", Effect.APPLIED, "reference")
    second.refresh_from_db()
    assert not second.conflict


def test_id_of_another_account_names_nothing(account: Account) -> None:
    first, _ = two_messages(account)
    make_message(make_account(provider="haorui"), state="submitted", provider_id="77")
    match = apply_report.on_delivery(received(account, first.reference, "77"))
    assert match is not None
    assert match.effect == Effect.APPLIED


def test_other_reports_of_two_messages_are_flagged_as_well(account: Account) -> None:
    first, second = two_messages(account)
    verified = VerificationReported(first.reference, "2", "", succeeded=False)
    match = apply_report.on_verification(ReceivedEvent(account, verified, timezone.now()))
    assert match is not None
    assert (match.effect, match.other) == (Effect.CONFLICT, f"message:{second.pk}")
    unread = Unrecognised(second.reference, "1", "?", problem="unknown_word")
    match = apply_report.on_unrecognised(ReceivedEvent(account, unread, timezone.now()))
    assert match is not None
    assert (match.effect, match.other) == (Effect.CONFLICT, f"message:{first.pk}")


def test_callback_of_two_messages_says_so_on_its_page(account: Account) -> None:
    first, _ = two_messages(account)
    push_json(account, {"uid": first.reference, "message_id": 2, "DLRStatus": "Delivered"})
    process_due()
    callback = Callback.objects.get()
    assert (callback.state, callback.problem) == ("conflict", "two_subjects")


# --- the second id comes after the report -------------------------------------------------


def refreshed(*messages: Message) -> list[tuple[str, bool, str]]:
    for one in messages:
        one.refresh_from_db()
    return [(one.state, one.conflict, one.provider_id) for one in messages]


def test_id_that_becomes_that_of_another_message_is_flagged_on_both(account: Account) -> None:
    first, second = two_messages(account)
    apply_report.on_delivery(received(account, first.reference, "77"))
    assert refreshed(first, second) == [("delivered", False, "1"), ("submitted", False, "2")]
    submit(second, provider_id="77")
    assert refreshed(first, second) == [("delivered", True, "1"), ("submitted", True, "77")]
    assert reports_of_others(first) == [second]
    assert reports_of_others(second) == [first]


def test_id_of_a_report_before_our_answer_is_remembered(account: Account) -> None:
    first, second = two_messages(account)
    Message.objects.filter(pk=first.pk).update(provider_id="", state="sending")
    apply_report.on_delivery(received(account, first.reference, "77"))
    apply_submissions([(first.pk, Submission("1", "", ()))])
    assert refreshed(first) == [("delivered", False, "1")]
    submit(second, provider_id="77")
    assert refreshed(first, second) == [("delivered", True, "1"), ("submitted", True, "77")]


def test_two_reports_with_one_unknown_id_are_flagged(account: Account) -> None:
    first, second = two_messages(account)
    apply_report.on_unrecognised(
        ReceivedEvent(account, Unrecognised(first.reference, "77", "?"), timezone.now())
    )
    match = apply_report.on_delivery(received(account, second.reference, "77"))
    assert match is not None
    assert (match.effect, match.other) == (Effect.CONFLICT, f"message:{first.pk}")
    assert [conflict for _, conflict, _ in refreshed(first, second)] == [True, True]


def test_id_of_the_same_message_or_of_another_account_is_no_conflict(account: Account) -> None:
    first, _ = two_messages(account)
    Message.objects.filter(pk=first.pk).update(provider_id="", state="sending")
    apply_report.on_delivery(received(account, first.reference, "77"))
    apply_submissions([(first.pk, Submission("77", "", ()))])
    stranger, _ = two_messages(make_account(provider="haorui"))
    submit(stranger, provider_id="77")
    assert [conflict for _, conflict, _ in refreshed(first, stranger)] == [False, False]


# --- two sends, one id ---------------------------------------------------------------------


def submit(*messages: Message, provider_id: str = "26471304", warnings: Any = ()) -> None:
    Message.objects.filter(pk__in=[one.pk for one in messages]).update(state="sending")
    answers = [(one.pk, Submission(provider_id, "", tuple(warnings))) for one in messages]
    apply_submissions(answers)
    for one in messages:
        one.refresh_from_db()


def test_two_sends_with_one_id_are_kept_and_flagged_on_both(account: Account) -> None:
    first, second = two_messages(account)
    submit(first)
    assert not first.conflict
    submit(second)
    first.refresh_from_db()
    assert (first.state, first.conflict, first.provider_id) == ("submitted", True, "26471304")
    assert (second.state, second.conflict, second.provider_id) == ("submitted", True, "26471304")
    assert twins_of(first) == [second]
    assert twins_of(second) == [first]


def test_two_sends_of_one_round_with_one_id_are_flagged(account: Account) -> None:
    first, second = two_messages(account)
    submit(first, second)
    assert (first.conflict, second.conflict) == (True, True)


def test_provider_that_gives_every_message_one_id_costs_one_update_a_round(
    account: Account, django_assert_max_num_queries: Any
) -> None:
    flagged = [make_message(account, state="submitted", provider_id="7") for _ in range(5)]
    flag_shared_ids([message.pk for message in flagged])
    latest = [make_message(account, state="submitted", provider_id="7") for _ in range(20)]
    with django_assert_max_num_queries(3) as queries:
        flag_shared_ids([message.pk for message in latest])
    assert not Message.objects.filter(conflict=False).exists()
    assert [sql for sql in statements(queries) if sql.startswith("UPDATE")]
    with django_assert_max_num_queries(3) as queries:
        flag_shared_ids([message.pk for message in latest])
    (update,) = [sql for sql in statements(queries) if sql.startswith("UPDATE")]
    assert 'NOT "messaging_message"."conflict"' in update


def test_placeholder_that_two_sends_were_answered_with_is_no_id() -> None:
    first, second = two_messages(make_account(provider="otpservice"))
    submit(first, second, provider_id="0", warnings=["no_id"])
    assert (first.conflict, second.conflict) == (False, False)
    assert twins_of(first) == []


def test_same_id_of_two_accounts_is_no_conflict(account: Account) -> None:
    first, _ = two_messages(account)
    other, _ = two_messages(make_account(provider="haorui"))
    submit(first)
    submit(other)
    first.refresh_from_db()
    assert (first.conflict, other.conflict) == (False, False)


def test_report_with_the_shared_id_alone_says_why_it_is_unmatched(account: Account) -> None:
    submit(*two_messages(account))
    push_json(account, {"message_id": 26471304, "DLRStatus": "Delivered"})
    process_due()
    callback = Callback.objects.get()
    assert (callback.state, callback.problem) == ("unmatched", "shared_id")
    assert not Report.objects.exists()


def test_pages_of_both_messages_name_each_other(account: Account, admin_client: Client) -> None:
    first, second = two_messages(account)
    submit(first, second)
    for one, other in ((first, second), (second, first)):
        page = admin_client.get(reverse("admin:messaging_message_change", args=[one.public_id]))
        html = page.content.decode()
        assert "to other messages as well" in html
        assert f"/{other.public_id}/" in html
