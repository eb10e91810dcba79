"""Of people who decide about one request at the same moment, one decides, and it starts once."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest
from django.contrib.auth.models import User

from core.models import Act, Notice
from messaging.batches import fan_out
from messaging.models import Batch, Message
from providers.approvals import requests
from providers.approvals.requests import DecisionOutcome
from providers.models import Approval
from tests.factories.approvals import make_approvers, make_limited, make_request
from tests.support.threads import at_once

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.each_database]

Decide = Callable[[Approval], DecisionOutcome]
ENDS = {"granted": "sending", "rejected": "rejected", "withdrawn": "ready"}
ACTS = {"approval.grant", "approval.reject", "approval.withdraw"}


def decided_at_once(approval: Approval, decisions: Sequence[Decide]) -> list[DecisionOutcome]:
    """Each thread decides with the request as it read it before."""
    turns = iter([(decide, Approval.objects.get(pk=approval.pk)) for decide in decisions])

    def decide_one() -> DecisionOutcome:
        decide, row = next(turns)
        return decide(row)

    return at_once(decide_one, len(decisions))


def lay_out_twice_at_once(batch: Batch) -> None:
    def lay_out() -> None:
        while fan_out.run(Batch.objects.get(pk=batch.pk)):
            pass

    at_once(lay_out, 2)


def check_one_decision(batch: Batch, approval: Approval, found: list[DecisionOutcome]) -> str:
    """Returns how the request ended."""
    assert sorted(found, key=str).count(DecisionOutcome.DONE) == 1
    others = [one for one in found if one != DecisionOutcome.DONE]
    assert set(others) == {DecisionOutcome.DECIDED_BEFORE}
    approval.refresh_from_db()
    batch.refresh_from_db()
    assert batch.state == ENDS[approval.state]
    acts = Act.objects.filter(what__in=ACTS, subject=approval.subject)
    assert acts.count() == 1
    lay_out_twice_at_once(batch)
    recipients = Message.objects.filter(batch=batch).values_list("recipient", flat=True)
    assert len(recipients) == len(set(recipients)) == (3 if approval.state == "granted" else 0)
    return str(approval.state)


def test_approving_rejecting_and_withdrawing_at_once_leaves_one_decision() -> None:
    approvers, asker = make_approvers(), make_limited(messages=2)

    def grant(row: Approval) -> DecisionOutcome:
        return requests.grant(row, approvers[0])

    def reject(row: Approval) -> DecisionOutcome:
        return requests.reject(row, approvers[1], "No opt-out line.")

    def withdraw(row: Approval) -> DecisionOutcome:
        return requests.withdraw(row, asker)

    decisions = (grant, reject, withdraw)
    for turn in range(3):
        order = decisions[turn:] + decisions[:turn]
        batch, approval = make_request(asker)
        found = decided_at_once(approval, order)
        check_one_decision(batch, approval, found)
        # What was started counts towards the limit of who asked. Let the next one wait, too.
        Batch.objects.filter(pk=batch.pk).update(answerable=None)


def test_two_who_approve_at_once_start_it_once() -> None:
    approvers, asker = make_approvers(4), make_limited(messages=2)

    def by(person: User) -> Decide:
        return lambda row: requests.grant(row, person)

    batch, approval = make_request(asker)
    found = decided_at_once(approval, [by(one) for one in approvers])
    assert check_one_decision(batch, approval, found) == "granted"
    assert Notice.objects.filter(user=asker).count() == 1
