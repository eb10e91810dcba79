"""A session that is ended stays ended, whatever it does at the same moment."""

from __future__ import annotations

from contextlib import suppress

import pytest
from django.contrib.sessions.exceptions import SessionInterrupted
from django.contrib.sessions.models import Session
from django.test import RequestFactory

from smsportal.sign_in.sessions import end_sessions, renew_key
from tests.support.signed_in import browser_of, member
from tests.support.threads import at_once

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.each_database]


@pytest.mark.parametrize("attempt", range(8))
def test_confirmation_at_the_same_moment_saves_no_session(attempt: int) -> None:
    user = member("viewer")
    request = RequestFactory().post("/")
    request.session = browser_of(user).session
    turns = iter(["end", "renew"] if attempt % 2 else ["renew", "end"])

    def act() -> None:
        if next(turns) == "end":
            end_sessions(user)
        else:
            with suppress(SessionInterrupted):
                renew_key(request)

    at_once(act, 2)
    assert not Session.objects.exists()
