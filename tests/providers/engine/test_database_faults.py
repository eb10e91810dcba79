"""Known answers survive whatever the database does while they are written."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import count
from uuid import uuid4

import pytest
from django.db import connection
from django.utils import timezone
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from messaging.engine.source import MessageJob
from messaging.models import Message
from providers.engine.account_check_source import EnquiryJob, EnquiryResult
from providers.engine.database_errors import concerns_row
from providers.engine.result_writer import ResultWriter
from providers.engine.work_source import Job, Result, sources
from providers.engine.worker_pool import Finished
from providers.gateway.call import CallRecord
from providers.gateway.errors import GatewayError, NotDone, OutcomeUnknown, Refused
from providers.gateway.vocabulary import Balance, OrderState, Outcome, Reason, Rental, Submission
from providers.models import Account, ApiCall, BalanceReading, Enquiry
from rentals.engine.place_source import PlaceJob
from tests.factories.accounts import make_account
from tests.factories.messages import make_message
from tests.factories.orders import make_order
from tests.support.database_faults import AWAY, OF_ROW, Fault, failing

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.any_database]

_serial = count(1)
PATIENCE = 100
"""Attempts within which everything must be written."""


@pytest.fixture(autouse=True)
def no_pause_between_attempts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("providers.engine.result_writer.RETRY_STUCK_AFTER", 0.0)


class Answers:
    """Finished calls of several sources, as the worker pool hands them to the writer."""

    def __init__(self) -> None:
        self.loop = uuid4()
        self.writer = ResultWriter(self.loop)
        self.texts = make_account("haorui")
        self.rents = make_account("gosms")
        self.expected: dict[int, str] = {}
        self.calls: list[tuple[str, datetime]] = []
        errors: list[GatewayError | None] = [
            None,
            Refused(Reason.OTHER_REFUSAL),
            None,
            NotDone(Reason.UNREACHABLE),
            OutcomeUnknown(Reason.TIMED_OUT),
            None,
        ]
        states = ["submitted", "refused", "submitted", "queued", "unknown", "submitted"]
        for error, state in zip(errors, states, strict=True):
            self._add_message(error, state)
        self._add_order()
        self._add_enquiry()

    def _add(self, source: str, result: Result, calls: int = 1) -> None:
        records = [self._call(result.job.subject) for _ in range(calls)]
        (its_source,) = (one for one in sources() if one.name == source)
        self.writer.add(Finished(its_source, result, records))
        self.calls += [(one.subject, one.started_at) for one in records]

    def _call(self, subject: str) -> CallRecord:
        started_at = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=next(_serial))
        return CallRecord(
            operation="send",
            subject=subject,
            started_at=started_at,
            duration=0.1,
            method="POST",
            url="https://sms.example.com/",
            outcome=Outcome.DONE,
            reason=None,
            http_status=200,
            request_body="a request",
            answer_body="an answer",
            attempt=1,
        )

    def _claimed(self, **more: object) -> dict[str, object]:
        return {"claim": self.loop, "claimed_at": timezone.now(), **more}

    def _add_message(self, error: GatewayError | None, state: str) -> None:
        claimed = self._claimed(state="sending", handed_over_at=timezone.now())
        row = make_message(self.texts, **claimed)
        assert row.claimed_at is not None
        job: Job = MessageJob(self.texts.pk, f"message:{row.pk}", row.pk, row.claimed_at, None)
        value = None if error else Submission(f"id{row.pk}", "Submitted")
        self._add("messages", Result(job, value=value, error=error), calls=2)
        self.expected[row.pk] = state

    def _add_order(self) -> None:
        claimed = self._claimed(state="placing", handed_over_at=timezone.now())
        self.order = make_order(self.rents, **claimed)
        assert self.order.claimed_at is not None
        job = PlaceJob(
            self.rents.pk, f"order:{self.order.pk}", self.order.pk, self.order.claimed_at, "", ""
        )
        rental = Rental(
            order_id=f"order{self.order.pk}",
            state=OrderState.PENDING,
            raw_state="pending",
            phone="+6281234567890",
            project="whatsapp",
            region="ID",
            price=Decimal("0.5"),
        )
        self._add("orders", Result(job, value=rental))

    def _add_enquiry(self) -> None:
        claimed = self._claimed(state="claimed")
        kind = Enquiry.Kind.BALANCE
        self.enquiry = Enquiry.objects.create(account=self.texts, kind=kind, **claimed)
        assert self.enquiry.claimed_at is not None
        job = EnquiryJob(self.texts.pk, "enquiry", self.enquiry.pk, self.enquiry.claimed_at)
        value = EnquiryResult(Balance(Decimal(5), Decimal(0), Decimal(5), None))
        self._add("enquiries", Result(job, value=value))

    def write_all(self) -> None:
        """Write as the loop does: again and again while the database is away."""
        for _ in range(PATIENCE):
            try:
                self.writer.write({})
            except Exception as error:
                if concerns_row(error):
                    raise
                connection.close()
            if self.writer.is_empty:
                return
        raise AssertionError("not everything was written")

    def assert_all_recorded_once(self, *, in_order: bool = True) -> None:
        ids = list(self.expected)
        assert dict(Message.objects.filter(pk__in=ids).values_list("pk", "state")) == self.expected
        tries = Message.objects.filter(pk__in=ids, state="queued").values_list("tries", flat=True)
        assert set(tries) == {1}
        self.order.refresh_from_db()
        assert (self.order.state, self.order.phone) == ("pending", "+6281234567890")
        self.enquiry.refresh_from_db()
        assert self.enquiry.state == "answered"
        assert BalanceReading.objects.filter(account=self.texts).count() == 1
        rows = self._journal(self.texts) + self._journal(self.rents)
        assert sorted(rows) == sorted(self.calls)
        for account in (self.texts, self.rents):
            of_messages = [at for subject, at in self._journal(account) if "message" in subject]
            assert of_messages == sorted(of_messages) or not in_order

    def _journal(self, account: Account) -> list[tuple[str, datetime]]:
        rows = ApiCall.objects.filter(account=account).order_by("pk")
        return list(rows.values_list("subject", "started_at"))


def steps_of_a_write(kind: str) -> int:
    fault = Fault(-1, {**AWAY, **OF_ROW}[kind])
    answers = Answers()
    with failing(fault):
        answers.write_all()
    return fault.step + 1


@pytest.mark.slow
@settings(max_examples=100, suppress_health_check=list(HealthCheck))
@example(at=0, times=1, kind="refused")
@given(
    at=st.integers(0, 60),
    times=st.sampled_from([1, 1, 2, 7, 30]),
    kind=st.sampled_from(sorted(AWAY)),
)
def test_answers_are_recorded_once_whatever_the_database_does(
    at: int, times: int, kind: str
) -> None:
    answers = Answers()
    with failing(Fault(at, AWAY[kind], times)):
        answers.write_all()
    answers.assert_all_recorded_once()
    assert not answers.writer.unwritable


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["read-only", "terminated", "closed", *OF_ROW])
def test_a_fault_at_any_step_loses_nothing(kind: str) -> None:
    for at in range(steps_of_a_write(kind)):
        answers = Answers()
        fault = Fault(at, {**AWAY, **OF_ROW}[kind])
        with failing(fault):
            answers.write_all()
        assert fault.raised == 1
        answers.assert_all_recorded_once()


def test_lost_answer_of_a_commit_repeats_no_journal_row() -> None:
    """The step after each commit."""
    last = steps_of_a_write("terminated") - 1
    answers = Answers()
    fault = Fault(last, AWAY["terminated"])
    with failing(fault):
        answers.write_all()
    assert fault.raised == 1
    answers.assert_all_recorded_once()


@pytest.mark.parametrize("kind", sorted(AWAY))
def test_error_of_the_database_concerns_no_row(kind: str) -> None:
    assert not concerns_row(AWAY[kind]())


@pytest.mark.parametrize("kind", sorted(OF_ROW))
def test_error_of_a_row_concerns_that_row(kind: str) -> None:
    assert concerns_row(OF_ROW[kind]())


# --- what the database never accepts ---------------------------------------------


def poison(answers: Answers, monkeypatch: pytest.MonkeyPatch, error: Exception) -> str:
    """Let every write of one result fail. Returns its subject."""
    source = next(one for one in sources() if one.name == "messages")
    subject = f"message:{next(iter(answers.expected))}"
    real = source.record

    def record(results: list[Result], claim: object) -> None:
        if any(one.job.subject == subject for one in results):
            raise error
        real(results, claim)  # type: ignore[arg-type]

    monkeypatch.setattr(source, "record", record)
    return subject


def test_result_that_concerns_its_row_is_logged_and_its_calls_are_kept(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    answers = Answers()
    subject = poison(answers, monkeypatch, OF_ROW["too long"]())

    answers.write_all()

    assert answers.writer.unwritable == 1
    assert ApiCall.objects.filter(subject=subject).count() == 2
    assert f"{subject}: Submission id{subject.split(':')[1]}" in caplog.text
    assert "value too long" not in caplog.text
    assert Message.objects.filter(state="sending").count() == 1
    assert not Message.objects.filter(state="sending").exclude(pk=subject.split(":")[1]).exists()


def test_result_that_fails_although_the_database_is_there_does_not_block_others() -> None:
    """As a statement that always exceeds the server's time limit."""
    answers = Answers()
    with pytest.MonkeyPatch.context() as patch:
        subject = poison(answers, patch, AWAY["statement timeout"]())
        with pytest.raises(AssertionError, match="not everything"):
            answers.write_all()

    left = Message.objects.filter(pk__in=answers.expected, state="sending")
    assert [f"message:{row.pk}" for row in left] == [subject]
    assert not answers.writer.unwritable
    answers.write_all()
    answers.assert_all_recorded_once(in_order=False)


