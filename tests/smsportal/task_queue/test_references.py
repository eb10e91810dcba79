"""The reference of a request follows what it queued: into the log, the acts and the journal."""

from __future__ import annotations

import logging
import queue
from collections.abc import Iterator
from datetime import UTC, datetime
from multiprocessing import Value
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django_q import worker
from django_q.conf import Conf
from django_q.models import OrmQ
from django_q.signing import SignedPackage
from django_q.tasks import async_task

from core import request_reference
from core.acts import record_act
from core.models import Act
from providers import journal
from providers.gateway.call import CallRecord
from providers.gateway.vocabulary import Outcome
from providers.models import ApiCall
from smsportal.middleware.request_id import RequestIdFilter
from smsportal.task_queue import references as queued_references
from tests.factories.accounts import make_account
from tests.support.signed_in import browser_of, member

pytestmark = pytest.mark.django_db
OURS = "ABCD-2345"


@pytest.fixture(autouse=True)
def _outside_of_requests() -> Iterator[None]:
    request_reference.set_current("")
    yield
    request_reference.set_current("")


def queued() -> dict[str, Any]:
    found: dict[str, Any] = SignedPackage.loads(OrmQ.objects.get().payload)
    return found


def note() -> None:
    logging.getLogger("smsportal.test").warning("inside")


def test_lines_of_a_task_have_the_reference_of_its_request(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    request_reference.set_current(OURS)
    async_task("messaging.batches.tasks.read", 1)
    request_reference.set_current("")
    task = {**queued(), "func": note, "args": ()}
    tasks: queue.Queue[Any] = queue.Queue()
    for one in (task, {**task, queued_references.ENTRY: "not a reference\n"}, "STOP"):
        tasks.put(one)
    # A worker ends after a task if its process, here that of all tests, has grown too large.
    monkeypatch.setattr(Conf, "MAX_RSS", None)
    caplog.handler.addFilter(RequestIdFilter())
    with caplog.at_level(logging.INFO, "django-q"):
        worker.worker(tasks, queue.Queue(), Value("f", -1))
    lines = [(one.getMessage(), getattr(one, "request_id", "")) for one in caplog.records]
    assert [reference for text, reference in lines if text == "inside"] == [OURS, "-"]
    assert OURS not in {reference for text, reference in lines if text != "inside"}


@pytest.mark.parametrize("func", sorted(queued_references.SHARED))
def test_task_that_serves_all_has_the_reference_of_none(func: str) -> None:
    request_reference.set_current(OURS)
    async_task(func)
    assert queued_references.ENTRY not in queued()


def test_task_outside_of_a_request_has_no_reference() -> None:
    async_task("messaging.batches.tasks.read", 1)
    assert queued_references.ENTRY not in queued()


# --- acts and calls --------------------------------------------------------------------


def make_record(subject: str) -> CallRecord:
    return CallRecord(
        operation="send",
        subject=subject,
        started_at=datetime(2026, 1, 1, tzinfo=UTC),
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


def write_call(subject: str) -> ApiCall:
    account = make_account()
    journal.write([(account.pk, make_record(subject))])
    return ApiCall.objects.get()


def act_of(reference: str, subject: str) -> None:
    request_reference.set_current(reference)
    record_act("message.send", by=None, subject=subject)
    request_reference.set_current("")


@pytest.mark.each_database
def test_call_has_the_reference_of_the_last_request_about_its_subject() -> None:
    act_of("AAAA-2222", "message:7")
    act_of(OURS, "message:7")
    act_of("", "message:7")
    act_of("BBBB-2222", "message:8")
    assert write_call("message:7").request_id == OURS


@pytest.mark.each_database
@pytest.mark.parametrize("subject", ["", "message:7"])
def test_call_without_a_request_has_no_reference(subject: str) -> None:
    act_of("BBBB-2222", "message:8")
    assert write_call(subject).request_id is None


def test_act_has_the_reference_of_its_page(client: Client) -> None:
    answer = client.post("/login/", {"username": "nobody", "password": "wrong"})
    act = Act.objects.get(what="sign_in.fail")
    assert act.request_id == answer["X-Request-ID"]
    assert request_reference.parse(act.request_id) == act.request_id


@pytest.fixture
def manager() -> User:
    return member("manager")


def test_page_of_a_call_shows_the_reference_and_search_finds_it(manager: User) -> None:
    act_of(OURS, "message:7")
    call = write_call("message:7")
    journal.write([(call.account_id, make_record("message:8"))])
    browser = browser_of(manager)
    page = browser.get(f"/providers/apicall/{call.pk}/change/").content.decode()
    assert f'<code translate="no">{OURS}</code>' in page
    found = browser.get("/providers/apicall/", {"q": OURS.lower()}).context["cl"]
    assert [row.pk for row in found.result_list] == [call.pk]
