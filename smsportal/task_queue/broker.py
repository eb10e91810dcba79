"""The queue in the database: tasks that a former SECRET_KEY signed, and little work at rest.

While SECRET_KEY is being replaced, the queue holds tasks of both keys, but its library knows one.
A task that one of SECRET_KEY_FALLBACKS signed is therefore signed anew when it is taken out.

Two clusters that look for tasks twenty times a second take several percent of a core for nothing.
So a queue that has been empty for a while is asked less often.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Final

from django.conf import settings
from django.core.signing import BadSignature
from django_q.brokers.orm import ORM
from django_q.conf import Conf
from django_q.core_signing import TimestampSigner

RESTS_AFTER: Final = 3.0
"""Seconds without a task after which a queue is asked less often."""
REST: Final = 0.2
"""Seconds between two looks then. The first task after a rest waits for that long at most."""


class Broker(ORM):
    last_found = float("-inf")

    def dequeue(self) -> list[tuple[int, str]] | None:
        found = super().dequeue()  # Waits for `poll` if there is none.
        if found:
            self.last_found = time.monotonic()
        elif time.monotonic() - self.last_found > RESTS_AFTER:
            time.sleep(max(0.0, REST - Conf.POLL))
        return [(key, signed_anew(payload)) for key, payload in found] if found else found

    def get_stats(self, pattern: str) -> list[str]:
        """What the clusters say about themselves. The library's own writes to the cache, too."""
        if not self.cache:
            return []
        keys = self.cache.get(Conf.Q_STAT) or []
        found = (self.cache.get(key) for key in keys)
        return [value for value in found if value]


def signed_anew(payload: str) -> str:
    """The task with a signature of SECRET_KEY; unchanged if none of our keys signed it.

    Only the signature is read, never the task, which is a pickle.
    """
    for number, signer in enumerate(_signers()):
        try:
            value = signer.unsign(payload)
        except BadSignature:
            continue
        return payload if number == 0 else str(next(_signers()).sign(value))
    return payload


def is_ours(payload: str) -> bool:
    """Whether a queued task was signed with one of this host's keys. Does not unpickle it."""
    for signer in _signers():
        try:
            signer.unsign(payload)
        except BadSignature:
            continue
        return True
    return False


def _signers() -> Iterator[TimestampSigner]:
    """Of SECRET_KEY first, then of its fallbacks."""
    for key in (Conf.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS):
        yield TimestampSigner(key=key, salt=Conf.PREFIX)
