"""The ledger check: compare the provider's transactions with our orders.

The check computes nothing that the provider states. A finding holds both sides. It closes when a
later check finds that both agree; an explained finding stays, with its reason.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Q, QuerySet

from core.distinct_values import distinct_values
from core.index_hints import of_account
from core.stored_texts import Stored
from providers import clock
from providers.models import Account

from . import transactions
from .finding_sides import our_side, provider_row
from .ledger_scope import BOOKING_DELAY, Scope, scope_of
from .models import Finding, FoundOrder, Order, Reading, Transaction
from .states import OrderState
from .transactions import variants_of

S = OrderState
K = Finding.Kind

DEPOSIT, HOLD, RELEASE, REFUND = "Deposit", "Hold", "Release", "Refund"
TYPES: Final = (DEPOSIT, HOLD, RELEASE, REFUND)
"""GoSMS document, section 6."""
LOOKBACK: Final = timedelta(days=90)
BOOKING_MARGIN: Final = timedelta(days=2)
"""A transaction is booked within this time of its order, so the transactions are read from that
much earlier than the orders."""
CHUNK: Final = 2_000
MAX_ROWS: Final = 20
"""Provider's rows kept with one finding."""
REFUND_EXPECTED: Final = (S.CANCELLED, S.EXPIRED)
"""States after which a hold is refunded (GoSMS document, section 4, 已冻结金额将退回账户)."""
NEVER_PLACED: Final = (S.QUEUED, S.CLAIMED, S.PLACING, S.REFUSED, S.NOT_CREATED, S.UNKNOWN)


@dataclass(frozen=True, slots=True)
class Disagreement:
    kind: str
    about: str
    order: Order | None
    rows: tuple[Transaction, ...]
    since: datetime


@dataclass(slots=True)
class Books:
    """The provider's transactions of one account, by the provider's order id."""

    rows: dict[str, list[Transaction]] = field(default_factory=lambda: defaultdict(list))
    read_at: datetime | None = None

    def rows_of(self, order_id: str, type_: str) -> list[Transaction]:
        return [row for row in self.rows.get(order_id, ()) if row.type == type_]


def check(account: Account, now: datetime | None = None) -> list[Finding]:
    """Compare, store new findings, and close those that agree now. Return the open findings.

    Compares what changed since the last check, and once a week everything (`ledger_scope`).

    Nothing is compared before the transactions have been read completely once: a transaction that
    was never read is not missing.
    """
    now = now or clock.now()
    read = _last_complete_reading(account)
    if read is None:
        return open_findings(account)
    scope = scope_of(account, _complete_readings(account), now, now - LOOKBACK)
    if scope.ids is None:
        transactions.mark_doubled(account, now)
    found = list(_compare(account, scope, _started_at(read), now))
    with transaction.atomic():
        for disagreement in found:
            _save_finding(account, disagreement, now)
        still_open = {(one.kind, one.about) for one in found}
        # Findings from before the compared period stay as they are.
        earlier = Finding.objects.filter(account=account, gone_at=None, since__gt=now - LOOKBACK)
        for finding in earlier:
            if (finding.kind, finding.about) not in still_open:
                Finding.objects.filter(pk=finding.pk).update(gone_at=now)
        Reading.objects.filter(pk=read.pk).update(
            compared_at=now, compared_whole_at=scope.compared_whole_at or now
        )
    return open_findings(account)


def open_findings(account: Account | None = None) -> list[Finding]:
    """Findings that are still open: neither explained nor closed by a later check."""
    rows = Finding.objects.filter(gone_at=None, explained_at=None)
    rows = rows.filter(account=account) if account else rows
    return list(rows.select_related("account", "order"))


@dataclass(frozen=True, slots=True)
class Comparison:
    """How far the ledger of one account was compared, and what is open."""

    account: Account
    compared_up_to: datetime | None
    """None if nothing was compared yet."""
    findings: int
    """Open findings of this account."""
    explained: int
    """Differences that staff have explained; they are still there."""
    was_read: bool
    """Whether its transactions were ever read completely."""

    @property
    def agrees(self) -> bool:
        return self.compared_up_to is not None and not self.findings + self.explained


def comparisons(accounts: Iterable[Account]) -> list[Comparison]:
    """What the ledger checks so far prove. Nothing else may say that the books agree."""
    there = Finding.objects.filter(gone_at=None).values_list("account", "explained_at")
    opened = Counter(account for account, explained_at in there if explained_at is None)
    explained = Counter(account for account, explained_at in there if explained_at is not None)
    return [
        Comparison(
            account,
            _compared_up_to(account),
            opened[account.pk],
            explained[account.pk],
            was_read=_last_complete_reading(account) is not None,
        )
        for account in accounts
    ]


def _compared_up_to(account: Account) -> datetime | None:
    compared = _complete_readings(account).exclude(compared_at=None).first()
    return _started_at(compared) if compared else None


def explain(finding: Finding, by: User, because: Stored) -> bool:
    """Mark a finding as explained, with name and reason; it no longer counts as open.

    False: it was explained already.
    """
    fresh = Finding.objects.filter(pk=finding.pk, explained_at=None)
    return bool(
        fresh.update(explained_at=clock.now(), explained_by_id=by.pk, explained_because=because)
    )


def _last_complete_reading(account: Account) -> Reading | None:
    return _complete_readings(account).first()


