"""After 401 or 403, probe once a minute until a call succeeds."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from django.db.models import QuerySet

from providers.engine.due_query import Moment
from providers.gateway.errors import GatewayError
from providers.gateway.vocabulary import Reason

from ..models import Watch

BACKOFF: Final = timedelta(minutes=1)
AUTH_REASONS: Final = frozenset({Reason.CREDENTIALS, Reason.ACCOUNT_DISABLED})


def accounts_backing_off(now: datetime | Moment) -> QuerySet[Watch, int]:
    backing_off = Watch.objects.filter(quiet_until__gt=now)
    return backing_off.values_list("account_id", flat=True)


def take_probe(watch: Watch, now: datetime) -> bool:
    """Take this minute's probe. False: another process took it, or it is not due."""
    due = Watch.objects.filter(pk=watch.pk, quiet_until__lte=now)
    return bool(due.update(quiet_until=now + BACKOFF))


def note_error(account_id: int, error: GatewayError, now: datetime) -> None:
    """Start backing off if the provider rejected the credentials or the account."""
    if error.reason in AUTH_REASONS:
        Watch.objects.update_or_create(
            account_id=account_id, defaults={"quiet_until": now + BACKOFF}
        )


def end_backoff(account_id: int) -> None:
    Watch.objects.filter(account=account_id).exclude(quiet_until=None).update(quiet_until=None)
