"""Reading the provider's lists of orders and transactions, page by page, as work for the
engine.

In which order a provider lists is not said (GoSMS document, sections 6 and 7), and pages
shift while they are read. So a list counts as read when as many rows are known here as the
provider says that there are; until then it is read again, a few times. New rows stand at one
end in most lists, so the first page and then the last ones are looked at before the middle.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby
from math import ceil
from typing import ClassVar, Final
from uuid import UUID

from django.contrib.auth.models import User
from django.db import IntegrityError, transaction
from django.db.models import DateTimeField, Exists, OuterRef, QuerySet, Value
from django.db.models.functions import Coalesce
from django.utils import timezone

from core.pruning import delete_in_chunks
from core.redaction import storable
from providers.engine.claims import ClaimedRows, ClaimedRowSource, ClaimStates
from providers.engine.due_query import DueAccounts, Moment
from providers.engine.retry import next_try
from providers.engine.wake import wake_engine
from providers.engine.work_source import Job, Lane, Result
from providers.gateway.client import Client, RentsNumbers
from providers.gateway.errors import GatewayError, Refused
from providers.gateway.vocabulary import Outcome, Reason, RentalPage, TransactionPage
from providers.models import Account

from .. import order_import, reconciliation, transactions
from ..models import Order, Reading
from ..states import READING_STATES, OrderState

PAGE_SIZE: Final = 100
MOST_PAGES: Final = 2_000
USUAL_PAGES: Final = 20
"""Of the list of orders, where nobody asked for all of it: the day's, for most."""
MOST_PASSES: Final = 12
STALE: Final = timedelta(minutes=30)
LOOK_EVERY: Final = timedelta(seconds=20)
"""While the outcome of an order is looked for."""
KEPT_FOR: Final = timedelta(days=30)

K = Reading.Kind
R = Reading.State


def ask(account: Account, kind: str, by: User | None = None, *, whole: bool = False) -> Reading:
    """Have a list read. One that is being read already is not read twice."""
    try:
        with transaction.atomic():
            by_id = by.pk if by else None
            reading = Reading.objects.create(
                account=account, kind=kind, asked_by_id=by_id, whole=whole
            )
            wake_engine()
    except IntegrityError:
        waiting = Reading.objects.filter(
            account=account, kind=kind, state__in=(R.QUEUED, R.CLAIMED)
        )
        return waiting.get()
    return reading


def newest(account: Account, kind: str) -> Reading | None:
    return Reading.objects.filter(account=account, kind=kind).order_by("-pk").first()


def prune() -> int:
    """Delete readings of long ago, where the list was read again since, and all of it."""
    later = Reading.objects.filter(
        account=OuterRef("account"), kind=OuterRef("kind"), pk__gt=OuterRef("pk")
    )
    whole = later.filter(state=R.DONE, complete=True, whole=True)
    over = Reading.objects.filter(ended_at__lt=timezone.now() - KEPT_FOR)
    return delete_in_chunks(over.filter(Exists(whole)))


@dataclass(slots=True)
class PageJob(Job):
    kind: str
    page: int

    def run(self, client: Client) -> RentalPage | TransactionPage:
        if not isinstance(client, RentsNumbers):
            raise Refused(Reason.CANNOT_TAKE)
        if self.kind == K.ORDERS:
            return client.list_orders(page=self.page, page_size=PAGE_SIZE)
        return client.list_transactions(page=self.page, page_size=PAGE_SIZE)


def _due(now: datetime | Moment) -> QuerySet[Reading]:
    return _open_ones().filter(state=R.QUEUED, not_before__lte=now)


def _open_ones() -> QuerySet[Reading]:
    """Said as their partial index has it, for SQLite to see that it will do, and with the kind,
    for it to take that one."""
    return Reading.objects.filter(state__in=(R.QUEUED, R.CLAIMED), kind__in=list(K))


class ReadingSource(ClaimedRowSource):
    name: ClassVar[str] = "lists"
    lane: ClassVar[Lane] = Lane.BULK
    paid: ClassVar[bool] = False
    clients: ClassVar[type[Client]] = RentsNumbers

    def __init__(self) -> None:
        self.readings: ClaimedRows[Reading] = ClaimedRows(
            PageJob,
            lambda: _open_ones().filter(state=R.CLAIMED),
            ClaimStates(READING_STATES, queued=R.QUEUED, claimed=R.CLAIMED),
        )
        self.rows = (self.readings,)
        self._due_accounts = DueAccounts(_due)

    def accounts_with_work(self, accounts: Collection[int]) -> set[int]:
        return self._due_accounts.among(accounts, timezone.now())

    def claim(self, account: Account, limit: int, claim: UUID) -> Sequence[Job]:
        now = timezone.now()
        due = _due(now).filter(account=account).order_by("pk")[:limit]
        started_at = Coalesce("started_at", Value(now, output_field=DateTimeField()))
        return [
            PageJob(account.pk, f"reading:{row.pk}", row.pk, now, row.kind, row.page)
            for row in self.readings.claim(due, claim, now, started_at=started_at)
        ]

    def record(self, results: Sequence[Result], claim: UUID) -> None:
        now = timezone.now()
        for result in results:
            with transaction.atomic():
                held = self.readings.held(result.job, claim).select_related("account")
                reading = held.select_for_update(of=("self",)).first()
                if reading is None:
                    continue
                if result.error is not None:
                    _apply_error(reading, result.error, now)
                elif isinstance(result.value, RentalPage | TransactionPage):
                    _take_in(reading, result.value, now)
                else:
                    raise TypeError("Reading a list answers with a page of it.")

    def tidy(self, now: datetime) -> None:
        stale = _open_ones().filter(asked_at__lt=now - STALE, started_at=None)
        ended = {"reason": "too_late", "ended_at": now}
        READING_STATES.move(stale, R.FAILED, sources=(R.QUEUED,), **ended)
        look_for_lost_orders(now)


