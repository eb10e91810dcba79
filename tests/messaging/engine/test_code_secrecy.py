"""A code of ours: in the row until its send is final, and nowhere else."""

from __future__ import annotations

import logging
from collections.abc import Callable
from uuid import uuid4

import pytest
from django.core import serializers
from django.db import connection, transaction
from django_q.models import OrmQ

from messaging import queue_message, settle_outcome
from messaging.engine.source import MessageSource
from messaging.models import Message
from providers.models import ApiCall
from sandbox import haosms
from sandbox.server import Sandbox
from tests.factories.accounts import make_account
from tests.factories.messages import CODE, make_message
from tests.factories.staff import make_user
from tests.support.engine import IMPATIENT, run_engine, send

pytestmark = pytest.mark.django_db(transaction=True)


def a_code(sandbox: Sandbox | None = None, **fields: object) -> Message:
    return make_message(make_account("haosms", sandbox), kind="own_code", **fields)


def stored(message: Message) -> str:
    message.refresh_from_db()
    return message.code.reveal() if message.code else ""


def test_it_is_gone_once_the_provider_took_it(sandbox: Sandbox) -> None:
    message = send(a_code(sandbox))
    assert (message.state, stored(message)) == ("submitted", "")


def test_it_is_gone_once_the_provider_refused_it(sandbox: Sandbox) -> None:
    message = send(a_code(sandbox, recipient="13912999001"))
    assert (message.state, stored(message)) == ("refused", "")


def test_it_is_gone_once_it_was_given_up() -> None:
    message = send(a_code(tries=2))
    assert (message.state, stored(message)) == ("not_sent", "")


def test_it_is_gone_once_it_was_cancelled() -> None:
    message = a_code()
    queue_message.cancel(message, make_user())
    assert stored(message) == ""


def test_it_is_still_there_while_it_waits_for_another_try() -> None:
    message = a_code()
    run_engine(lambda: Message.objects.filter(pk=message.pk, tries=1).exists())
    assert stored(message) == CODE


def test_it_is_still_there_while_the_outcome_is_unknown(sandbox: Sandbox) -> None:
    sandbox.fault("reset_after", provider="haosms")
    message = send(a_code(sandbox))
    assert (message.state, stored(message)) == ("unknown", CODE)


@pytest.mark.parametrize("settle", [settle_outcome.mark_sent, settle_outcome.mark_not_sent])
def test_it_is_gone_once_a_person_settled_it(settle: Callable[..., bool]) -> None:
    message = a_code(state="unknown")
    settle(message, make_user(), "Recipient has it")
    assert stored(message) == ""


@pytest.mark.parametrize("fault", ["", "html_502", "reset_after", "never_answers", "odd_text"])
def test_it_stands_neither_in_the_journal_nor_in_the_queue_nor_in_the_logs(
    sandbox: Sandbox, caplog: pytest.LogCaptureFixture, fault: str
) -> None:
    caplog.set_level(logging.DEBUG)
    if fault:
        sandbox.fault(fault, provider="haosms")
    message = send(a_code(sandbox), IMPATIENT)

    (call,) = ApiCall.objects.all()
    assert call.subject == f"message:{message.pk}"
    assert CODE not in serializers.serialize("json", ApiCall.objects.all())
    assert CODE not in serializers.serialize("json", Message.objects.all())
    assert all(CODE not in str(task.task) for task in OrmQ.objects.all())
    assert CODE not in caplog.text


def test_a_provider_that_repeats_the_code_does_not_bring_it_into_our_books(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(haosms, "PHONE_REFUSED", f"code {CODE} to 13912999001 refused")
    message = send(a_code(sandbox, recipient="13912999001"))

    assert message.state == "refused"
    for text in (message.words, ApiCall.objects.get().answer_body):
        assert CODE not in text
        assert "13912999001" not in text


def test_neither_a_job_nor_a_row_shows_it() -> None:
    message = a_code()
    with transaction.atomic():
        (job,) = MessageSource().claim(message.account, 1, uuid4())
    assert CODE not in repr(job)
    assert CODE not in f"{message!r}{message}{message.code}{message.code!r}"


def test_a_code_that_cannot_be_decrypted_is_refused_and_its_text_is_not_logged(
    sandbox: Sandbox, caplog: pytest.LogCaptureFixture
) -> None:
    message = a_code(sandbox)
    with connection.cursor() as cursor:
        cursor.execute("UPDATE messaging_message SET code = %s", ["gAAAA-not-a-token"])

    sent = send(message)

    assert (sent.state, sent.reason) == ("refused", "cannot_take")
    assert "Unreadable" in caplog.text
    assert "gAAAA" not in caplog.text
    assert sandbox.book.entries() == []
