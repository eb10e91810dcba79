"""Applying a provider's reports to messages."""

from __future__ import annotations

from datetime import timedelta
from itertools import count, pairwise
from typing import Any
from uuid import uuid4

import pytest
from django.db import transaction
from django.utils import timezone

from messaging import apply_report, listeners
from messaging.engine import apply_outcome
from messaging.engine.source import MessageSource
from messaging.models import Message, Report
from messaging.states import MESSAGE_STATES, REPORTS, MessageState
from providers.events import Effect, Match, ReceivedEvent
from providers.gateway.errors import OutcomeUnknown, Refused
from providers.gateway.events import DeliveryReported, Unrecognised, VerificationReported
from providers.gateway.vocabulary import DeliveryState, Reason, Submission
from providers.models import Callback
from tests.factories.accounts import make_account
from tests.factories.messages import make_message

pytestmark = pytest.mark.django_db

D = DeliveryState
S = MessageState
MAY_HAVE_LEFT = ["sending", "submitted", "unknown", "not_sent"]
"""States of a message that may have reached the provider."""
_minutes = count(1)


def report(message: Message, state: DeliveryState, **about: Any) -> Match | None:
    """Apply a delivery report for this message, a minute after the previous one."""
    fields = {"reference": message.reference, "provider_id": "", "words": state.value, **about}
    account = fields.pop("account", message.account)
    at = timezone.now() + timedelta(minutes=next(_minutes))
    match = apply_report.on_delivery(
        ReceivedEvent(account, DeliveryReported(**fields, state=state), at)
    )
    message.refresh_from_db()
    return match


# --- matching ------------------------------------------------------------------------


def test_report_matches_by_our_reference() -> None:
    message = make_message(state="submitted")
    match = report(message, D.DELIVERED)
    assert match == Match(f"message:{message.pk}", Effect.APPLIED, "reference")


def test_report_with_neither_reference_nor_provider_id_matches_nothing() -> None:
    message = make_message(state="submitted", provider_id="26471304")
    assert report(message, D.DELIVERED, reference="", provider_id="") is None
    assert message.state == "submitted"


def test_report_without_our_reference_matches_by_provider_id() -> None:
    message = make_message(state="submitted", provider_id="26471304")
    match = report(message, D.DELIVERED, reference="", provider_id="26471304")
    assert match is not None
    assert (match.matched_by, message.state) == ("provider_id", "delivered")


def test_reference_in_another_format_falls_back_to_the_provider_id() -> None:
    message = make_message(state="submitted", provider_id="26471304")
    assert report(message, D.DELIVERED, reference="0", provider_id="26471304")


def test_unknown_reference_in_our_format_matches_nothing() -> None:
    message = make_message(state="submitted", provider_id="26471304")
    assert not report(message, D.DELIVERED, reference="f" * 32, provider_id="26471304")
    assert message.state == "submitted"


def test_report_of_another_account_matches_nothing() -> None:
    message = make_message(state="submitted", provider_id="26471304")
    other = make_account("haorui")
    assert not report(message, D.DELIVERED, account=other)
    assert not report(message, D.DELIVERED, account=other, reference="", provider_id="26471304")
    assert message.state == "submitted"


def test_unknown_provider_id_matches_nothing() -> None:
    message = make_message(state="submitted", provider_id="26471304")
    assert not report(message, D.DELIVERED, reference="", provider_id="26471305")
    assert message.state == "submitted"


def test_provider_id_of_two_messages_matches_neither() -> None:
    account = make_account()
    one, _ = [make_message(account, state="submitted", provider_id="26471304") for _ in range(2)]
    match = report(one, D.DELIVERED, reference="", provider_id="26471304")
    assert match == Match("", Effect.AMBIGUOUS, "provider_id", problem="shared_id")
    assert one.state == "submitted"


def test_unknown_reference_of_ours_matches_no_provider_id() -> None:
    account = make_account()
    one, _ = [make_message(account, state="submitted", provider_id="26471304") for _ in range(2)]
    assert report(one, D.DELIVERED, reference="f" * 32, provider_id="26471304") is None


