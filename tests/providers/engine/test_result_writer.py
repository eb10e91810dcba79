"""Writing results when one of them cannot be written."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from types import SimpleNamespace
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.db import DataError, OperationalError
from django.utils import timezone

from messaging.engine.source import MessageSource
from messaging.models import Message
from providers import journal
from providers.engine.result_writer import LOG_AFTER, ResultWriter
from providers.engine.work_source import Result
from providers.engine.worker_pool import Finished
from providers.gateway.vocabulary import Submission
from providers.models import ApiCall
from sandbox.server import Sandbox
from tests.factories.accounts import make_account
from tests.factories.messages import make_message
from tests.support.engine import run_engine

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with Sandbox() as running:
        running.change_settings("haorui", report_delay=None)
        yield running


def run_until_submitted(count: int) -> None:
    run_engine(lambda: Message.objects.filter(state="submitted").count() == count)


def test_unwritable_result_does_not_block_others(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    account = make_account("haorui", sandbox)
    poison, *others = [make_message(account) for _ in range(4)]
    real = MessageSource.record

    def record(self: MessageSource, results: Sequence[Result], claim: UUID) -> None:
        if any(result.job.subject == f"message:{poison.pk}" for result in results):
            raise DataError("value out of range")
        real(self, results, claim)

    monkeypatch.setattr(MessageSource, "record", record)
    run_until_submitted(len(others))

    poison.refresh_from_db()
    assert poison.state == "sending"
    assert len(sandbox.book.entries()) == 4


def test_unwritable_journal_row_loses_no_result(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    message = make_message(make_account("haorui", sandbox))

    def write(calls: Sequence[Any]) -> None:
        if calls:
            raise DataError("value too long")

    monkeypatch.setattr(journal, "write", write)
    run_until_submitted(1)

    message.refresh_from_db()
    assert message.state == "submitted"
    assert not ApiCall.objects.exists()


def test_journal_holds_no_call_whose_result_is_not_recorded(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """As after a kill between the transactions of two sources."""
    written: list[str] = []
    monkeypatch.setattr(journal, "write", lambda calls: written.extend(text for _, text in calls))

    def record(results: Sequence[Result], claim: UUID) -> None:
        if results[0].job.subject == "order:1":
            raise OperationalError("the server has gone away")

    writer = ResultWriter(uuid4())
    for name, subject in (("messages", "message:1"), ("orders", "order:1")):
        source: Any = SimpleNamespace(name=name, paid=False, record=record)
        job: Any = SimpleNamespace(account_id=1, subject=subject, past=0)
        calls: list[Any] = [f"call for {subject}"]
        writer.add(Finished(source, Result(job), calls))

    with pytest.raises(OperationalError):
        writer.write({})

    assert written == ["call for message:1"]
    assert not writer.is_empty


def test_answers_are_in_the_log_if_the_portal_stops_while_the_database_is_away(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """The stop of the whole portal may end the process before the database is back."""

    def record(results: Sequence[Result], claim: UUID) -> None:
        raise OperationalError("the server has gone away")

    writer = ResultWriter(uuid4())
    source: Any = SimpleNamespace(name="messages", paid=False, record=record)
    for subject in ("message:1", "message:2"):
        job: Any = SimpleNamespace(
            account_id=1, subject=subject, past=0, marked_at=timezone.now(), claimed_at=None
        )
        writer.add(Finished(source, Result(job, value=Submission("its-id")), []))
        with pytest.raises(OperationalError):
            writer.write({})
        writer.log_while_stopping(LOG_AFTER - 1)
        assert subject not in caplog.text
        writer.log_while_stopping(LOG_AFTER)
        writer.log_while_stopping(LOG_AFTER + 1)
        assert caplog.text.count(f"while the engine stops: {subject}: Submission its-id") == 1


def test_log_tells_a_call_that_never_began_from_one_without_an_answer(
    caplog: pytest.LogCaptureFixture,
) -> None:
    writer = ResultWriter(uuid4())
    source: Any = SimpleNamespace(name="messages")
    job: Any = SimpleNamespace(subject="message:1", marked_at=timezone.now(), claimed_at=None)
    writer.add(Finished(source, Result(job, not_begun=True), []))
    writer.log_unwritten()
    assert caplog.messages == [
        "Not in the database, because it was away too long: message:1: never called"
    ]
