"""Which callback addresses are ours. Every process keeps the list of them for a moment.

A wrong token is then told without the database, so nobody can keep it busy by guessing.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from core.client_address import Address, is_within

from ..accounts import digest_of
from ..gateway.client import ReceivesCallbacks
from ..models import CallbackToken

KEPT_FOR: Final = 5.0
"""Seconds. So long a revoked address may still be taken."""
LOOK_AGAIN: Final = 0.1
"""Seconds. A token that is not in the list may just have been made by another process; and
however many guesses come, the list is read no more often than this."""


@dataclass(frozen=True, slots=True)
class KnownToken:
    token_id: int
    account_id: int
    methods: frozenset[str]
    networks: tuple[str, ...]

    def may_come_from(self, address: Address | None) -> bool:
        """Whether the account takes reports from there; without a list from anywhere."""
        return not self.networks or is_within(address, list(self.networks))


class KnownTokens:
    """Every token that is not revoked, by its digest."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._tokens: Mapping[str, KnownToken] = {}
        self._read_at = float("-inf")

    def find(self, token: str) -> KnownToken | None:
        digest = digest_of(token)
        age = time.monotonic() - self._read_at
        known = self._tokens.get(digest)
        if age > KEPT_FOR or (known is None and age > LOOK_AGAIN):
            self._read()
            known = self._tokens.get(digest)
        return known

    def forget(self, **_: Any) -> None:
        """Read anew with the next request. Receives signals of what changed."""
        self._read_at = float("-inf")

    def _read(self) -> None:
        with self._lock:
            if time.monotonic() - self._read_at <= LOOK_AGAIN:
                return
            rows = CallbackToken.objects.filter(revoked_at=None).select_related("account")
            self._tokens = {row.digest: _known(row) for row in rows}
            self._read_at = time.monotonic()


def _known(row: CallbackToken) -> KnownToken:
    client = row.account.client
    methods: frozenset[str] = frozenset()
    if client is not None and issubclass(client, ReceivesCallbacks):
        methods = client.callback_methods
    return KnownToken(row.pk, row.account_id, methods, tuple(row.account.networks))


known_tokens: Final = KnownTokens()


class WrongTokens:
    """Counts guesses by address, in this process. Only wrong tokens ever meet this limit."""

    PER_MINUTE: Final = 60
    MOST_ADDRESSES: Final = 10_000

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._minute = 0
        self._counts: dict[str, int] = {}

    def are_too_many(self, address: Address | None) -> bool:
        """Count one more guess from there."""
        minute = int(time.monotonic() // 60)
        key = str(address)
        with self._lock:
            if minute != self._minute or len(self._counts) >= self.MOST_ADDRESSES:
                self._minute, self._counts = minute, {}
            self._counts[key] = self._counts.get(key, 0) + 1
            return self._counts[key] > self.PER_MINUTE


wrong_tokens: Final = WrongTokens()