def test_report_fills_in_a_missing_provider_id() -> None:
    message = make_message(state="unknown")
    report(message, D.DELIVERED, provider_id="26471304")
    assert message.provider_id == "26471304"


# --- state moves -----------------------------------------------------------------------


@pytest.mark.parametrize("state", MAY_HAVE_LEFT)
@pytest.mark.parametrize("reported", list(D))
def test_report_moves_a_message_that_may_have_left(state: str, reported: DeliveryState) -> None:
    message = make_message(state=state)
    report(message, reported)
    assert message.state == apply_report.STATE_OF[reported]
    assert not message.conflict


@pytest.mark.parametrize("reported", list(D))
@pytest.mark.parametrize("state", list(S))
def test_report_obeys_the_state_table_and_records_conflicts(
    state: MessageState, reported: DeliveryState
) -> None:
    message = make_message(state="submitted")
    if state in apply_report.STATE_OF.values():
        report(message, next(word for word in D if apply_report.STATE_OF[word] == state))
    change = Message.objects.filter(pk=message.pk)
    change.update(state=state)
    match = report(message, reported)
    target = apply_report.STATE_OF[reported]
    allowed = target in MESSAGE_STATES.moves[state]
    assert message.state == (target if allowed else state)
    assert match is not None
    # A report of a message that never left, or a second final report, is a conflict. A weaker
    # report is only late.
    never_left = state in apply_report.NOT_YET_SENT | apply_report.ENDED_UNSENT
    never_left &= not (state == S.REFUSED and reported in apply_report.FAILURES)
    second_end = reported in apply_report.FINAL and state in S_FINAL and target != state
    assert message.conflict == (never_left or second_end)


S_FINAL = {apply_report.STATE_OF[word] for word in apply_report.FINAL}


@pytest.mark.parametrize("weaker", [D.SUBMITTED, D.UNKNOWN_REPORT, D.IN_TRANSIT])
def test_weaker_late_report_changes_nothing(weaker: DeliveryState) -> None:
    message = make_message(state="submitted")
    report(message, D.UNDELIVERED)
    match = report(message, weaker)
    assert match is not None
    assert (message.state, message.conflict) == ("undelivered", False)
    assert match.effect == Effect.APPLIED


@pytest.mark.parametrize("order", [(D.DELIVERED, D.UNDELIVERED), (D.UNDELIVERED, D.DELIVERED)])
def test_delivered_outranks_other_reports_with_a_conflict(
    order: tuple[DeliveryState, DeliveryState],
) -> None:
    message = make_message(state="submitted")
    effects = [match.effect for reported in order if (match := report(message, reported))]
    assert (message.state, message.conflict) == ("delivered", True)
    assert (effects[-1] == Effect.CONFLICT) == (order[-1] != D.DELIVERED)


@pytest.mark.parametrize("reported", [D.DELIVERED, D.UNDELIVERED, D.SUBMITTED])
def test_report_of_a_cancelled_message_is_a_conflict(reported: DeliveryState) -> None:
    message = make_message(state="cancelled")
    match = report(message, reported)
    assert match is not None
    assert (message.state, message.conflict, match.effect) == ("cancelled", True, Effect.CONFLICT)


@pytest.mark.parametrize("state", sorted(apply_report.NOT_YET_SENT))
@pytest.mark.parametrize("reported", [D.SUBMITTED, D.IN_TRANSIT, D.DELIVERED])
def test_reported_pending_message_is_not_sent_again(
    state: MessageState, reported: DeliveryState
) -> None:
    message = make_message(state=state)
    match = report(message, reported)
    assert match is not None
    assert (message.state, message.conflict) == (apply_report.STATE_OF[reported], True)
    assert match.effect == Effect.CONFLICT
    assert not MessageSource().accounts_with_work([message.account_id])


def test_report_after_the_claim_stops_the_call() -> None:
    message, claim = make_message(), uuid4()
    with transaction.atomic():
        jobs = MessageSource().claim(message.account, 5, claim)
    report(message, D.DELIVERED)
    with transaction.atomic():
        assert not MessageSource().mark_in_flight(jobs, claim)


