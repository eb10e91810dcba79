"""Load the accounts whose lease a loop holds, at each renewal of its leases."""

from __future__ import annotations

from collections.abc import Mapping

from .. import accounts
from ..models import Account
from .dispatch_round import LeasedAccount
from .hand_over import ages_of_last_calls
from .leases import Renewal
from .worker_pool import WorkerPool


def load(
    served: Mapping[int, LeasedAccount], renewal: Renewal, worker_pool: WorkerPool
) -> dict[int, LeasedAccount]:
    """The accounts to serve from now on, with what the loop knows of those that it served before.

    Accounts whose lease was lost are closed, so that none of their queued calls begins.
    """
    for lost in served.keys() - renewal.held:
        worker_pool.close_account(lost)
    found: dict[int, LeasedAccount] = {}
    # Slightly stale rows will do: after a new callback address the old one is valid for days.
    held = Account.objects.filter(pk__in=renewal.held)
    for account in held.prefetch_related("credentials", "callback_tokens"):
        client = account.client
        if client is None:
            continue
        before = served.get(account.pk)
        if before is None:
            _take_over(account, renewal, worker_pool)
        if account.is_paused:
            worker_pool.pause_account(account.pk)
        else:
            worker_pool.resume_account(account.pk)
        leased = LeasedAccount(account, client, accounts.decrypted_login_of(account))
        if before:
            leased.free_at, leased.bulk_throttle = before.free_at, before.bulk_throttle
        found[account.pk] = leased
    return found


def _take_over(account: Account, renewal: Renewal, worker_pool: WorkerPool) -> None:
    # A lease that was taken in an earlier attempt counts as cut off.
    cut_off = account.pk in renewal.cut_off or account.pk not in renewal.taken
    free_for = renewal.taken.get(account.pk, 0.0)
    ages = ages_of_last_calls(account, free_for, cut_off=cut_off)
    worker_pool.take_account_over(account, ages)
