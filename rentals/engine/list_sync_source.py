"""Work source that reads the provider's lists of orders and transactions, page by page.

How a list is sorted is not documented (GoSMS document, sections 6 and 7), and pages shift during
the reading. So a list counts as read when the portal knows as many rows as the provider states;
until then it is read again, a few times. Most lists have their new rows at one end, so the first
page and then the last ones are read before the middle.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from itertools import groupby
from math import ceil
from typing import ClassVar, Final
from uuid import UUID

from django.contrib.auth.models import User
from django.db import IntegrityError, transaction
from django.db.models import DateTimeField, Exists, OuterRef, QuerySet, Value
from django.db.models.functions import Coalesce

from core.pruning import delete_in_chunks
from core.redaction import storable
from providers import clock
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
MAX_PAGES: Final = 2_000
USUAL_PAGES: Final = 20
"""Pages of the order list to read unless all were requested; for most accounts, a day's orders."""
MAX_PASSES: Final = 12
STALE_AFTER: Final = timedelta(minutes=30)
SEARCH_EVERY: Final = timedelta(seconds=20)
"""Interval between readings while an order's outcome is unknown."""
RETENTION: Final = timedelta(days=30)

K = Reading.Kind
R = Reading.State


def request_reading(
    account: Account, kind: str, by: User | None = None, *, whole: bool = False
) -> Reading:
    """Queue a reading and wake the engine, or return the open reading of this list.

    `whole`: read every page, even if nothing seems new.
    """
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


def newest_reading(account: Account, kind: str) -> Reading | None:
    return Reading.objects.filter(account=account, kind=kind).order_by("-pk").first()


def prune() -> int:
    """Delete old readings of lists that have since been read completely; return how many."""
    later = Reading.objects.filter(
        account=OuterRef("account"), kind=OuterRef("kind"), pk__gt=OuterRef("pk")
    )
    whole = later.filter(state=R.DONE, complete=True, whole=True)
    old = Reading.objects.filter(ended_at__lt=clock.now() - RETENTION)
    return delete_in_chunks(old.filter(Exists(whole)))


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
    return _open_readings().filter(state=R.QUEUED, not_before__lte=now)


def _open_readings() -> QuerySet[Reading]:
    """Open readings, selected by the condition of their partial index.

    SQLite does not use the index without that condition, and prefers another one without the kinds.
    """
    return Reading.objects.filter(state__in=(R.QUEUED, R.CLAIMED), kind__in=list(K))


class ListSyncSource(ClaimedRowSource):
    name: ClassVar[str] = "lists"
    lane: ClassVar[Lane] = Lane.BULK
    paid: ClassVar[bool] = False
    never_repeated: ClassVar[bool] = False
    clients: ClassVar[type[Client]] = RentsNumbers

    def __init__(self) -> None:
        self.readings: ClaimedRows[Reading] = ClaimedRows(
            PageJob,
            lambda: _open_readings().filter(state=R.CLAIMED),
            ClaimStates(READING_STATES, queued=R.QUEUED, claimed=R.CLAIMED),
        )
        self.rows = (self.readings,)
        self._due_accounts = DueAccounts(_due)

    def accounts_with_work(self, accounts: Collection[int]) -> set[int]:
        return self._due_accounts.among(accounts, clock.now())

    def claim(self, account: Account, limit: int, claim: UUID) -> Sequence[Job]:
        now = clock.now()
        due = _due(now).filter(account=account).order_by("pk")[:limit]
        started_at = Coalesce("started_at", Value(now, output_field=DateTimeField()))
        return [
            PageJob(account.pk, f"reading:{row.pk}", row.pk, now, row.kind, row.page)
            for row in self.readings.claim(due, claim, now, started_at=started_at)
        ]

    def record(self, results: Sequence[Result], claim: UUID) -> None:
        now = clock.now()
        for result in results:
            with transaction.atomic():
                held = self.readings.held(result.job, claim).select_related("account")
                reading = held.select_for_update(of=("self",)).first()
                if reading is None:
                    continue
                if result.error is not None:
                    _apply_error(reading, result.error, now)
                elif isinstance(result.value, RentalPage | TransactionPage):
                    _apply_page(reading, result.value, now)
                else:
                    raise TypeError("Reading a list answers with a page of it.")

    def tidy(self, now: datetime) -> None:
        stale = _open_readings().filter(asked_at__lt=now - STALE_AFTER, started_at=None)
        ended = {"reason": "too_late", "ended_at": now}
        READING_STATES.move(stale, R.FAILED, sources=(R.QUEUED,), **ended)
        search_for_lost_orders(now)


