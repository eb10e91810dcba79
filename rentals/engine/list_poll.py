"""Following many open orders by the provider's lists: one call for a hundred of them.

The first page of `pending` tells how many orders wait. Then all of `received` is read, and
codes come from there. What is missing now, more than arrived meanwhile, has left in another
way, and only then every page of `pending` is read to tell which: the last page first, since
an order that leaves while the pages are read moves the later ones forward, towards pages
that are still to be read. That an order is in neither list proves nothing; it is the reason
to ask for it. In which order a list stands is not documented, and it may differ from page to
page: whether a reading was whole is told by the number of different orders in it.
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
"""Of one list in one round: a provider whose list never ends must not hold the account."""
MAX_RECEIVED_PAGES: Final = 20
"""Pages of `received` that are worth reading in each round. Nobody says when a provider takes
orders out of that list; where it has grown beyond this, what has left `pending` is asked for."""
MAX_DOUBTFUL: Final = 5
"""Orders that are asked for on the word of a list that was not read whole."""


@dataclass(frozen=True, slots=True)
class Round:
    """What one look at the lists showed. `missing` are ids that are in none of them."""

    received: tuple[Rental, ...]
    missing: frozenset[str]
    received_pages: int
    calls: int


@dataclass(slots=True)
class RoundJob(Job):
    waiting: Mapping[str, int]
    """The provider's id of each order that waits: our own."""
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
            # The same pages once more: in a list without an order they hold others now.
            received.read_all(received.pages)
        found = tuple(one for key, one in received.rows.items() if key in self.waiting)
        missing = self._missing(pending, received)
        calls = pending.calls + received.calls
        return Round(found, frozenset(missing), received.pages, calls)

    def _find_by_absence(self, pending: Listing, received: Listing) -> Round:
        """All of `pending`; of `received` one page, which tells how long it is by now."""
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
        # Where others rent with the same key, the number alone tells nothing.
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
    """One of the provider's lists, as far as it was read."""

    client: RentsNumbers
    state: OrderState
    rows: dict[str, Rental] = field(default_factory=dict)
    total: int = 0
    """As the newest answer stated it."""
    pages: int = 1
    calls: int = 0
    unreadable: int = 0

    @property
    def unseen(self) -> int:
        """How many of its rows were in no answer."""
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
        """The last page first; afterwards those that were not there at the last round, unless
        there are more than `max_pages`."""
        last = min(max(expected_pages, 1), MAX_PAGES)
        self._read(range(last, 0, -1))
        if max_pages == MAX_PAGES or self.pages <= max_pages:
            self._read(range(last + 1, min(self.pages, MAX_PAGES) + 1))

    def _read(self, pages: Iterable[int]) -> None:
        for page in pages:
            self.read(page)
