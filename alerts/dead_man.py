"""The ping: an address that is asked each minute, so that somebody notices if the portal is silent.

It says that the rules are evaluated, not only that a worker lives.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from django.db.models import Q

from core.secrets import Secret
from providers import clock

from . import transport
from .models import Watch

LEAST_GAP: Final = timedelta(seconds=45)
"""Of several hosts, one asks in this time."""
EVALUATED_WITHIN: Final = timedelta(minutes=5)


def ping() -> bool:
    """Ask the address, if there is one and it is due. Returns whether it was asked."""
    now = clock.now()
    rows = Watch.objects.filter(pk=Watch.SINGLETON).exclude(ping_shown="")
    # A time that is far ahead was written while a clock was wrong.
    free = (
        Q(ping_claimed_at=None)
        | Q(ping_claimed_at__lte=now - LEAST_GAP)
        | Q(ping_claimed_at__gt=now + LEAST_GAP)
    )
    lately = Q(evaluated_at__gt=now - EVALUATED_WITHIN, evaluated_at__lt=now + EVALUATED_WITHIN)
    if not rows.filter(free & lately).update(ping_claimed_at=now):
        return False
    url = rows.values_list("ping_url", flat=True).first()
    if not isinstance(url, Secret):
        return False
    sent = transport.ping(url)
    ended = clock.now()
    changes = {"ping_worked_at": ended} if sent.worked else {}
    rows.update(pinged_at=ended, ping_error=sent.error, ping_seconds=sent.seconds, **changes)
    return True
