"""Reports that arrive at the same time as each other or as our own answer."""

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


def test_concurrent_reports_are_all_kept() -> None:
    message = make_message(make_account("haorui"), state="submitted")
    rows = [
        Callback.objects.create(account=message.account, digest=str(number), method="POST")
        for number in range(9)
    ]
    todo, lock = iter(zip(rows, cycle(WORDS), strict=False)), Lock()

    def report_next() -> None:
        with lock:
            row, state = next(todo)
        event = DeliveryReported(message.reference, "", state.value, state=state)
        with transaction.atomic():
            apply_report.on_delivery(ReceivedEvent(message.account, event, timezone.now(), row.pk))

    at_once(report_next, len(rows))
    message.refresh_from_db()
    assert Report.objects.count() == len(rows)
    assert (message.state, message.conflict) == ("delivered", True)


def test_concurrent_report_and_answer_keep_each_others_values() -> None:
    message = make_message(make_account("haorui"), state="sending")
    event = DeliveryReported(message.reference, "", "Delivered", state=DeliveryState.DELIVERED)

    def report() -> None:
        with transaction.atomic():
            apply_report.on_delivery(ReceivedEvent(message.account, event, timezone.now()))

    def answer() -> None:
        apply_outcome.apply_submissions([(message.pk, Submission("26471304"))])

    todo, lock = iter([report, answer]), Lock()

    def run_next() -> None:
        with lock:
            task = next(todo)
        task()

    at_once(run_next, 2)
    message = Message.objects.get()
    assert (message.state, message.provider_id) == ("delivered", "26471304")
    assert message.answered_at is not None
    assert message.reported_at is not None
