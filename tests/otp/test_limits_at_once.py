"""Codes to one number that are sent at the same moment: one goes out."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User

from messaging.models import Message
from otp import limits
from otp.models import SentCode, Session
from providers.daily_limits import LimitReached
from providers.models import Account
from tests.factories.accounts import make_account
from tests.factories.codes import NUMBER, end_send_gap, make_sent_session, make_session
from tests.factories.staff import make_user
from tests.support.threads import at_once

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.each_database]
THREADS = 10


def try_to_send(account: Account, by: User) -> bool:
    try:
        make_session(account, by=by)
    except (limits.TooEarly, LimitReached):
        return False
    return True


@pytest.mark.parametrize("had_one", [False, True], ids=["first code", "later code"])
def test_of_ten_codes_at_once_one_can_be_sent(had_one: bool) -> None:
    """A code that was replaced before it left is cancelled, and then the next one may go."""
    account, by = make_account("haosms"), make_user()
    if had_one:
        make_sent_session(account, by=by)
        end_send_gap()
    assert any(at_once(lambda: try_to_send(account, by), THREADS))
    assert Message.objects.filter(state="queued").count() == 1
    assert Message.objects.exclude(state__in=("queued", "cancelled")).count() == had_one
    assert Session.objects.filter(state="pending").count() == 1
    assert limits.gap_left(NUMBER) > 30


def test_ten_who_send_at_once_within_a_minute_of_a_code_send_none() -> None:
    account, by = make_account("haosms"), make_user()
    make_sent_session(account, by=by)
    assert not any(at_once(lambda: try_to_send(account, by), THREADS))
    assert not Message.objects.filter(state="queued").exists()


def test_codes_at_once_to_many_numbers_stop_at_the_cap_of_their_range(settings: object) -> None:
    settings.CODES_PER_PREFIX = 4  # type: ignore[attr-defined]
    account, by = make_account("haosms"), make_user()
    recipients = iter(f"+86138123456{index:02}" for index in range(THREADS))

    def send() -> bool:
        try:
            make_session(account, by=by, recipient=next(recipients))
        except LimitReached:
            return False
        return True

    assert sum(at_once(send, THREADS)) == 4
    assert SentCode.objects.count() == 4
