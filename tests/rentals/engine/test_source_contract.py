"""The work sources of rented numbers pass the contract of every work source."""

from __future__ import annotations

from datetime import timedelta

from django.utils import timezone

from providers.models import Account
from rentals import cancel_requests, poll_intervals
from rentals.engine.cancel_source import CancelJob, CancelSource
from rentals.engine.list_poll import RoundJob
from rentals.engine.list_poll_source import PollSource
from rentals.engine.list_sync_source import ListSyncSource, PageJob
from rentals.engine.lookup_source import ContentSource, LookupJob
from rentals.engine.place_source import PlaceJob, PlaceSource
from rentals.models import Reading
from tests.factories.accounts import make_account
from tests.factories.orders import make_order, make_rented
from tests.factories.staff import make_user
from tests.support.work_source_contract import NeverRepeatedContract, RepeatableContract

LONG_AGO = timedelta(minutes=1)


class TestOrders(NeverRepeatedContract):
    source_class = PlaceSource
    job_class = PlaceJob

    def make_due(self, count: int) -> Account:
        account = make_account("gosms")
        for region in ("ID", "PH", "VN")[:count]:
            make_order(account, region=region)
        return account


class TestCancels(NeverRepeatedContract):
    source_class = CancelSource
    job_class = CancelJob

    def make_due(self, count: int) -> Account:
        account, by = make_account("gosms"), make_user("rentals.cancel_order")
        for _ in range(count):
            assert cancel_requests.request_cancel(make_rented(account), by, then_rent=False)
        return account


class TestLookups(RepeatableContract):
    source_class = PollSource
    job_class = LookupJob

    def make_due(self, count: int) -> Account:
        account = make_account("gosms")
        for _ in range(count):
            make_rented(account, next_poll_at=timezone.now() - LONG_AGO)
        return account


class TestRounds(RepeatableContract):
    source_class = PollSource
    job_class = RoundJob
    rows_at_once = 1

    def make_due(self, count: int) -> Account:
        account = make_account("gosms")
        for _ in range(poll_intervals.MAX_ONE_BY_ONE + 1):
            make_rented(account)
        return account


class TestContents(RepeatableContract):
    source_class = ContentSource
    job_class = LookupJob

    def make_due(self, count: int) -> Account:
        account = make_account("gosms")
        for _ in range(count):
            make_rented(account, state="received", next_poll_at=timezone.now() - LONG_AGO)
        return account


class TestLists(RepeatableContract):
    source_class = ListSyncSource
    job_class = PageJob
    rows_at_once = 2

    def make_due(self, count: int) -> Account:
        account = make_account("gosms")
        for kind in list(Reading.Kind)[:count]:
            Reading.objects.create(account=account, kind=kind)
        return account
