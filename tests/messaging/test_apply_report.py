"""What a provider reports about a message, and what is made of it."""

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
OUT = ["sending", "submitted", "unknown", "not_sent"]
"""States of a message that may have reached the provider."""
_minutes = count(1)


def tell(message: Message, state: DeliveryState, **about: Any) -> Match | None:
    """A report of this message, a minute after the one before."""
    fields = {"reference": message.reference, "provider_id": "", "words": state.value, **about}
    account = fields.pop("account", message.account)
    at = timezone.now() + timedelta(minutes=next(_minutes))
    heard = apply_report.on_delivery(
        ReceivedEvent(account, DeliveryReported(**fields, state=state), at)
    )
    message.refresh_from_db()
    return heard


# --- which message is meant ----------------------------------------------------------


def test_our_reference_finds_it() -> None:
    message = make_message(state="submitted")
    heard = tell(message, D.DELIVERED)
    assert heard == Match(f"message:{message.pk}", Effect.APPLIED, "reference")


def test_without_our_reference_the_providers_id_finds_it() -> None:
    message = make_message(state="submitted", provider_id="26471304")
    heard = tell(message, D.DELIVERED, reference="", provider_id="26471304")
    assert heard is not None
    assert (heard.matched_by, message.state) == ("provider_id", "delivered")


def test_a_reference_that_is_not_of_our_making_leaves_the_word_to_the_id() -> None:
    message = make_message(state="submitted", provider_id="26471304")
    assert tell(message, D.DELIVERED, reference="0", provider_id="26471304")


def test_somebody_elses_reference_is_not_overruled_by_an_id() -> None:
    message = make_message(state="submitted", provider_id="26471304")
    assert not tell(message, D.DELIVERED, reference="f" * 32, provider_id="26471304")
    assert message.state == "submitted"


def test_one_accounts_report_moves_no_message_of_another() -> None:
    message = make_message(state="submitted", provider_id="26471304")
    other = make_account("haorui")
    assert not tell(message, D.DELIVERED, account=other)
    assert not tell(message, D.DELIVERED, account=other, reference="", provider_id="26471304")
    assert message.state == "submitted"


def test_id_that_no_message_has_finds_none() -> None:
    message = make_message(state="submitted", provider_id="26471304")
    assert not tell(message, D.DELIVERED, reference="", provider_id="26471305")
    assert message.state == "submitted"


def test_an_id_that_two_messages_have_finds_neither() -> None:
    account = make_account()
    one, _ = [make_message(account, state="submitted", provider_id="26471304") for _ in range(2)]
    assert not tell(one, D.DELIVERED, reference="", provider_id="26471304")


def test_a_report_brings_the_providers_id_where_it_is_not_known_yet() -> None:
    message = make_message(state="unknown")
    tell(message, D.DELIVERED, provider_id="26471304")
    assert message.provider_id == "26471304"


# --- what moves ------------------------------------------------------------------------


@pytest.mark.parametrize("before", OUT)
@pytest.mark.parametrize("told", list(D))
def test_a_report_moves_whatever_may_have_gone_out(before: str, told: DeliveryState) -> None:
    message = make_message(state=before)
    tell(message, told)
    assert message.state == apply_report.STATE_OF[told]
    assert not message.conflict


@pytest.mark.parametrize("told", list(D))
@pytest.mark.parametrize("before", list(S))
def test_no_report_moves_a_message_past_its_table_and_a_contradiction_is_kept(
    before: MessageState, told: DeliveryState
) -> None:
    message = make_message(state="submitted")
    if before in apply_report.STATE_OF.values():
        tell(message, next(word for word in D if apply_report.STATE_OF[word] == before))
    change = Message.objects.filter(pk=message.pk)
    change.update(state=before)
    heard = tell(message, told)
    target = apply_report.STATE_OF[told]
    allowed = target in MESSAGE_STATES.moves[before]
    assert message.state == (target if allowed else before)
    assert heard is not None
    # A report that never left, or a second last word, does not fit. A lesser one is only late.
    never_left = before in apply_report.WAITS | apply_report.NOT_OUT
    never_left &= not (before == S.REFUSED and told in apply_report.FAILURES)
    second_end = told in apply_report.FINAL and before in S_FINAL and target != before
    assert message.conflict == (never_left or second_end)


S_FINAL = {apply_report.STATE_OF[word] for word in apply_report.FINAL}


@pytest.mark.parametrize("weaker", [D.SUBMITTED, D.UNKNOWN_REPORT, D.IN_TRANSIT])
def test_a_late_lesser_report_changes_nothing(weaker: DeliveryState) -> None:
    message = make_message(state="submitted")
    tell(message, D.UNDELIVERED)
    tell(message, weaker)
    assert (message.state, message.conflict) == ("undelivered", False)