def test_journal_row_that_the_database_refuses_is_written_without_its_texts() -> None:
    answers = Answers()
    (unit, *_) = answers.writer._units
    first = unit.finished[0]
    first.calls[0] = replace(first.calls[0], method="a method of more than eight letters\0")
    if connection.vendor == "sqlite":
        # SQLite stores such a value, but no integer of this size.
        first.calls[0] = replace(first.calls[0], attempt=2**70)

    answers.write_all()

    answers.assert_all_recorded_once()
    row = ApiCall.objects.get(started_at=first.calls[0].started_at)
    assert row.answer_body == "(left out: the database refused this row)"


def test_no_call_is_made_while_the_results_in_memory_reach_the_limit(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    answers = Answers()
    assert not answers.writer.is_full(in_flight=10_000)
    with failing(Fault(0, AWAY["refused"])), pytest.raises(Exception, match="refused"):
        answers.writer.write({})
    assert not answers.writer.is_full(in_flight=100)
    monkeypatch.setattr("providers.engine.result_writer.MEMORY_LIMIT", 1000)
    assert answers.writer.is_full(in_flight=0)
    assert answers.writer.is_full(in_flight=0)
    assert caplog.text.count("No more calls are made") == 1
    answers.write_all()
    assert not answers.writer.is_full(in_flight=0)
