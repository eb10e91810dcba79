"""Sessions that cannot be saved: an outage differs from a session that has ended."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.contrib.sessions.backends.base import UpdateError
from django.db import OperationalError, connection
from django.test import Client

from messaging.models import Message
from smsportal.session_store import SessionStore
from tests.factories.accounts import make_account
from tests.support.signed_in import browser_of, member

pytestmark = pytest.mark.django_db


@contextmanager
def database_away_for_sessions() -> Iterator[None]:
    def execute(run: Callable[..., Any], sql: str, *arguments: Any) -> Any:
        if sql.startswith('UPDATE "django_session"'):
            raise OperationalError("the database system is shutting down")
        return run(sql, *arguments)

    with connection.execute_wrapper(execute):
        yield


def post_form(browser: Client, account_id: str) -> int:
    form = {"account": account_id, "recipient": "139 1234 5678", "form_token": "one"}
    text = {"sms_kind": "T", "sender_id": "HAORUI", "text": "Your parcel is here."}
    return browser.post("/messaging/message/send/", {**form, **text}).status_code


@pytest.fixture
def browser() -> Client:
    client = browser_of(member("operator"))
    client.raise_request_exception = False
    return client


def test_session_that_has_ended_is_not_saved() -> None:
    session = SessionStore()
    session.create()
    SessionStore(session.session_key).delete()
    with pytest.raises(UpdateError):
        session.save()


def test_outage_while_a_session_is_saved_is_reported_as_one() -> None:
    session = SessionStore()
    session.create()
    with database_away_for_sessions(), pytest.raises(OperationalError):
        session.save()


def test_form_during_an_outage_is_kept_and_may_be_sent_again(browser: Client) -> None:
    account = make_account()
    with database_away_for_sessions():
        assert post_form(browser, account.public_id) == 503
    assert post_form(browser, account.public_id) == 302
    assert Message.objects.count() == 1