def look_for_lost_orders(now: datetime) -> None:
    """While an order's outcome is unknown, both lists are read every few seconds; once wholly,
    when it has had its time to appear, so that its absence proves something."""
    lost = Order.objects.filter(
        state=OrderState.UNKNOWN, answered_at__gt=now - reconciliation.LOOKED_FOR
    ).select_related("account")
    for account, orders in groupby(lost.order_by("account_id"), lambda order: order.account):
        overdue = [one for one in orders if now > _had_its_time(one)]
        for kind in (K.ORDERS, K.TRANSACTIONS):
            last = newest(account, kind)
            if last is None or (last.ended_at and last.ended_at < now - LOOK_EVERY):
                readings = (reconciliation.whole_reading_since(one, kind) for one in overdue)
                ask(account, kind, whole=not all(one.exists() for one in readings))


def _had_its_time(order: Order) -> datetime:
    return (order.answered_at or order.created_at) + reconciliation.SETTLE


def _take_in(reading: Reading, page: RentalPage | TransactionPage, now: datetime) -> None:
    account = reading.account
    if isinstance(page, RentalPage):
        new = order_import.take_in_page(account, page.rentals, now)
        rows, known = len(page.rentals), order_import.known(account)
    else:
        new = transactions.take_in_page(account, page.transactions, now)
        rows, known = len(page.transactions), transactions.known(account)
    size = min(page.page_size, PAGE_SIZE) or PAGE_SIZE
    reading.total, reading.pages = page.total, max(1, ceil(page.total / size))
    reading.new += new
    reading.unreadable += page.unreadable
    reading.calls += 1
    reading.tries = 0
    reading.complete = known + reading.unreadable >= page.total
    _go_on(reading, now, rows + page.unreadable)


def _go_on(reading: Reading, now: datetime, rows: int) -> None:
    following = _following_page(reading, rows)
    if following is not None:
        reading.page = following
        _leave(reading, R.QUEUED, claimed_at=None)
        return
    if not reading.complete and reading.passes < MOST_PASSES and reading.pages <= MOST_PAGES:
        reading.page, reading.passes, reading.unreadable = 1, reading.passes + 1, 0
        _leave(reading, R.QUEUED, claimed_at=None)
        return
    _end(reading, now)


def _following_page(reading: Reading, rows: int) -> int | None:
    """Page 1, then from the last one down to 2. An empty page is no end: the list may have
    become shorter than it was a moment ago."""
    enough = reading.complete and not reading.whole
    if enough and reading.kind == K.TRANSACTIONS:
        return None
    most = min(reading.pages, MOST_PAGES)
    if enough:
        most = min(most, USUAL_PAGES)
    following = most if reading.page == 1 else reading.page - 1
    if reading.page > most:
        following = most
    return following if following > 1 else None


def _end(reading: Reading, now: datetime) -> None:
    _leave(reading, R.DONE, ended_at=now)
    reconciliation.settle(reading.account, now)


_COUNTED: Final = (
    "page",
    "pages",
    "passes",
    "calls",
    "total",
    "unreadable",
    "new",
    "tries",
    "complete",
)


def _leave(reading: Reading, state: Reading.State, **changes: datetime | None) -> None:
    """Write down what was counted, and move the reading on."""
    counted = {name: getattr(reading, name) for name in _COUNTED}
    READING_STATES.set(reading, state, claim=None, **counted, **changes)


def _apply_error(reading: Reading, error: GatewayError, now: datetime) -> None:
    said = {"reason": error.reason, "words": storable(error.words), "claim": None}
    # A page costs nothing, so it is read again after an unknown outcome, too.
    again = None if error.outcome == Outcome.REFUSED else next_try(error, reading.tries, now)
    if again is None:
        READING_STATES.set(reading, R.FAILED, ended_at=now, **said)
        return
    changes = {"tries": again.tries, "not_before": again.not_before}
    READING_STATES.set(reading, R.QUEUED, **changes, **said)
