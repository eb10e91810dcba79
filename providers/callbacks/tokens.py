"""The valid callback addresses, cached for a few seconds in every process.

A wrong token is then rejected without a query, so guessing cannot keep the database busy.
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

CACHE_SECONDS: Final = 5.0
"""A revoked address may be accepted for this long."""
RELOAD_INTERVAL: Final = 0.1
"""Seconds. An unknown token may be new from another process, so it causes a reload, but guesses
cause no more than one reload in this time."""


@dataclass(frozen=True, slots=True)
class KnownToken:
    token_id: int
    account_id: int
    methods: frozenset[str]
    networks: tuple[str, ...]

    def allows_sender(self, address: Address | None) -> bool:
        """Whether the account accepts callbacks from this address; any, without a list."""
        return not self.networks or is_within(address, list(self.networks))


class KnownTokens:
    """All tokens that are not revoked, by digest."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._tokens: Mapping[str, KnownToken] = {}
        self._loaded_at = float("-inf")

    def find(self, token: str) -> KnownToken | None:
        digest = digest_of(token)
        age = time.monotonic() - self._loaded_at
        known = self._tokens.get(digest)
        if age > CACHE_SECONDS or (known is None and age > RELOAD_INTERVAL):
            self._reload()
            known = self._tokens.get(digest)
        return known

    def invalidate(self, **_: Any) -> None:
        """Reload with the next request. A receiver of signals about changes."""
        self._loaded_at = float("-inf")

    def _reload(self) -> None:
        with self._lock:
            if time.monotonic() - self._loaded_at <= RELOAD_INTERVAL:
                return
            rows = CallbackToken.objects.filter(revoked_at=None).select_related("account")
            self._tokens = {row.digest: _known(row) for row in rows}
            self._loaded_at = time.monotonic()


def _known(row: CallbackToken) -> KnownToken:
    client = row.account.client
    methods: frozenset[str] = frozenset()
    if client is not None and issubclass(client, ReceivesCallbacks):
        methods = client.callback_methods
    return KnownToken(row.pk, row.account_id, methods, tuple(row.account.networks))


known_tokens: Final = KnownTokens()


class WrongTokens:
    """Counts wrong tokens by sender, in this process. Correct tokens are never limited."""

    PER_MINUTE: Final = 60
    MAX_ADDRESSES: Final = 10_000

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._minute = 0
        self._counts: dict[str, int] = {}

    def count(self, address: Address | None) -> bool:
        """Count a wrong token from this address; True if that exceeds the limit."""
        minute = int(time.monotonic() // 60)
        key = str(address)
        with self._lock:
            if minute != self._minute or len(self._counts) >= self.MAX_ADDRESSES:
                self._minute, self._counts = minute, {}
            self._counts[key] = self._counts.get(key, 0) + 1
            return self._counts[key] > self.PER_MINUTE


wrong_tokens: Final = WrongTokens()