@pytest.mark.parametrize(("reported", "conflict"), [(D.DELIVERED, True), (D.UNDELIVERED, False)])
def test_only_a_success_report_conflicts_with_a_refusal(
    reported: DeliveryState, conflict: bool
) -> None:
    message = make_message(state="refused")
    match = report(message, reported)
    assert match is not None
    assert (message.state, message.conflict) == ("refused", conflict)
    assert (match.effect == Effect.CONFLICT) == conflict


def test_report_wipes_the_code() -> None:
    message = make_message(make_account("haosms"), kind="own_code", state="unknown")
    report(message, D.IN_TRANSIT)
    assert not message.code


def test_every_delivery_state_is_in_the_order_of_reports() -> None:
    assert set(apply_report.ORDER) == set(D)
    ranked = [
        apply_report.STATE_OF[state] for state in apply_report.ORDER if state in apply_report.FINAL
    ]
    for weaker, stronger in pairwise(ranked):
        assert stronger in MESSAGE_STATES.moves[weaker]


# --- order of report and answer ----------------------------------------------------------


def test_answer_after_a_report_fills_in_missing_values() -> None:
    message = make_message(state="sending")
    report(message, D.DELIVERED)
    apply_outcome.apply_submissions([(message.pk, Submission("26471304", "Submitted"))])
    message.refresh_from_db()
    assert (message.state, message.provider_id) == ("delivered", "26471304")
    assert message.answered_at is not None


def test_answer_without_an_id_keeps_the_reported_id() -> None:
    message = make_message(state="sending")
    report(message, D.DELIVERED, provider_id="26471304")
    apply_outcome.apply_submissions([(message.pk, Submission(""))])
    message.refresh_from_db()
    assert message.provider_id == "26471304"


def test_report_without_news_still_sets_its_time() -> None:
    message = make_message(state="submitted")
    report(message, D.UNKNOWN_REPORT)
    assert message.reported_at is not None


def test_report_that_moves_a_message_updates_its_time() -> None:
    message = make_message(state="submitted")
    report(message, D.IN_TRANSIT)
    first = message.reported_at
    assert first is not None
    report(message, D.DELIVERED)
    assert message.reported_at is not None
    assert message.reported_at > first


def test_weaker_late_report_keeps_time_and_id() -> None:
    message = make_message(state="submitted", provider_id="26471304")
    report(message, D.DELIVERED)
    known = message.reported_at
    report(message, D.IN_TRANSIT, provider_id="999")
    assert (message.reported_at, message.provider_id) == (known, "26471304")


def test_weaker_late_report_fills_in_a_missing_id() -> None:
    message = make_message(state="delivered")
    report(message, D.IN_TRANSIT, provider_id="26471304")
    assert (message.state, message.provider_id) == ("delivered", "26471304")


@pytest.mark.parametrize("state", ["submitted", "delivered"])
def test_report_leaves_other_messages_unchanged(state: str) -> None:
    account = make_account()
    message, other = (make_message(account, state=state) for _ in range(2))
    untouched = Message.objects.filter(pk=other.pk).values().get()
    report(message, D.IN_TRANSIT, provider_id="26471304")
    assert Message.objects.filter(pk=other.pk).values().get() == untouched


def test_long_provider_id_is_cut_and_still_matches() -> None:
    message, long_id = make_message(state="unknown"), "9" * 250
    report(message, D.IN_TRANSIT, provider_id=long_id)
    assert message.provider_id == long_id[:200]
    assert report(message, D.DELIVERED, reference="", provider_id=long_id)


def test_known_conflict_is_kept() -> None:
    message = make_message(state="submitted", conflict=True)
    report(message, D.DELIVERED)
    assert message.conflict


