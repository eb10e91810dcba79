"""The sandbox's own faults, switched on at random during a run."""

from __future__ import annotations

import random
import time
from typing import Any

from sandbox.remote import Remote, RemoteError

GAP = (3.0, 15.0)
"""Seconds between two faults."""
MOST_CALLS = 6
"""Calls that one fault strikes."""
PROVIDERS = ("haorui", "haorui", "haosms", "otpservice", "gosms")
EITHER_WAY = (
    "html_500",
    "html_502",
    "html_503",
    "html_504",
    "html_200",
    "empty_200",
    "closed_after",
    "never_answers",
    "reset_after",
    "json_truncated",
    "json_list",
    "json_missing_keys",
    "bad_utf8",
)
"""Faults after which it is unknown whether the provider has carried out the request."""
OTHERS = (
    "reset_before",
    "too_many",
    "too_many_retry_after",
    "slow",
    "trickled_body",
    "json_duplicate_keys",
    "odd_text",
    "contradiction",
    "huge_body",
    "gzip_bomb",
    "keep_alive_closed",
    "keep_alive_reset",
)
OPTIONS: dict[str, dict[str, Any]] = {
    "callback_late": {"seconds": 15.0},
    "slow": {"seconds": 8.0},
}
PUSHES = ("callback_twice", "callback_late", "callback_overtaken", "callback_lost")


class ProviderFaults:
    def __init__(self, remote: Remote, seed: int) -> None:
        self._remote = remote
        self._chance = random.Random(f"providers {seed}")
        self._next = 0.0
        self.switched_on = 0

    def tick(self) -> None:
        """Switch a fault on if it is time."""
        now = time.monotonic()
        if now < self._next:
            return
        self._next = now + self._chance.uniform(*GAP)
        name = self._chance.choice((*EITHER_WAY, *OTHERS, *PUSHES))
        accept = self._chance.choice((True, False)) if name in EITHER_WAY else None
        provider, calls = self._chance.choice(PROVIDERS), self._chance.randint(1, MOST_CALLS)
        options = OPTIONS.get(name, {})
        try:
            self._remote.fault(name, provider=provider, calls=calls, accept=accept, **options)
            self.switched_on += 1
        except RemoteError:
            return

    def stop(self) -> None:
        self._next = float("inf")
        self._remote.clear_faults()