def search_for_lost_orders(now: datetime) -> None:
    """Read both lists every 20 seconds while an order's outcome is unknown.

    Once the order has had time to appear, one reading covers every page, so that its absence proves
    something.
    """
    lost = Order.objects.filter(
        state=OrderState.UNKNOWN, answered_at__gt=now - reconciliation.SEARCH_PERIOD
    ).select_related("account")
    for account, orders in groupby(lost.order_by("account_id"), lambda order: order.account):
        overdue = [one for one in orders if now > _appears_by(one)]
        for kind in (K.ORDERS, K.TRANSACTIONS):
            last = newest_reading(account, kind)
            if last is None or (last.ended_at and last.ended_at < now - SEARCH_EVERY):
                readings = (reconciliation.full_readings_since(one, kind) for one in overdue)
                request_reading(account, kind, whole=not all(one.exists() for one in readings))


def _appears_by(order: Order) -> datetime:
    return (order.answered_at or order.created_at) + reconciliation.APPEARANCE_DELAY


def _apply_page(reading: Reading, page: RentalPage | TransactionPage, now: datetime) -> None:
    account = reading.account
    if isinstance(page, RentalPage):
        ids = [row.order_id for row in page.rentals]
        new = order_import.import_page(account, page.rentals, now)
        rows, known = len(page.rentals), order_import.count_known(account)
    else:
        ids = [row.transaction_id for row in page.transactions]
        new = transactions.import_page(account, page.transactions, now)
        rows, known = len(page.transactions), transactions.count_known(account)
    size = min(page.page_size, PAGE_SIZE) or PAGE_SIZE
    reading.total, reading.pages = page.total, max(1, ceil(page.total / size))
    reading.new += new
    reading.new_in_pass += new
    reading.seen_in_pass += rows + page.unreadable
    listed = "\n".join((reading.pass_digest, *ids))
    reading.pass_digest = sha256(listed.encode(errors="surrogatepass")).hexdigest()
    reading.unreadable += page.unreadable
    reading.calls += 1
    reading.tries = 0
    reading.complete = known + reading.unreadable >= page.total
    _advance(reading, now, rows + page.unreadable)


def _advance(reading: Reading, now: datetime, rows: int) -> None:
    following = _next_page(reading, rows)
    if following is not None:
        reading.page = following
        _save(reading, R.QUEUED, claimed_at=None)
        return
    if _repeats_itself(reading):
        reading.complete = True
    elif not reading.complete and reading.passes < MAX_PASSES and reading.pages <= MAX_PAGES:
        reading.page, reading.passes, reading.unreadable = 1, reading.passes + 1, 0
        reading.seen_in_pass = reading.new_in_pass = 0
        reading.earlier_digest, reading.pass_digest = reading.pass_digest, ""
        _save(reading, R.QUEUED, claimed_at=None)
        return
    _end(reading, now)


def _repeats_itself(reading: Reading) -> bool:
    """Whether a second pass has shown the whole list in the same order, and nothing new.

    Then some rows have the same id, and another pass would show nothing else. In a list whose order
    changes, rows that appear twice may hide others.
    """
    return (
        reading.passes > 1
        and not reading.new_in_pass
        and reading.pass_digest == reading.earlier_digest
        and reading.seen_in_pass >= (reading.total or 0)
    )


def _next_page(reading: Reading, rows: int) -> int | None:
    """Page 1, then from the last page down to page 2; None at the end.

    An empty page does not end the reading: the list may have become shorter meanwhile.
    """
    enough = reading.complete and not reading.whole
    if enough and reading.kind == K.TRANSACTIONS:
        return None
    last_page = min(reading.pages, MAX_PAGES)
    if enough:
        last_page = min(last_page, USUAL_PAGES)
    following = last_page if reading.page == 1 else reading.page - 1
    if reading.page > last_page:
        following = last_page
    return following if following > 1 else None


def _end(reading: Reading, now: datetime) -> None:
    _save(reading, R.DONE, ended_at=now)
    reconciliation.settle(reading.account, now)


_COUNTED: Final = (
    "page",
    "pages",
    "passes",
    "calls",
    "total",
    "unreadable",
    "new",
    "seen_in_pass",
    "new_in_pass",
    "pass_digest",
    "earlier_digest",
    "tries",
    "complete",
)


def _save(reading: Reading, state: Reading.State, **changes: datetime | None) -> None:
    """Save the counters and move the reading's state."""
    counted = {name: getattr(reading, name) for name in _COUNTED}
    READING_STATES.set(reading, state, claim=None, **counted, **changes)


def _apply_error(reading: Reading, error: GatewayError, now: datetime) -> None:
    answer = {"reason": error.reason, "words": storable(error.words), "claim": None}
    # Reading a page is free, so an unknown outcome is retried, too.
    again = None if error.outcome == Outcome.REFUSED else next_try(error, reading.tries, now)
    if again is None:
        READING_STATES.set(reading, R.FAILED, ended_at=now, **answer)
        return
    changes = {"tries": again.tries, "not_before": again.not_before}
    READING_STATES.set(reading, R.QUEUED, **changes, **answer)
