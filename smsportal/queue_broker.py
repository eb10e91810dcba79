"""The queue in the database, with tasks that a former SECRET_KEY signed.

While SECRET_KEY is being replaced, the queue holds tasks of both keys, but its library knows one.
A task that one of SECRET_KEY_FALLBACKS signed is therefore signed anew when it is taken out.
"""

from __future__ import annotations

from collections.abc import Iterator

from django.conf import settings
from django.core.signing import BadSignature
from django_q.brokers.orm import ORM
from django_q.conf import Conf
from django_q.core_signing import TimestampSigner


class Broker(ORM):
    def dequeue(self) -> list[tuple[int, str]] | None:
        found = super().dequeue()
        return [(key, signed_anew(payload)) for key, payload in found] if found else found


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
