"""Reports that meet each other, or our own answer, in the middle of an update."""

from __future__ import annotations

from itertools import cycle
from threading import Lock

import pytest
from django.db import transaction
from django.utils import timezone

from messaging import apply_report
from messaging.engine import apply_outcome
from messaging.models import Message, Report
from providers.events import ReceivedEvent
from providers.gateway.events import DeliveryReported
from providers.gateway.vocabulary import DeliveryState, Submission
from providers.models import Callback
from tests.factories.accounts import make_account
from tests.factories.messages import make_message
from tests.support.threads import at_once

pytestmark = pytest.mark.django_db(transaction=True)

WORDS = [DeliveryState.IN_TRANSIT, DeliveryState.DELIVERED, DeliveryState.UNDELIVERED]


def test_no_report_is_lost_when_many_come_at_once() -> None:
    message = make_message(make_account("haorui"), state="submitted")
    rows = [
        Callback.objects.create(account=message.account, digest=str(number), method="POST")
        for number in range(9)
    ]
    todo, lock = iter(zip(rows, cycle(WORDS), strict=False)), Lock()

    def tell_one() -> None:
        with lock:
            row, state = next(todo)
        event = DeliveryReported(message.reference, "", state.value, state=state)
        with transaction.atomic():
            apply_report.on_delivery(ReceivedEvent(message.account, event, timezone.now(), row.pk))

    at_once(tell_one, len(rows))
    message.refresh_from_db()
    assert Report.objects.count() == len(rows)
    assert (message.state, message.conflict) == ("delivered", True)


def test_a_report_and_our_own_answer_at_the_same_moment_lose_nothing_of_each_other() -> None:
    message = make_message(make_account("haorui"), state="sending")
    event = DeliveryReported(message.reference, "", "Delivered", state=DeliveryState.DELIVERED)

    def tell() -> None:
        with transaction.atomic():
            apply_report.on_delivery(ReceivedEvent(message.account, event, timezone.now()))

    def answer() -> None:
        apply_outcome.apply_submissions([(message.pk, Submission("26471304"))])

    todo, lock = iter([tell, answer]), Lock()

    def one() -> None:
        with lock:
            work = next(todo)
        work()

    at_once(one, 2)
    message = Message.objects.get()
    assert (message.state, message.provider_id) == ("delivered", "26471304")
    assert message.answered_at is not None
    assert message.reported_at is not None
