"""Following many open orders by the provider's list: one call for a hundred of them.

The last page is read first: an order that ends while the pages are read moves the later
ones forward, towards pages that are still to be read, so none is overlooked. That an order
is missing from the list proves nothing; it is only the reason to ask for it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from math import ceil
from typing import Final

from providers.engine.sources import Job
from providers.gateway.client import Client, RentsNumbers
from providers.gateway.errors import Refused
from providers.gateway.vocabulary import OrderState, Reason, Rental

PAGE_SIZE: Final = 100
MOST_PAGES: Final = 100
"""Of one list in one round: a provider whose list never ends must not hold the account."""


@dataclass(frozen=True, slots=True)
class Round:
    """What one look at the lists showed. `missing` are ids that are in none of them."""

    received: tuple[Rental, ...]
    missing: frozenset[str]
    pending_pages: int
    received_pages: int
    calls: int


@dataclass(slots=True)
class RoundJob(Job):
    waiting: Mapping[str, int]
    """The provider's id of each order that waits: our own."""
    pending_pages: int
    received_pages: int

    def run(self, client: Client) -> Round:
        if not isinstance(client, RentsNumbers):
            raise Refused(Reason.CANNOT_TAKE)
        listing = Listing(client)
        pending = {one.order_id for one in listing.all_of(OrderState.PENDING, self.pending_pages)}
        missing = set(self.waiting) - pending
        pages = listing.pages
        received: list[Rental] = []
        received_pages = self.received_pages
        if len(missing) > received_pages:
            found = listing.all_of(OrderState.RECEIVED, received_pages)
            received = [one for one in found if one.order_id in missing]
            received_pages = listing.pages
        missing -= {one.order_id for one in received}
        return Round(tuple(received), frozenset(missing), pages, received_pages, listing.calls)


class Listing:
    """Reads every page of one list, the last one first."""

    def __init__(self, client: RentsNumbers) -> None:
        self._client = client
        self.calls = 0
        self.pages = 1
        """Of the list that was read last, as its newest page stated it."""

    def all_of(self, state: OrderState, expected_pages: int) -> Iterator[Rental]:
        last = min(max(expected_pages, 1), MOST_PAGES)
        for rows in self._pages(state, last):
            yield from rows

    def _pages(self, state: OrderState, last: int) -> Iterator[tuple[Rental, ...]]:
        self.pages = last
        for page in range(last, 0, -1):
            yield self._read(state, page)
        # New ones may have made the list longer than it was at the last round.
        for page in range(last + 1, min(self.pages, MOST_PAGES) + 1):
            yield self._read(state, page)

    def _read(self, state: OrderState, page: int) -> tuple[Rental, ...]:
        self.calls += 1
        answer = self._client.list_orders(page=page, page_size=PAGE_SIZE, state=state)
        size = min(answer.page_size, PAGE_SIZE) or PAGE_SIZE
        self.pages = max(1, ceil(answer.total / size))
        return answer.rentals
