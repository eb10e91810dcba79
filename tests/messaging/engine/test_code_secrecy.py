"""An own code is stored only in its row, and only until its send is final."""

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


def make_code_message(sandbox: Sandbox | None = None, **fields: object) -> Message:
    return make_message(make_account("haosms", sandbox), kind="own_code", **fields)


def stored_code(message: Message) -> str:
    message.refresh_from_db()
    return message.code.reveal() if message.code else ""


def test_code_is_wiped_when_the_provider_accepts(sandbox: Sandbox) -> None:
    message = send(make_code_message(sandbox))
    assert (message.state, stored_code(message)) == ("submitted", "")


def test_code_is_wiped_when_the_provider_refuses(sandbox: Sandbox) -> None:
    message = send(make_code_message(sandbox, recipient="13912999001"))
    assert (message.state, stored_code(message)) == ("refused", "")


def test_code_is_wiped_when_the_send_is_given_up() -> None:
    message = send(make_code_message(tries=2))
    assert (message.state, stored_code(message)) == ("not_sent", "")


def test_code_is_wiped_when_the_message_is_cancelled() -> None:
    message = make_code_message()
    queue_message.cancel(message, make_user())
    assert stored_code(message) == ""


def test_code_is_kept_for_the_next_try() -> None:
    message = make_code_message()
    run_engine(lambda: Message.objects.filter(pk=message.pk, tries=1).exists())
    assert stored_code(message) == CODE


def test_code_is_kept_while_the_outcome_is_unknown(sandbox: Sandbox) -> None:
    sandbox.fault("reset_after", provider="haosms")
    message = send(make_code_message(sandbox))
    assert (message.state, stored_code(message)) == ("unknown", CODE)


@pytest.mark.parametrize("settle", [settle_outcome.mark_sent, settle_outcome.mark_not_sent])
def test_code_is_wiped_when_a_person_settles_the_outcome(settle: Callable[..., bool]) -> None:
    message = make_code_message(state="unknown")
    settle(message, make_user(), "Recipient received it")
    assert stored_code(message) == ""


@pytest.mark.parametrize("fault", ["", "html_502", "reset_after", "never_answers", "odd_text"])
def test_code_is_absent_from_journal_queue_and_logs(
    sandbox: Sandbox, caplog: pytest.LogCaptureFixture, fault: str
) -> None:
    caplog.set_level(logging.DEBUG)
    if fault:
        sandbox.fault(fault, provider="haosms")
    message = send(make_code_message(sandbox), IMPATIENT)

    (call,) = ApiCall.objects.all()
    assert call.subject == f"message:{message.pk}"
    assert CODE not in serializers.serialize("json", ApiCall.objects.all())
    assert CODE not in serializers.serialize("json", Message.objects.all())
    assert all(CODE not in str(task.task) for task in OrmQ.objects.all())
    assert CODE not in caplog.text


def test_code_in_the_provider_words_is_redacted(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(haosms, "PHONE_REFUSED", f"code {CODE} to 13912999001 refused")
    message = send(make_code_message(sandbox, recipient="13912999001"))

    assert message.state == "refused"
    for text in (message.words, ApiCall.objects.get().answer_body):
        assert CODE not in text
        assert "13912999001" not in text


def test_repr_of_job_and_message_hides_the_code() -> None:
    message = make_code_message()
    with transaction.atomic():
        (job,) = MessageSource().claim(message.account, 1, uuid4())
    assert CODE not in repr(job)
    assert CODE not in f"{message!r}{message}{message.code}{message.code!r}"


def test_undecryptable_code_is_refused_and_not_logged(
    sandbox: Sandbox, caplog: pytest.LogCaptureFixture
) -> None:
    message = make_code_message(sandbox)
    with connection.cursor() as cursor:
        cursor.execute("UPDATE messaging_message SET code = %s", ["gAAAA-not-a-token"])

    sent = send(message)

    assert (sent.state, sent.reason) == ("refused", "cannot_take")
    assert "Unreadable" in caplog.text
    assert "gAAAA" not in caplog.text
    assert sandbox.book.entries() == []
