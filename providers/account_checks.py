"""Account checks: free calls that test the login of an account and read its balance.

Staff or a schedule request a check, and the engine makes the call: no web process calls a
provider.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from django.conf import settings
from django.contrib.auth.models import User
from django.db import transaction

from core.pruning import delete_in_chunks

from . import clock
from .engine.wake import wake_engine
from .gateway.client import Client, ReportsBalance, ReportsProfile
from .models import Account, Enquiry

NOTHING_TO_CHECK: Final = "nothing_to_check"
"""The stored reason of a check of a provider that has no free call."""
RETENTION: Final = timedelta(days=30)
"""How long ended enquiries are kept. Their balance readings are kept longer."""


def is_checkable(client: type[Client] | None) -> bool:
    return client is not None and issubclass(client, ReportsBalance | ReportsProfile)


def request_check(account: Account, kind: Enquiry.Kind, by: User | None = None) -> Enquiry:
    """Queue a check, or return the open one of the same kind.

    If the provider has no free call, the enquiry is answered at once with the reason
    `NOTHING_TO_CHECK`.
    """
    if not is_checkable(account.client):
        now = clock.now()
        return Enquiry.objects.create(
            account=account,
            kind=kind,
            asked_by=by,
            state=Enquiry.State.ANSWERED,
            ended_at=now,
            reason=NOTHING_TO_CHECK,
        )
    with transaction.atomic():
        waiting = Enquiry.objects.filter(
            account=account, kind=kind, state__in=(Enquiry.State.QUEUED, Enquiry.State.CLAIMED)
        ).first()
        enquiry = waiting or Enquiry.objects.create(account=account, kind=kind, asked_by=by)
        wake_engine()
    return enquiry


def prune() -> int:
    """Delete enquiries and balance readings whose retention has passed."""
    now = clock.now()
    oldest = now - timedelta(days=settings.BALANCE_READING_DAYS)
    pruned = delete_in_chunks(Enquiry.objects.filter(ended_at__lt=now - RETENTION))
    for account in Account.objects.order_by():
        # The index has the readings by account.
        pruned += delete_in_chunks(account.readings.filter(read_at__lt=oldest))
    return pruned


def request_all_balances() -> int:
    """Request a balance reading of every account that has one. Called by the schedule."""
    requested = 0
    for account in Account.objects.all():
        if is_checkable(account.client):
            request_check(account, Enquiry.Kind.BALANCE)
            requested += 1
    return requested
