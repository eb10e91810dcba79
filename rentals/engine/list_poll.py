"""Poll many open orders by the provider's lists: one call for a hundred of them.

1. Read the first page of `pending`, which states how many orders are pending.
2. Read all of `received`; codes come from there.
3. If more orders are missing than arrived meanwhile, they left `pending` in another way. Only then
   read every page of `pending` to find which. The last page comes first: an order that leaves
   during the reading moves later ones forward, to pages that are still to be read.

Absence from both lists proves nothing; it is the reason to look the order up. How a list is sorted
is not documented and may differ between pages, so the number of different orders in a reading tells
whether it was complete.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from math import ceil
from typing import Final

from providers.engine.work_source import Job
from providers.gateway.client import Client, RentsNumbers
from providers.gateway.errors import Refused
from providers.gateway.vocabulary import OrderState, Reason, Rental

PAGE_SIZE: Final = 100
MAX_PAGES: Final = 100
"""Per list and round: a provider whose list never ends must not block the account."""
MAX_RECEIVED_PAGES: Final = 20
"""Pages of `received` to read per round. No document says when the provider removes orders from
that list. If it is longer, the orders that left `pending` are looked up instead."""
MAX_DOUBTFUL: Final = 5
"""Orders to look up on the basis of an incomplete list."""


@dataclass(frozen=True, slots=True)
class Round:
    """Result of one round. `missing`: provider's ids that are in neither list."""

    received: tuple[Rental, ...]
    missing: frozenset[str]
    received_pages: int
    calls: int


@dataclass(slots=True)
class RoundJob(Job):
    waiting: Mapping[str, int]
    """Our id by the provider's id, of each pending order."""
    received_pages: int

    def run(self, client: Client) -> Round:
        if not isinstance(client, RentsNumbers):
            raise Refused(Reason.CANNOT_TAKE)
        return self._run_round(client)

    def _run_round(self, client: RentsNumbers) -> Round:
        pending = Listing(client, OrderState.PENDING)
        pending.read(1)
        received = Listing(client, OrderState.RECEIVED)
        if self.received_pages > MAX_RECEIVED_PAGES:
            return self._find_by_absence(pending, received)
        received.read_all(self.received_pages, max_pages=MAX_RECEIVED_PAGES)
        if received.pages > MAX_RECEIVED_PAGES:
            return self._find_by_absence(pending, received)
        gone = len(set(self.waiting) - set(received.rows)) - pending.total
        if gone > 0 and not received.is_complete:
            # Read the pages once more: an unordered list may now show other orders on them.
            received.read_all(received.pages)
        found = tuple(one for key, one in received.rows.items() if key in self.waiting)
        missing = self._missing(pending, received)
        calls = pending.calls + received.calls
        return Round(found, frozenset(missing), received.pages, calls)

    def _find_by_absence(self, pending: Listing, received: Listing) -> Round:
        """Read all of `pending`, and one page of `received` for its current length."""
        if not received.rows:
            received.read(1)
        pending.read_all(pending.pages)
        found = tuple(one for key, one in received.rows.items() if key in self.waiting)
        left = set(self.waiting) - set(received.rows)
        missing = left - set(pending.rows)
        if not pending.is_complete:
            unexplained = len(left) - pending.total
            missing = set(sorted(missing)[: min(max(unexplained, 1), MAX_DOUBTFUL)])
        calls = pending.calls + received.calls
        return Round(found, frozenset(missing), received.pages, calls)

    def _missing(self, pending: Listing, received: Listing) -> set[str]:
        left = set(self.waiting) - set(received.rows)
        unexplained = len(left) - pending.total - received.unseen
        # If others rent with the same key, the count alone proves nothing.
        shared = bool(set(pending.rows) - set(self.waiting))
        if unexplained <= 0 and not shared:
            return set()
        pending.read_all(pending.pages)
        missing = left - set(pending.rows)
        if pending.is_complete and received.is_complete:
            return missing
        return set(sorted(missing)[: min(max(unexplained, 1), MAX_DOUBTFUL)])


@dataclass
class Listing:
    """One of the provider's lists, as far as it has been read."""

    client: RentsNumbers
    state: OrderState
    rows: dict[str, Rental] = field(default_factory=dict)
    total: int = 0
    """As the latest answer stated it."""
    pages: int = 1
    calls: int = 0
    unreadable: int = 0

    @property
    def unseen(self) -> int:
        """Number of rows that no answer has shown."""
        return max(0, self.total - self.unreadable - len(self.rows))

    @property
    def is_complete(self) -> bool:
        return self.unseen == 0

    def read(self, page: int) -> None:
        self.calls += 1
        answer = self.client.list_orders(page=page, page_size=PAGE_SIZE, state=self.state)
        size = min(answer.page_size, PAGE_SIZE) or PAGE_SIZE
        self.total = answer.total
        self.pages = max(1, ceil(answer.total / size))
        self.unreadable += answer.unreadable
        self.rows.update({one.order_id: one for one in answer.rentals})

    def read_all(self, expected_pages: int, *, max_pages: int = MAX_PAGES) -> None:
        """Read from the last expected page down to the first. Then read the pages that have been
        added since the last round, unless the list has more than `max_pages`.
        """
        last = min(max(expected_pages, 1), MAX_PAGES)
        self._read(range(last, 0, -1))
        if max_pages == MAX_PAGES or self.pages <= max_pages:
            self._read(range(last + 1, min(self.pages, MAX_PAGES) + 1))

    def _read(self, pages: Iterable[int]) -> None:
        for page in pages:
            self.read(page)
