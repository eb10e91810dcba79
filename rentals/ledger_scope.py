"""What a ledger check has to compare: what changed since the last one.

All that a check says about an order follows from the order, from the provider's rows with its id,
and from how far these were read. So an order that has changed in none of these needs no comparison.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from django.db.models import QuerySet

from core.index_hints import of_account
from providers.models import Account

from .models import Finding, Order, Reading, Transaction
from .transactions import marked_doubled, variants_of

BOOKING_DELAY: Final = timedelta(minutes=10)
"""An order that changed this shortly before the books were read may not be booked yet."""
LATE: Final = timedelta(hours=1)
"""A change may be committed this long after the time that it states."""
WHOLE_EVERY: Final = timedelta(days=7)
"""A whole check finds what a person changed in the database."""
CHUNK: Final = 500


@dataclass(frozen=True, slots=True)
class Scope:
    """The provider's order ids to compare; None for all of them."""

    ids: frozenset[str] | None
    compared_whole_at: datetime | None
    """When everything was last compared, if this check does not do so."""

    def chunks(self) -> Iterable[list[str] | None]:
        if self.ids is None:
            return [None]
        ids = sorted(self.ids)
        return [ids[start : start + CHUNK] for start in range(0, len(ids), CHUNK)]


def scope_of(
    account: Account, readings: QuerySet[Reading], now: datetime, since: datetime
) -> Scope:
    """What a check at `now` has to compare. `readings` are the complete ones, newest first.

    `since`: where the compared period begins.
    """
    last = readings.exclude(compared_at=None).first()
    if last is None or last.compared_at is None or last.compared_whole_at is None:
        return Scope(None, None)
    if not now - WHOLE_EVERY < last.compared_whole_at <= now:
        return Scope(None, None)
    before = min(last.compared_at, last.started_at or last.asked_at) - BOOKING_DELAY - LATE
    return Scope(frozenset(_changed(account, before, since)) - {""}, last.compared_whole_at)


def _changed(account: Account, before: datetime, since: datetime) -> Iterable[str]:
    orders = of_account(Order.objects.filter(changed_at__gt=before), account.pk).order_by()
    yield from orders.values_list("provider_id", flat=True)
    booked = Transaction.objects.filter(account=account, read_at__gt=before).order_by()
    yield from booked.values_list("order_provider_id", flat=True)
    # An open finding may be gone, and few are open.
    still_open = Finding.objects.filter(account=account, gone_at=None, since__gt=since)
    yield from still_open.order_by().values_list("about", flat=True)
    for row in marked_doubled(account):
        yield row.order_provider_id
        yield from (one.order_provider_id for one in variants_of(row))