def _complete_readings(account: Account) -> QuerySet[Reading]:
    """Complete readings of the transactions, newest first."""
    done = Reading.objects.filter(
        account=account,
        kind=Reading.Kind.TRANSACTIONS,
        state=Reading.State.DONE,
        complete=True,
        started_at__isnull=False,
    )
    return done.order_by("-pk")


def _started_at(reading: Reading) -> datetime:
    """What was booked later may be missing from this reading."""
    return reading.started_at or reading.asked_at


def _compare(
    account: Account, scope: Scope, read_at: datetime, now: datetime
) -> Iterator[Disagreement]:
    books = Books(read_at=read_at)
    since = now - LOOKBACK - BOOKING_MARGIN
    recent = Q(created_there__gt=since) | Q(created_there=None, read_at__gt=since)
    booked = Transaction.objects.filter(recent).exclude(order_provider_id="")
    for ids in scope.chunks():
        rows = (
            booked.filter(account=account)
            if ids is None
            else of_account(booked.filter(order_provider_id__in=ids), account.pk)
        )
        for row in rows.defer("description", "differing").iterator(chunk_size=CHUNK):
            books.rows[row.order_provider_id].append(row)
    doubled = [
        (row, variants_of(row)) for row in transactions.marked_doubled(account).filter(recent)
    ]
    for row, variants in doubled:
        for one in variants:
            if one.order_provider_id != row.order_provider_id:
                books.rows[one.order_provider_id].append(one)
    ours = Order.objects.filter(account=account, created_at__gt=now - LOOKBACK)
    ours = ours.exclude(provider_id="").exclude(state__in=NEVER_PLACED)
    for ids in scope.chunks():
        some = ours if ids is None else ours.filter(provider_id__in=ids)
        for order in some.iterator(chunk_size=CHUNK):
            yield from _compare_order(order, books)
    yield from _unmatched_holds(account, books, now - LOOKBACK)
    yield from _unknown_types(account)
    yield from _doubled_ids(account, doubled)


def _compare_order(order: Order, books: Books) -> Iterator[Disagreement]:
    rows = tuple(books.rows.get(order.provider_id, ()))
    holds = books.rows_of(order.provider_id, HOLD)
    placed = order.answered_at or order.created_at
    if not holds and _should_be_booked(placed, books):
        yield Disagreement(K.ORDER_WITHOUT_HOLD, order.provider_id, order, rows, placed)
    if order.price is not None and any(row.amount != order.price for row in holds):
        yield Disagreement(K.PRICE_DIFFERS, order.provider_id, order, rows, placed)
    ended = order.ended_at
    expected = order.state in REFUND_EXPECTED and bool(holds)
    if (
        expected
        and ended
        and _should_be_booked(ended, books)
        and not books.rows_of(order.provider_id, REFUND)
    ):
        yield Disagreement(K.REFUND_MISSING, order.provider_id, order, rows, ended)


def _should_be_booked(moment: datetime, books: Books) -> bool:
    return books.read_at is not None and moment < books.read_at - BOOKING_DELAY


def _unmatched_holds(account: Account, books: Books, since: datetime) -> Iterator[Disagreement]:
    held = {
        order_id: holds
        for order_id, rows in books.rows.items()
        if (holds := [row for row in rows if row.type == HOLD])
    }
    ids = list(held)
    for start in range(0, len(ids), CHUNK):
        chunk = ids[start : start + CHUNK]
        ours = (
            Order.objects.filter(account=account, provider_id__in=chunk)
            .exclude(provider_id="")
            .order_by()
        )
        for order_id in sorted(set(chunk) - set(ours.values_list("provider_id", flat=True))):
            at = held[order_id][0].created_there or held[order_id][0].read_at
            if at > since:
                rows = tuple(books.rows[order_id])
                yield Disagreement(K.HOLD_WITHOUT_ORDER, order_id, None, rows, at)


def _unknown_types(account: Account) -> Iterator[Disagreement]:
    for type_ in {"", *distinct_values(Transaction, "type")} - set(TYPES):
        of_type = of_account(Transaction.objects.filter(type=type_), account.pk)
        rows = tuple(of_type.order_by("created_there")[:MAX_ROWS])
        if rows:
            at = rows[0].created_there or rows[0].read_at
            yield Disagreement(K.UNKNOWN_TYPE, type_, None, rows, at)


def _doubled_ids(
    account: Account, doubled: Iterable[tuple[Transaction, list[Transaction]]]
) -> Iterator[Disagreement]:
    for row, variants in doubled:
        if variants or row.repeated:
            orders = [one.order_provider_id for one in (row, *variants) if one.order_provider_id]
            order = Order.objects.filter(account=account, provider_id__in=orders).first()
            at = row.created_there or row.read_at
            yield Disagreement(K.DOUBLED_ID, row.provider_id, order, (row, *variants), at)


def _save_finding(account: Account, disagreement: Disagreement, now: datetime) -> None:
    values = {
        "order": disagreement.order,
        "ours": our_side(disagreement.order),
        "theirs": [provider_row(row) for row in disagreement.rows[:MAX_ROWS]],
        "seen_at": now,
        "gone_at": None,
    }
    Finding.objects.update_or_create(
        account=account,
        kind=disagreement.kind,
        about=disagreement.about,
        defaults=values,
        create_defaults={**values, "since": disagreement.since},
    )


def found_order_of(finding: Finding) -> FoundOrder | None:
    """The order in the provider's list that belongs to a hold without an order of ours."""
    rows = FoundOrder.objects.filter(account=finding.account_id, provider_id=finding.about)
    return rows.first()