@pytest.mark.parametrize("order", [(D.DELIVERED, D.UNDELIVERED), (D.UNDELIVERED, D.DELIVERED)])
def test_delivered_stands_against_any_other_word_and_the_conflict_shows(
    order: tuple[DeliveryState, DeliveryState],
) -> None:
    message = make_message(state="submitted")
    effects = [heard.effect for told in order if (heard := tell(message, told))]
    assert (message.state, message.conflict) == ("delivered", True)
    assert (effects[-1] == Effect.CONFLICT) == (order[-1] != D.DELIVERED)


def test_what_was_cancelled_is_left_where_it_is_and_the_contradiction_shows() -> None:
    message = make_message(state="cancelled")
    heard = tell(message, D.DELIVERED)
    assert heard is not None
    assert (message.state, message.conflict, heard.effect) == ("cancelled", True, Effect.CONFLICT)


@pytest.mark.parametrize("before", sorted(apply_report.WAITS))
@pytest.mark.parametrize("told", [D.SUBMITTED, D.IN_TRANSIT, D.DELIVERED])
def test_what_was_reported_is_never_sent_again_whatever_we_believed(
    before: MessageState, told: DeliveryState
) -> None:
    message = make_message(state=before)
    heard = tell(message, told)
    assert heard is not None
    assert (message.state, message.conflict) == (apply_report.STATE_OF[told], True)
    assert heard.effect == Effect.CONFLICT
    assert not MessageSource().accounts_with_work([message.account_id])


def test_a_report_between_claim_and_hand_over_stops_the_call() -> None:
    message, claim = make_message(), uuid4()
    with transaction.atomic():
        jobs = MessageSource().claim(message.account, 5, claim)
    tell(message, D.DELIVERED)
    with transaction.atomic():
        assert not MessageSource().mark_in_flight(jobs, claim)


@pytest.mark.parametrize(("told", "odd"), [(D.DELIVERED, True), (D.UNDELIVERED, False)])
def test_only_a_good_report_contradicts_a_refusal(told: DeliveryState, odd: bool) -> None:
    message = make_message(state="refused")
    heard = tell(message, told)
    assert heard is not None
    assert (message.state, message.conflict) == ("refused", odd)
    assert (heard.effect == Effect.CONFLICT) == odd


def test_a_code_is_wiped_as_soon_as_a_report_shows_that_it_went_out() -> None:
    message = make_message(make_account("haosms"), kind="own_code", state="unknown")
    tell(message, D.IN_TRANSIT)
    assert not message.code


def test_every_state_has_its_place_in_the_one_order() -> None:
    assert set(apply_report.ORDER) == set(D)
    ranked = [
        apply_report.STATE_OF[state] for state in apply_report.ORDER if state in apply_report.FINAL
    ]
    for weaker, stronger in pairwise(ranked):
        assert stronger in MESSAGE_STATES.moves[weaker]


# --- beside our own call -----------------------------------------------------------------


def test_a_report_before_our_own_answer_stands_and_the_answer_fills_the_gaps() -> None:
    message = make_message(state="sending")
    tell(message, D.DELIVERED)
    apply_outcome.apply_submissions([(message.pk, Submission("26471304", "Submitted"))])
    message.refresh_from_db()
    assert (message.state, message.provider_id) == ("delivered", "26471304")
    assert message.answered_at is not None


def test_an_answer_without_an_id_leaves_the_one_that_a_report_brought() -> None:
    message = make_message(state="sending")
    tell(message, D.DELIVERED, provider_id="26471304")
    apply_outcome.apply_submissions([(message.pk, Submission(""))])
    message.refresh_from_db()
    assert message.provider_id == "26471304"


def test_a_report_that_says_no_more_than_we_know_is_a_report_all_the_same() -> None:
    message = make_message(state="submitted")
    tell(message, D.UNKNOWN_REPORT)
    assert message.reported_at is not None


def test_report_that_moves_a_message_tells_when_it_was_reported() -> None:
    message = make_message(state="submitted")
    tell(message, D.IN_TRANSIT)
    first = message.reported_at
    assert first is not None
    tell(message, D.DELIVERED)
    assert message.reported_at is not None
    assert message.reported_at > first


def test_late_report_changes_neither_the_time_nor_the_id_that_are_known() -> None:
    message = make_message(state="submitted", provider_id="26471304")
    tell(message, D.DELIVERED)
    known = message.reported_at
    tell(message, D.IN_TRANSIT, provider_id="999")
    assert (message.reported_at, message.provider_id) == (known, "26471304")


def test_late_report_brings_an_id_that_was_not_known() -> None:
    message = make_message(state="delivered")
    tell(message, D.IN_TRANSIT, provider_id="26471304")
    assert (message.state, message.provider_id) == ("delivered", "26471304")