@pytest.mark.parametrize("state", ["submitted", "delivered"])
def test_owner_is_notified_whether_the_message_moves_or_not(
    state: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    notified: list[int] = []
    monkeypatch.setattr(listeners, "_listeners", {"shop": notified.extend})
    message = make_message(state=state, belongs_to="shop:1")
    report(message, D.IN_TRANSIT)
    assert notified == [message.pk]


def test_report_matches_our_reference_in_capitals() -> None:
    message = make_message(state="submitted")
    assert report(message, D.DELIVERED, reference=message.reference.upper())


def test_code_check_of_a_refused_message_is_a_conflict() -> None:
    message = make_message(state="refused")
    event = VerificationReported(message.reference, "", "SUCCESS 200", succeeded=True)
    match = apply_report.on_verification(ReceivedEvent(message.account, event, timezone.now()))
    assert match is not None
    assert match.effect == Effect.CONFLICT


@pytest.mark.parametrize("state", ["refused", "cancelled", "not_sent", "delivered", "submitted"])
@pytest.mark.parametrize("succeeded", [True, False])
def test_only_a_successful_check_of_an_unsent_code_is_a_conflict(
    state: str, succeeded: bool
) -> None:
    message = make_message(state=state)
    event = VerificationReported(message.reference, "", "words", succeeded=succeeded)
    match = apply_report.on_verification(ReceivedEvent(message.account, event, timezone.now()))
    conflict = succeeded and state in ("refused", "cancelled", "not_sent")
    effect = Effect.CONFLICT if conflict else Effect.APPLIED
    assert match == Match(f"message:{message.pk}", effect, "reference")
    assert message.reports.get().state == ("succeeded" if succeeded else "failed")


@pytest.mark.parametrize(
    "error", [OutcomeUnknown(Reason.TIMED_OUT), Refused(Reason.OTHER_REFUSAL, words="no")]
)
def test_error_after_a_report_is_kept_beside_it(error: Any) -> None:
    message = make_message(state="sending")
    report(message, D.DELIVERED)
    apply_outcome.apply_error(Message.objects.filter(pk=message.pk), error)
    message.refresh_from_db()
    assert (message.state, message.reason) == ("delivered", error.reason)
    assert message.answered_at is not None


def test_report_after_a_lost_answer_delivers_the_message() -> None:
    message = make_message(state="sending")
    apply_outcome.apply_error(
        Message.objects.filter(pk=message.pk), OutcomeUnknown(Reason.TIMED_OUT)
    )
    report(message, D.DELIVERED)
    assert (message.state, message.reason) == ("delivered", "timed_out")


# --- stored reports -------------------------------------------------------------------------


def test_processing_a_callback_again_keeps_one_report() -> None:
    message = make_message(state="submitted")
    row = Callback.objects.create(account=message.account, digest="d", method="POST")
    event = DeliveryReported(message.reference, "", "Delivered", state=D.DELIVERED)
    for _ in range(3):
        apply_report.on_delivery(ReceivedEvent(message.account, event, row.received_at, row.pk))
    assert message.reports.count() == 1


def test_processing_a_callback_again_replaces_its_report() -> None:
    message = make_message(state="submitted")
    row = Callback.objects.create(account=message.account, digest="d", method="POST")
    unrecognised = Unrecognised(message.reference, "", "Delivrd", problem="unknown_word")
    apply_report.on_unrecognised(
        ReceivedEvent(message.account, unrecognised, row.received_at, row.pk)
    )
    event = DeliveryReported(message.reference, "", "Delivered", state=D.DELIVERED)
    apply_report.on_delivery(ReceivedEvent(message.account, event, row.received_at, row.pk))

    stored = message.reports.get()
    assert (stored.kind, stored.state, stored.words) == ("delivery", "delivered", "Delivered")


def test_each_event_of_a_callback_is_stored() -> None:
    message = make_message(state="submitted")
    row = Callback.objects.create(account=message.account, digest="d", method="POST")
    for position, state in enumerate((D.IN_TRANSIT, D.DELIVERED)):
        event = DeliveryReported(message.reference, "", state.value, state=state)
        apply_report.on_delivery(
            ReceivedEvent(message.account, event, row.received_at, row.pk, position)
        )
    kept = message.reports.order_by("position").values_list("position", "state", "callback")
    assert list(kept) == [(0, "in_transit", row.pk), (1, "delivered", row.pk)]


def test_code_check_result_does_not_rank_among_delivery_reports() -> None:
    message = make_message(state="submitted")
    event = VerificationReported(message.reference, "", "SUCCESS 200", succeeded=True)
    apply_report.on_verification(ReceivedEvent(message.account, event, timezone.now()))
    report(message, D.DELIVERED)
    assert message.state == "delivered"


def test_events_of_another_kind_or_without_a_message_are_not_stored() -> None:
    message = make_message(state="submitted")
    delivery = DeliveryReported(message.reference, "", "Delivered", state=D.DELIVERED)
    check = VerificationReported(message.reference, "", "SUCCESS 200", succeeded=True)
    now = timezone.now()
    assert apply_report.on_delivery(ReceivedEvent(message.account, check, now)) is None
    assert apply_report.on_verification(ReceivedEvent(message.account, delivery, now)) is None
    for handler, kind in (
        (apply_report.on_delivery, DeliveryReported),
        (apply_report.on_verification, VerificationReported),
        (apply_report.on_unrecognised, Unrecognised),
    ):
        assert handler(ReceivedEvent(message.account, kind("f" * 32, "", "words"), now)) is None
    assert not Report.objects.exists()


def test_code_check_result_is_stored_and_moves_nothing() -> None:
    message = make_message(state="submitted")
    event = VerificationReported(message.reference, "", "SUCCESS 200", succeeded=True)
    match = apply_report.on_verification(ReceivedEvent(message.account, event, timezone.now()))
    message.refresh_from_db()
    assert match is not None
    assert message.state == "submitted"
    assert message.reports.get().kind == Report.Kind.VERIFICATION


def test_code_check_result_without_a_message_is_not_stored() -> None:
    message = make_message(state="submitted")
    event = VerificationReported("f" * 32, "", "SUCCESS 200", succeeded=True)
    assert (
        apply_report.on_verification(ReceivedEvent(message.account, event, timezone.now())) is None
    )
    assert not Report.objects.exists()


def test_unrecognised_report_is_stored_beside_its_message() -> None:
    message = make_message(state="submitted")
    event = Unrecognised(message.reference, "", "Teleported", problem="unknown_word")
    match = apply_report.on_unrecognised(ReceivedEvent(message.account, event, timezone.now()))
    message.refresh_from_db()
    stored = message.reports.get()
    assert match == Match(f"message:{message.pk}", Effect.APPLIED, "reference")
    assert message.state == "submitted"
    assert (stored.kind, stored.state, stored.words) == ("unrecognised", "", "Teleported")


def test_check_and_unrecognised_report_match_by_provider_id() -> None:
    message, now = make_message(state="submitted", provider_id="26471304"), timezone.now()
    by_id = Match(f"message:{message.pk}", Effect.APPLIED, "provider_id")
    unrecognised = Unrecognised("", "26471304", "Teleported", problem="unknown_word")
    assert apply_report.on_unrecognised(ReceivedEvent(message.account, unrecognised, now)) == by_id
    check = VerificationReported("", "26471304", "SUCCESS 200", succeeded=True)
    assert apply_report.on_verification(ReceivedEvent(message.account, check, now)) == by_id


def test_words_with_unstorable_characters_are_escaped() -> None:
    message = make_message(state="submitted")
    with transaction.atomic():
        report(message, D.DELIVERED, words="\x00 \ud800", provider_id="\x00")
    assert message.reports.get().words == "␀ \\ud800"


def test_final_reports_and_failures_are_as_listed() -> None:
    assert {str(word) for word in apply_report.FINAL} == {
        "expired",
        "undelivered",
        "rejected",
        "delivered",
    }
    assert {str(word) for word in apply_report.FAILURES} == {"expired", "undelivered", "rejected"}


def test_states_that_a_report_contradicts_are_as_listed() -> None:
    assert {str(state) for state in apply_report.NOT_YET_SENT} == {
        "scheduled",
        "held",
        "queued",
        "claimed",
    }
    assert {str(state) for state in apply_report.ENDED_UNSENT} == {"cancelled", "refused"}


def test_final_reports_map_to_report_states() -> None:
    assert {apply_report.STATE_OF[state] for state in apply_report.FINAL} < REPORTS
