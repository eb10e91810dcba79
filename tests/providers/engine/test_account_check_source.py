"""Sweeps of account checks that were not made in time or lost their loop."""

from __future__ import annotations

from datetime import timedelta
from uuid import uuid4

import pytest
from django.utils import timezone

from providers import account_checks
from providers.engine.account_check_source import EnquirySource
from providers.models import Enquiry
from tests.factories.accounts import make_account

pytestmark = pytest.mark.django_db(transaction=True)
CHECK = Enquiry.Kind.CHECK


def sweep(**changes: object) -> Enquiry:
    enquiry = account_checks.request_check(make_account("haosms"), CHECK)
    Enquiry.objects.filter(pk=enquiry.pk).update(**changes)
    EnquirySource().sweep()
    enquiry.refresh_from_db()
    return enquiry


def seconds_ago(seconds: int) -> object:
    return timezone.now() - timedelta(seconds=seconds)


def test_unclaimed_check_fails_after_four_minutes() -> None:
    enquiry = sweep(asked_at=seconds_ago(241))
    assert (enquiry.state, enquiry.reason) == ("failed", "too_late")


def test_recent_check_stays_queued() -> None:
    assert sweep(asked_at=seconds_ago(230)).state == "queued"


def test_check_of_a_dead_loop_is_queued_again() -> None:
    enquiry = sweep(state="claimed", claim=uuid4(), claimed_at=seconds_ago(121))
    assert (enquiry.state, enquiry.claim) == ("queued", None)


def test_check_in_progress_stays_claimed() -> None:
    assert sweep(state="claimed", claim=uuid4(), claimed_at=seconds_ago(60)).state == "claimed"
