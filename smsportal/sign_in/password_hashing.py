"""Password hashes whose cost is bounded, whoever asks for them and how many at once.

A hash is made expensive in memory and time to slow down guessing. Without a bound, anybody could
make the portal pay that price in every thread at the same moment, without an account.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

from django.conf import settings
from django.contrib.auth.hashers import Argon2PasswordHasher, PBKDF2PasswordHasher

AT_ONCE: Final = 2
"""Hashes that one process computes at the same time."""
MAX_WAIT: Final = 2.0
"""Seconds that a request waits for its turn."""
LIGHT_KIBIBYTES: Final = 32 * 1024
"""A stored hash that needs more memory than this is verified alone."""


class HashingBusy(Exception):
    """Too many passwords are being hashed. The same request may succeed a moment later."""


class HashingSlots:
    """Admits `AT_ONCE` hashes, or a single heavy one, and a few that wait."""

    def __init__(self, waiting: int) -> None:
        self._changed = threading.Condition()
        self._free = AT_ONCE
        self._waiting = 0
        self._max_waiting = waiting

    @contextmanager
    def taken(self, weight: int = 1) -> Iterator[None]:
        """Hold `weight` slots. Raises `HashingBusy` if none becomes free in time."""
        self._take(weight)
        try:
            yield
        finally:
            with self._changed:
                self._free += weight
                self._changed.notify_all()

    def _take(self, weight: int) -> None:
        deadline = time.monotonic() + MAX_WAIT
        with self._changed:
            if self._free < weight and self._waiting >= self._max_waiting:
                raise HashingBusy
            self._waiting += 1
            try:
                while self._free < weight:
                    if not self._changed.wait(deadline - time.monotonic()):
                        raise HashingBusy
            finally:
                self._waiting -= 1
            self._free -= weight


# Half of a web server's threads remain for requests that need no hash.
slots: Final = HashingSlots(waiting=max(1, settings.WEB_THREADS // 2 - AT_ONCE))


class BoundedArgon2(Argon2PasswordHasher):
    """Argon2id with the cost that OWASP recommends: 19 MiB, 2 rounds, 1 lane.

    Django's default of 100 MiB is meant for a server that does nothing else. Its hashes remain
    valid, and are replaced when their owners sign in.
    """

    time_cost = 2
    memory_cost = 19 * 1024
    parallelism = 1

    def encode(self, password: str, salt: str) -> str:
        with slots.taken():
            return super().encode(password, salt)

    def verify(self, password: str, encoded: str) -> bool:
        is_heavy = self.decode(encoded)["memory_cost"] > LIGHT_KIBIBYTES
        with slots.taken(AT_ONCE if is_heavy else 1):
            return super().verify(password, encoded)


class BoundedPBKDF2(PBKDF2PasswordHasher):
    """For hashes that another Django application wrote."""

    def encode(self, password: str, salt: str, iterations: Any = None) -> str:
        with slots.taken():
            return super().encode(password, salt, iterations)
