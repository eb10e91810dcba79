"""Caps on the recipients of a batch: at the check of the file, and again when it is sent."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from messaging.batches import fan_out, lifecycle, resend, tasks
from messaging.models import Batch, Message, StagedRow
from messaging.presentation.explanations import explanation_of
from messaging.presentation.row_texts import problem_text
from providers import daily_limits
from providers.caps import exemptions
from providers.daily_limits import ALL, Cap
from providers.models import CapExemption, DailyLimit
from tests.factories.accounts import make_account
from tests.factories.batches import make_batch, numbers, start_batch
from tests.factories.staff import make_user

pytestmark = pytest.mark.django_db
FIRST = "+8613900000000"


def rule(scope: str, key: str, most: int, **fields: object) -> DailyLimit:
    values = {"what": "messages", "window": "day", **fields}
    return DailyLimit.objects.create(scope=scope, key=key, most=most, **values)


def verdicts(batch: Batch) -> list[str]:
    return list(
        StagedRow.objects.filter(batch=batch).order_by("pk").values_list("verdict", flat=True)
    )


@pytest.mark.parametrize(
    ("scope", "key", "window"),
    [("country", "CN", "day"), ("country", "*", "hour"), ("prefix", "+86139", "minute")],
)
def test_rows_beyond_a_cap_are_refused_at_the_check(scope: str, key: str, window: str) -> None:
    user = make_user(first_name="Wei", last_name="Li")
    rule(scope, key, 3, window=window, set_by=user)
    batch = make_batch(numbers(5))
    assert verdicts(batch) == ["good"] * 3 + ["refused"] * 2
    assert (batch.good, batch.refused) == (3, 2)
    row = StagedRow.objects.filter(verdict="refused").first()
    assert row is not None
    text = problem_text(row, batch.account, whole=False)
    assert "is reached (3 of 3 in" in text
    assert text.endswith("It was set by Wei Li.")
    # Nothing is counted before the batch is sent.
    assert daily_limits.usage_of(Cap("messages", scope, "CN" if key == "*" else key, 3)) == 0


def test_cap_on_everything_stops_rows_too() -> None:
    rule("country", "CN", 3, what=ALL)
    assert verdicts(make_batch(numbers(5))) == ["good"] * 3 + ["refused"] * 2


def test_whole_batch_counts_against_its_account_at_the_start() -> None:
    account, user = make_account(daily_limit=4), make_user("messaging.bulk_message")
    first, second = (make_batch(numbers(3, 10 * n), account, by=user) for n in range(2))
    assert lifecycle.start(first, user)
    assert daily_limits.usage_of(Cap(ALL, "account", str(account.pk), 4)) == 3
    with pytest.raises(daily_limits.LimitReached):
        lifecycle.start(second, user)
    second.refresh_from_db()
    assert second.state == "ready"


def test_number_that_had_enough_is_refused_at_the_check() -> None:
    rule("number", "*", 1)
    daily_limits.take([Cap("messages", "number", FIRST, 1)])
    assert verdicts(make_batch(numbers(2))) == ["refused", "good"]


def test_exempt_rows_pass_a_blocked_country() -> None:
    rule("country", "CN", 0)
    until = timezone.now() + timedelta(hours=1)
    exemptions.exempt(
        CapExemption.Scope.NUMBER, FIRST, until=until, because="test phone", by=make_user()
    )
    assert verdicts(make_batch(numbers(2))) == ["good", "refused"]


def test_rows_beyond_a_cap_that_was_used_since_the_check_are_not_sent() -> None:
    batch, other = make_batch(numbers(4)), make_batch(numbers(4, start=50))
    rule("country", "CN", 6)
    start_batch(other)
    start_batch(batch)
    mine = Message.objects.filter(batch=batch).order_by("batch_row")
    assert [message.state for message in mine] == ["queued"] * 2 + ["cancelled"] * 2
    assert {message.reason for message in mine} == {"", "cap_country"}
    assert Batch.objects.get(pk=batch.pk).laid_out == 4
    explained = explanation_of(mine[3])
    assert explained.title == "Not sent: the cap for this number's country is reached."
    assert "(6 of 6 in 24 hours)" in explained.text
    assert daily_limits.usage_of(Cap("messages", "country", "CN", 6)) == 6


def test_sent_rows_count_for_single_messages_and_the_other_way() -> None:
    rule("number", FIRST, 2)
    start_batch(make_batch(numbers(1)))
    cap = Cap("messages", "number", FIRST, 2)
    daily_limits.take([cap])
    with pytest.raises(daily_limits.LimitReached):
        daily_limits.take([cap])
    assert verdicts(make_batch(numbers(1))) == ["refused"]


def test_rows_that_are_sent_again_count() -> None:
    batch = start_batch(make_batch(numbers(2)))
    Message.objects.update(state="undelivered")
    rule("country", "CN", 1)
    again = resend.resend_batch(batch, batch.created_by, "again")
    tasks.read(again.pk)
    assert verdicts(again) == ["good", "refused"]


def test_killed_run_counts_each_row_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """The count and the messages of a chunk are one transaction."""
    rule("country", "CN", 100)
    batch = make_batch(numbers(3))
    lifecycle.start(batch, batch.created_by)
    with monkeypatch.context() as patched:
        patched.setattr("messaging.batches.fan_out.insert_messages", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            tasks.lay_out(batch.pk)
    tasks.lay_out(batch.pk)
    assert daily_limits.usage_of(Cap("messages", "country", "CN", 100)) == 3


def test_fan_out_of_many_rows_takes_few_queries() -> None:
    rule("number", "*", 1)
    batch = make_batch(numbers(400))
    lifecycle.start(batch, batch.created_by)
    with CaptureQueriesContext(connection) as queries:
        tasks.lay_out(batch.pk)
    assert Message.objects.filter(batch=batch, state="queued").count() == 400
    assert len(queries) < 60


def test_exemption_that_ends_after_the_start_lets_no_further_row_pass() -> None:
    rule("country", "CN", 0)
    by = make_user()
    until = timezone.now() + timedelta(hours=1)
    exemption = exemptions.exempt(
        CapExemption.Scope.PREFIX, "+86139", until=until, because="launch", by=by
    )
    batch = make_batch(numbers(2))
    assert lifecycle.start(batch, make_user())
    CapExemption.objects.filter(pk=exemption.pk).update(ends_at=timezone.now())
    while fan_out.run(Batch.objects.get(pk=batch.pk)):
        pass
    messages = Message.objects.filter(batch=batch)
    assert {(one.state, one.reason) for one in messages} == {("cancelled", "cap_country")}
