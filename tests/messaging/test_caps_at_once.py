"""People and batches that send at the same moment never pass a cap, and all that fits is sent."""

from __future__ import annotations

import pytest

from messaging.batches import fan_out, lifecycle
from messaging.models import Batch, Message
from messaging.queue_message import Draft, queue
from messaging.recipients import read_recipient
from providers import daily_limits
from providers.daily_limits import Cap, LimitReached
from providers.models import DailyLimit
from tests.factories.accounts import make_account
from tests.factories.batches import make_batch, numbers
from tests.factories.staff import make_user
from tests.support.threads import at_once

CAP = 25
EACH = 10


@pytest.mark.each_database
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("most", [CAP, 4 * EACH], ids=["less than all", "just enough"])
def test_four_threads_send_just_what_a_cap_allows(most: int) -> None:
    account, by = make_account(), make_user()
    DailyLimit.objects.create(what="messages", scope="country", key="CN", most=most, window="day")
    batches = [make_batch(numbers(EACH, start=start), account) for start in (100, 200)]
    for batch in batches:
        assert lifecycle.start(batch, by)
    senders = iter(range(4))

    def send() -> None:
        sender = next(senders)
        if sender < 2:
            _lay_out(batches[sender])
        else:
            _send_singles(sender)

    def _send_singles(sender: int) -> None:
        for index in range(EACH):
            number = read_recipient(f"+861391234{sender}{index:03}")
            draft = Draft(account, number, Message.Kind.TEXT, text="Hello", sms_kind="T")
            try:
                queue(draft, by=by, form_token=f"{sender}-{index}")
            except LimitReached:
                continue

    at_once(send, 4)
    assert Message.objects.filter(state="queued").count() == most
    assert daily_limits.usage_of(Cap("messages", "country", "CN", most)) == most
    refused = Message.objects.filter(state="cancelled")
    assert {row.reason for row in refused} <= {"cap_country"}
    assert {Batch.objects.get(pk=batch.pk).laid_out for batch in batches} == {EACH}


def _lay_out(batch: Batch) -> None:
    while fan_out.run(Batch.objects.get(pk=batch.pk)):
        pass


@pytest.mark.each_database
@pytest.mark.django_db(transaction=True)
def test_batches_and_singles_of_one_person_at_once_stay_within_their_cap() -> None:
    account, by = make_account(), make_user("messaging.bulk_message")
    DailyLimit.objects.create(what="messages", user=by, most=CAP, window="day")
    batches = [make_batch(numbers(EACH, start=start), account) for start in (300, 400, 500)]
    senders = iter(range(6))

    def send() -> int:
        sender = next(senders)
        if sender < 3:
            try:
                return EACH if lifecycle.start(batches[sender], by) else 0
            except LimitReached:
                return 0
        sent = 0
        for index in range(EACH):
            number = read_recipient(f"+861391235{sender}{index:03}")
            draft = Draft(account, number, Message.Kind.TEXT, text="Hello", sms_kind="T")
            try:
                queue(draft, by=by, form_token=f"{sender}-{index}")
            except LimitReached:
                continue
            sent += 1
        return sent

    sent = sum(at_once(send, 6))
    assert sent == CAP
    assert daily_limits.usage_of(Cap("messages", "user", str(by.pk), CAP)) == CAP