@pytest.mark.parametrize("before", ["submitted", "delivered"])
def test_report_leaves_other_messages_alone(before: str) -> None:
    account = make_account()
    message, other = (make_message(account, state=before) for _ in range(2))
    untouched = Message.objects.filter(pk=other.pk).values().get()
    tell(message, D.IN_TRANSIT, provider_id="26471304")
    assert Message.objects.filter(pk=other.pk).values().get() == untouched


def test_id_of_any_length_is_kept_as_far_as_the_column_goes_and_found_again() -> None:
    message, long_id = make_message(state="unknown"), "9" * 250
    tell(message, D.IN_TRANSIT, provider_id=long_id)
    assert message.provider_id == long_id[:200]
    assert tell(message, D.DELIVERED, reference="", provider_id=long_id)


def test_conflict_that_is_known_stays() -> None:
    message = make_message(state="submitted", conflict=True)
    tell(message, D.DELIVERED)
    assert message.conflict


@pytest.mark.parametrize("before", ["submitted", "delivered"])
def test_owner_of_a_message_is_told_whether_it_moved_or_not(
    before: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[int] = []
    monkeypatch.setattr(listeners, "_listeners", {"shop": told.extend})
    message = make_message(state=before, belongs_to="shop:1")
    tell(message, D.IN_TRANSIT)
    assert told == [message.pk]


def test_our_reference_in_capitals_finds_it() -> None:
    message = make_message(state="submitted")
    assert tell(message, D.DELIVERED, reference=message.reference.upper())


def test_a_check_of_a_code_that_never_went_out_is_a_contradiction() -> None:
    message = make_message(state="refused")
    event = VerificationReported(message.reference, "", "SUCCESS 200", succeeded=True)
    heard = apply_report.on_verification(ReceivedEvent(message.account, event, timezone.now()))
    assert heard is not None
    assert heard.effect == Effect.CONFLICT


@pytest.mark.parametrize("before", ["refused", "cancelled", "not_sent", "delivered", "submitted"])
@pytest.mark.parametrize("succeeded", [True, False])
def test_only_a_successful_check_of_what_never_went_out_is_a_contradiction(
    before: str, succeeded: bool
) -> None:
    message = make_message(state=before)
    event = VerificationReported(message.reference, "", "words", succeeded=succeeded)
    heard = apply_report.on_verification(ReceivedEvent(message.account, event, timezone.now()))
    odd = succeeded and before in ("refused", "cancelled", "not_sent")
    effect = Effect.CONFLICT if odd else Effect.APPLIED
    assert heard == Match(f"message:{message.pk}", effect, "reference")
    assert message.reports.get().state == ("succeeded" if succeeded else "failed")


@pytest.mark.parametrize(
    "error", [OutcomeUnknown(Reason.TIMED_OUT), Refused(Reason.OTHER_REFUSAL, words="no")]
)
def test_an_answer_that_failed_is_kept_beside_a_report_that_came_first(error: Any) -> None:
    message = make_message(state="sending")
    tell(message, D.DELIVERED)
    apply_outcome.apply_error(Message.objects.filter(pk=message.pk), error)
    message.refresh_from_db()
    assert (message.state, message.reason) == ("delivered", error.reason)
    assert message.answered_at is not None


def test_a_lost_answer_before_the_report_comes_to_the_same_end() -> None:
    message = make_message(state="sending")
    apply_outcome.apply_error(
        Message.objects.filter(pk=message.pk), OutcomeUnknown(Reason.TIMED_OUT)
    )
    tell(message, D.DELIVERED)
    assert (message.state, message.reason) == ("delivered", "timed_out")


# --- what is kept ---------------------------------------------------------------------------


def test_reading_the_same_callback_again_keeps_one_report() -> None:
    message = make_message(state="submitted")
    row = Callback.objects.create(account=message.account, digest="d", method="POST")
    event = DeliveryReported(message.reference, "", "Delivered", state=D.DELIVERED)
    for _ in range(3):
        apply_report.on_delivery(ReceivedEvent(message.account, event, row.received_at, row.pk))
    assert message.reports.count() == 1


def test_callback_that_is_read_again_replaces_what_it_left_before() -> None:
    message = make_message(state="submitted")
    row = Callback.objects.create(account=message.account, digest="d", method="POST")
    odd = Unrecognised(message.reference, "", "Delivrd", problem="unknown_word")
    apply_report.on_unrecognised(ReceivedEvent(message.account, odd, row.received_at, row.pk))
    event = DeliveryReported(message.reference, "", "Delivered", state=D.DELIVERED)
    apply_report.on_delivery(ReceivedEvent(message.account, event, row.received_at, row.pk))

    report = message.reports.get()
    assert (report.kind, report.state, report.words) == ("delivery", "delivered", "Delivered")


def test_events_of_one_callback_are_kept_apart() -> None:
    message = make_message(state="submitted")
    row = Callback.objects.create(account=message.account, digest="d", method="POST")
    for position, state in enumerate((D.IN_TRANSIT, D.DELIVERED)):
        event = DeliveryReported(message.reference, "", state.value, state=state)
        apply_report.on_delivery(
            ReceivedEvent(message.account, event, row.received_at, row.pk, position)
        )
    kept = message.reports.order_by("position").values_list("position", "state", "callback")
    assert list(kept) == [(0, "in_transit", row.pk), (1, "delivered", row.pk)]


def test_result_of_a_check_has_no_place_in_the_order_of_delivery_reports() -> None:
    message = make_message(state="submitted")
    event = VerificationReported(message.reference, "", "SUCCESS 200", succeeded=True)
    apply_report.on_verification(ReceivedEvent(message.account, event, timezone.now()))
    tell(message, D.DELIVERED)
    assert message.state == "delivered"


def test_events_of_another_kind_or_about_nothing_of_ours_leave_nothing() -> None:
    message = make_message(state="submitted")
    delivery = DeliveryReported(message.reference, "", "Delivered", state=D.DELIVERED)
    check = VerificationReported(message.reference, "", "SUCCESS 200", succeeded=True)
    now = timezone.now()
    assert apply_report.on_delivery(ReceivedEvent(message.account, check, now)) is None
    assert apply_report.on_verification(ReceivedEvent(message.account, delivery, now)) is None
    for hear, kind in (
        (apply_report.on_delivery, DeliveryReported),
        (apply_report.on_verification, VerificationReported),
        (apply_report.on_unrecognised, Unrecognised),
    ):
        assert hear(ReceivedEvent(message.account, kind("f" * 32, "", "words"), now)) is None
    assert not Report.objects.exists()


def test_the_result_of_a_check_is_evidence_and_moves_nothing() -> None:
    message = make_message(state="submitted")
    event = VerificationReported(message.reference, "", "SUCCESS 200", succeeded=True)
    heard = apply_report.on_verification(ReceivedEvent(message.account, event, timezone.now()))
    message.refresh_from_db()
    assert heard is not None
    assert message.state == "submitted"
    assert message.reports.get().kind == Report.Kind.VERIFICATION


def test_the_result_of_a_check_for_no_message_of_ours_is_kept_nowhere() -> None:
    message = make_message(state="submitted")
    event = VerificationReported("f" * 32, "", "SUCCESS 200", succeeded=True)
    assert (
        apply_report.on_verification(ReceivedEvent(message.account, event, timezone.now())) is None
    )
    assert not Report.objects.exists()


def test_a_report_that_nobody_understands_is_kept_beside_its_message() -> None:
    message = make_message(state="submitted")
    event = Unrecognised(message.reference, "", "Teleported", problem="unknown_word")
    heard = apply_report.on_unrecognised(ReceivedEvent(message.account, event, timezone.now()))
    message.refresh_from_db()
    report = message.reports.get()
    assert heard == Match(f"message:{message.pk}", Effect.APPLIED, "reference")
    assert message.state == "submitted"
    assert (report.kind, report.state, report.words) == ("unrecognised", "", "Teleported")


def test_check_and_report_that_nobody_understands_are_found_by_the_providers_id_too() -> None:
    message, now = make_message(state="submitted", provider_id="26471304"), timezone.now()
    by_id = Match(f"message:{message.pk}", Effect.APPLIED, "provider_id")
    odd = Unrecognised("", "26471304", "Teleported", problem="unknown_word")
    assert apply_report.on_unrecognised(ReceivedEvent(message.account, odd, now)) == by_id
    check = VerificationReported("", "26471304", "SUCCESS 200", succeeded=True)
    assert apply_report.on_verification(ReceivedEvent(message.account, check, now)) == by_id


def test_words_that_no_database_takes_are_kept_readable() -> None:
    message = make_message(state="submitted")
    with transaction.atomic():
        tell(message, D.DELIVERED, words="\x00 \ud800", provider_id="\x00")
    assert message.reports.get().words == "␀ \\ud800"


def test_words_are_sorted_into_final_ones_and_failures() -> None:
    assert {str(word) for word in apply_report.FINAL} == {
        "expired",
        "undelivered",
        "rejected",
        "delivered",
    }
    assert {str(word) for word in apply_report.FAILURES} == {"expired", "undelivered", "rejected"}


def test_states_that_a_report_contradicts_are_those_before_the_call_and_without_one() -> None:
    assert {str(state) for state in apply_report.WAITS} == {
        "scheduled",
        "held",
        "queued",
        "claimed",
    }
    assert {str(state) for state in apply_report.NOT_OUT} == {"cancelled", "refused"}


def test_reports_are_the_states_that_only_a_report_reaches() -> None:
    assert {apply_report.STATE_OF[state] for state in apply_report.FINAL} < REPORTS
