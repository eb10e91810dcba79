"""A batch beyond a limit waits for a second person, who approves exactly what was shown."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.utils import timezone

from core.acts import record_act
from core.models import Act, Notice
from core.stored_texts import show
from messaging.batches import create, fan_out, lifecycle, proposals, resend, tasks
from messaging.batches.engine_source import BatchSource
from messaging.models import Batch, Message
from messaging.presentation.batch_approvals import explain_approval
from providers.approvals import requests
from providers.approvals.digest import digest_of
from providers.approvals.requests import DecisionOutcome
from providers.approvals.rules import ApprovalNeeded
from providers.hold import begin
from providers.models import Account, Approval, Hold
from tests.factories.accounts import make_account
from tests.factories.approvals import make_approvers, make_limited, make_request
from tests.factories.batches import make_batch, numbers, start_batch
from tests.factories.staff import make_user

pytestmark = [pytest.mark.django_db, pytest.mark.each_database]


@pytest.fixture
def approvers() -> list[User]:
    return make_approvers()


@pytest.fixture
def asker() -> User:
    return make_limited(messages=2)


def read(batch: Batch) -> Batch:
    return Batch.objects.get(pk=batch.pk)


def test_approved_batch_starts_for_the_one_who_asked(approvers: list[User], asker: User) -> None:
    batch, approval = make_request(asker)
    assert batch.state == "awaiting_approval"
    assert requests.grant(approval, approvers[0]) == DecisionOutcome.DONE
    batch = read(batch)
    assert (batch.state, batch.answerable) == ("sending", asker)
    tasks.lay_out(batch.pk)
    assert Message.objects.filter(state="queued", created_by=asker).count() == 3
    assert Act.objects.filter(what="approval.ask", by=asker).exists()
    assert Act.objects.filter(what="approval.grant", by=approvers[0]).exists()
    assert "approved" in show(Notice.objects.get(user=asker).text)


def test_batch_that_waits_is_neither_laid_out_nor_claimed_nor_started(
    approvers: list[User], asker: User
) -> None:
    batch, _ = make_request(asker)
    assert not lifecycle.start(batch, approvers[0])
    assert not lifecycle.schedule(batch, approvers[0], timezone.now() + timedelta(hours=1))
    assert not lifecycle.resume(batch, approvers[0])
    tasks.lay_out(batch.pk)
    tasks.tend()
    assert read(batch).state == "awaiting_approval"
    assert not Message.objects.exists()
    assert BatchSource().accounts_with_work([batch.account_id]) == set()
    assert not create.recheck(batch, text="Other", number_column=None)


def test_batch_paused_before_its_start_is_not_laid_out() -> None:
    batch = make_batch(numbers(2))
    Batch.objects.filter(pk=batch.pk).update(state="paused")
    fan_out.run(read(batch))
    assert not Message.objects.exists()


def test_scheduled_batch_that_is_approved_starts_at_its_time(
    approvers: list[User], asker: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    at = timezone.now() + timedelta(hours=2)
    batch, approval = make_request(asker, starts_at=at)
    requests.grant(approval, approvers[0])
    assert (read(batch).state, read(batch).scheduled_for) == ("scheduled", at)
    monkeypatch.setattr("providers.clock.now", lambda: at)
    assert lifecycle.start_due() == 1
    assert read(batch).state == "sending"


def test_queue_does_not_start_what_changed_since_it_was_approved(
    approvers: list[User], asker: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    at = timezone.now() + timedelta(hours=2)
    batch, approval = make_request(asker, starts_at=at, account=make_account(price_per_segment=1))
    requests.grant(approval, approvers[0])
    Account.objects.update(price_per_segment=2)
    monkeypatch.setattr("providers.clock.now", lambda: at)
    assert lifecycle.start_due() == 0
    batch = read(batch)
    assert (batch.state, batch.reason) == ("paused", "approval_needed")
    assert Notice.objects.filter(user=asker, event__contains="paused").exists()
    with pytest.raises(ApprovalNeeded):
        lifecycle.resume(batch, asker)
    again = proposals.ask(batch, asker, None, "")
    assert again is not None
    assert requests.grant(again, approvers[1]) == DecisionOutcome.DONE
    assert read(batch).state == "sending"


def test_queue_asks_for_what_a_limit_forbids_since_it_was_scheduled(
    approvers: list[User], monkeypatch: pytest.MonkeyPatch
) -> None:
    person = make_limited(messages=5)
    batch = make_batch(numbers(3), by=person)
    at = timezone.now() + timedelta(hours=2)
    assert lifecycle.schedule(batch, person, at)
    limited = make_limited(messages=2).groups.get()
    person.groups.set([limited])
    monkeypatch.setattr("providers.clock.now", lambda: at)
    assert lifecycle.start_due() == 0
    assert (read(batch).state, read(batch).reason) == ("paused", "approval_needed")


def test_taking_over_a_batch_gives_nobody_their_limit_back(approvers: list[User]) -> None:
    """Otherwise, two people could go on for ever: one starts, the other continues."""
    person, colleague = make_limited(messages=5), make_limited(messages=5)
    batch = start_batch(make_batch(numbers(3), by=person), person)
    record_act("batch.started", by=person, subject=f"batch:{batch.pk}")
    assert lifecycle.pause(batch, colleague)
    assert lifecycle.resume(read(batch), colleague)
    assert read(batch).answerable == colleague
    for one in (person, colleague):
        with pytest.raises(ApprovalNeeded):
            lifecycle.start(make_batch(numbers(3), by=one), one)


def test_batch_that_a_colleague_started_counts_for_the_colleague_alone(
    approvers: list[User],
) -> None:
    person, colleague = make_limited(messages=5), make_limited(messages=5)
    batch = make_batch(numbers(3), by=person)
    record_act("batch.scheduled", by=person, subject=f"batch:{batch.pk}")
    start_batch(batch, colleague)
    record_act("batch.started", by=colleague, subject=f"batch:{batch.pk}")
    assert lifecycle.start(make_batch(numbers(3), by=person), person)


CHANGES: tuple[dict[str, Any], ...] = (
    {"text": "Another text"},
    {"recipients_digest": "0" * 64},
    {"good": 2},
    {"file_digest": "0" * 64},
    {"segments": 9},
    {"number_column": 5},
    {"sms_kind": "P"},
    {"sender_id": "OTHER"},
    {"check_run": "6d9c2a2e-7d9a-4d0e-9d3e-0f3f8f3b8d11"},
    {"account": Account(pk=99, price_per_segment=None)},
    {"account": Account(pk=98, price_per_segment="0.07")},
)


def test_everything_that_was_shown_is_part_of_the_digest() -> None:
    batch = make_batch(numbers(3))
    at = timezone.now()
    known = {digest_of(proposals.proposal_of(batch, None))}
    assert known == {digest_of(proposals.proposal_of(read(batch), None))}
    known |= {digest_of(proposals.proposal_of(batch, at + timedelta(hours=n))) for n in (1, 2)}
    for change in CHANGES:
        changed = read(batch)
        for name, value in change.items():
            setattr(changed, name, value)
        known.add(digest_of(proposals.proposal_of(changed, None)))
    assert len(known) == 3 + len(CHANGES)


def test_each_part_of_a_proposal_is_in_the_digest_by_itself() -> None:
    """A price changes the cost, too, and a subject names its kind; none may lean on another."""
    proposal = proposals.proposal_of(make_batch(numbers(3)), None)
    size = proposal.size
    others = [
        replace(proposal, kind="order"),
        replace(proposal, subject="batch:0"),
        replace(proposal, account=Account(pk=99)),
        replace(proposal, size=replace(size, count=size.count + 1)),
        replace(proposal, size=replace(size, cost=Decimal("9.99"))),
        *(replace(proposal, facts={**proposal.facts, name: "other"}) for name in proposal.facts),
    ]
    assert len({digest_of(one) for one in (proposal, *others)}) == 1 + len(others)
    assert {"sms_kind", "sender_id", "file", "price"} < set(proposal.facts)


@pytest.mark.parametrize("changed", ["price", "text"])
def test_whatever_changes_needs_a_new_request(
    approvers: list[User], asker: User, changed: str
) -> None:
    batch, approval = make_request(asker)
    if changed == "price":
        Account.objects.filter(pk=batch.account_id).update(price_per_segment="0.07")
    else:
        Batch.objects.filter(pk=batch.pk).update(text="Another text")
    assert requests.grant(approval, approvers[0]) == DecisionOutcome.CHANGED
    approval.refresh_from_db()
    assert (approval.state, read(batch).state) == ("lapsed", "ready")
    assert "has changed" in show(Notice.objects.get(user=asker).text)
    assert not Message.objects.exists()


def test_same_price_in_another_way_of_writing_changes_nothing(
    approvers: list[User], asker: User
) -> None:
    batch, approval = make_request(asker, account=make_account(price_per_segment="0.05"))
    Account.objects.filter(pk=batch.account_id).update(price_per_segment="0.0500")
    assert requests.grant(approval, approvers[0]) == DecisionOutcome.DONE


def test_approval_counts_for_no_other_time(approvers: list[User], asker: User) -> None:
    at = timezone.now() + timedelta(hours=2)
    batch, approval = make_request(asker, starts_at=at)
    requests.grant(approval, approvers[0])
    assert lifecycle.unschedule(batch)
    batch = read(batch)
    with pytest.raises(ApprovalNeeded):
        lifecycle.start(batch, asker)
    with pytest.raises(ApprovalNeeded):
        lifecycle.schedule(batch, asker, at + timedelta(minutes=1))
    assert lifecycle.schedule(batch, asker, at)


@pytest.mark.parametrize(("late", "lapsed"), [(timedelta(seconds=-1), False), (timedelta(), True)])
def test_approval_without_a_start_time_holds_for_24_hours(
    approvers: list[User],
    asker: User,
    monkeypatch: pytest.MonkeyPatch,
    late: timedelta,
    lapsed: bool,
) -> None:
    batch, approval = make_request(asker)
    permissions = list(asker.user_permissions.all())
    asker.user_permissions.clear()
    assert requests.grant(approval, approvers[0]) == DecisionOutcome.NOT_STARTED
    asker.user_permissions.set(permissions)
    approval.refresh_from_db()
    assert approval.decided_at is not None
    then = approval.decided_at + timedelta(hours=24) + late
    monkeypatch.setattr("providers.clock.now", lambda: then)
    batch, asker = read(batch), User.objects.get(pk=asker.pk)
    explained = explain_approval(batch)
    assert explained is not None
    assert ("The approval has lapsed: it holds for 24 hours." in str(explained)) is lapsed
    if not lapsed:
        assert lifecycle.start(batch, asker)
        return
    with pytest.raises(ApprovalNeeded):
        lifecycle.start(batch, asker)
    assert proposals.ask(batch, asker, None, "Still needed.") is not None


def test_request_ends_when_the_start_time_has_passed(
    approvers: list[User], asker: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    at = timezone.now() + timedelta(hours=2)
    batch, approval = make_request(asker, starts_at=at)
    other, second = make_request(asker, starts_at=at)
    monkeypatch.setattr("providers.clock.now", lambda: at)
    assert requests.grant(approval, approvers[0]) == DecisionOutcome.TIME_PASSED
    assert (read(batch).state, read(batch).scheduled_for) == ("ready", None)
    tasks.tend()
    second.refresh_from_db()
    assert (second.state, read(other).state) == ("lapsed", "ready")
    assert Notice.objects.filter(user=asker).count() == 2


def test_nobody_approves_what_they_asked_for_made_or_edited(approvers: list[User]) -> None:
    asker = make_limited(messages=2)
    batch = make_batch(numbers(3), by=approvers[0])
    create.recheck(batch, text="Edited", number_column=None, by=approvers[1])
    tasks.read(batch.pk)
    batch = read(batch)
    approval = proposals.ask(batch, asker, None, "")
    assert approval is not None
    for person in (*approvers, asker):
        assert requests.grant(approval, person) == DecisionOutcome.NOT_YOURS
        assert requests.reject(approval, person, "No") == DecisionOutcome.NOT_YOURS
    (third,) = make_approvers(1)
    assert requests.grant(approval, third) == DecisionOutcome.DONE


def test_nobody_decides_without_the_permission(approvers: list[User], asker: User) -> None:
    _, approval = make_request(asker)
    stranger = make_user("messaging.bulk_message")
    assert requests.grant(approval, stranger) == DecisionOutcome.NOT_YOURS
    assert requests.reject(approval, stranger, "No") == DecisionOutcome.NOT_YOURS


def test_request_that_nobody_granted_approves_nothing(approvers: list[User], asker: User) -> None:
    batch, approval = make_request(asker)
    assert requests.withdraw(approval, asker) == DecisionOutcome.DONE
    with pytest.raises(ApprovalNeeded):
        lifecycle.start(read(batch), asker)


def test_second_decision_finds_the_first(approvers: list[User], asker: User) -> None:
    _, approval = make_request(asker)
    stale = Approval.objects.get(pk=approval.pk)
    assert requests.reject(approval, approvers[0], "No opt-out line.") == DecisionOutcome.DONE
    assert requests.grant(stale, approvers[1]) == DecisionOutcome.DECIDED_BEFORE
    assert requests.withdraw(stale, asker) == DecisionOutcome.DECIDED_BEFORE
    assert not Act.objects.filter(what="approval.grant").exists()


def test_rejected_batch_is_changed_and_asked_for_again(approvers: list[User], asker: User) -> None:
    batch, approval = make_request(asker)
    requests.reject(approval, approvers[0], "Needs the opt-out line.")
    batch = read(batch)
    assert batch.state == "rejected"
    assert "Needs the opt-out line." in show(Notice.objects.get(user=asker).text)
    assert not lifecycle.start(batch, approvers[1])
    assert proposals.ask(batch, asker, None, "") is None
    assert create.recheck(batch, text="Hello. T to opt out.", number_column=None, by=asker)
    tasks.read(batch.pk)
    assert proposals.ask(read(batch), asker, None, "Added it.") is not None


def test_withdrawn_batch_is_ready_again(approvers: list[User], asker: User) -> None:
    batch, approval = make_request(asker)
    assert requests.withdraw(approval, approvers[0]) == DecisionOutcome.NOT_YOURS
    assert requests.withdraw(approval, asker) == DecisionOutcome.DONE
    assert read(batch).state == "ready"
    assert Act.objects.filter(what="approval.withdraw", by=asker).exists()


def test_cancelling_or_pruning_a_batch_ends_its_request(approvers: list[User], asker: User) -> None:
    batch, approval = make_request(asker)
    lifecycle.cancel(batch, approvers[0])
    old, second = make_request(asker)
    Batch.objects.filter(pk=old.pk).update(created_at=timezone.now() - timedelta(days=31))
    tasks.prune()
    for one in (approval, second):
        one.refresh_from_db()
        assert one.state == "lapsed"
    assert read(old).state == "cancelled"


def test_batch_on_hold_is_not_decided_until_its_hold_ends(
    approvers: list[User], asker: User
) -> None:
    batch, approval = make_request(asker)
    begin.begin(Hold.Cause.BY_HAND, {}, by=None)
    assert requests.grant(approval, approvers[0]) == DecisionOutcome.UNAVAILABLE
    assert requests.reject(approval, approvers[0], "No") == DecisionOutcome.UNAVAILABLE
    assert read(batch).state == "awaiting_approval"
    Batch.objects.update(hold=None)
    assert requests.grant(approval, approvers[0]) == DecisionOutcome.DONE


def test_resend_is_limited_like_any_batch(approvers: list[User], asker: User) -> None:
    batch = start_batch(make_batch(numbers(3)))
    Message.objects.update(state="undelivered")
    again = resend.resend_batch(batch, asker, "again")
    tasks.read(again.pk)
    with pytest.raises(ApprovalNeeded):
        lifecycle.start(read(again), asker)
    approval = proposals.ask(read(again), asker, None, "")
    assert approval is not None
    assert requests.grant(approval, approvers[0]) == DecisionOutcome.DONE
    assert read(again).state == "sending"


def test_approved_batch_that_may_not_start_stays_ready_and_says_so(
    approvers: list[User], asker: User
) -> None:
    batch, approval = make_request(asker)
    asker.user_permissions.clear()
    assert requests.grant(approval, approvers[0]) == DecisionOutcome.NOT_STARTED
    assert read(batch).state == "ready"
    assert "did not start" in show(Notice.objects.get(user=asker).text)
