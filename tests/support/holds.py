"""Begin a hold, and ask the engine's sources what they would send."""

from __future__ import annotations

from collections.abc import Collection
from uuid import uuid4

from django.db import transaction

from providers.engine.claims import ClaimedRowSource
from providers.engine.work_source import Job, sources
from providers.hold.holdable import Holdable, holdables
from providers.models import Account, Hold


def begin_hold() -> Hold:
    """Put everything that waits on hold, as `manage.py hold` does."""
    with transaction.atomic():
        hold = Hold.objects.create(cause=Hold.Cause.BY_HAND)
        for holdable in holdables():
            holdable.hold(hold)
    return hold


def holdable(name: str) -> Holdable:
    (found,) = (one for one in holdables() if one.name == name)
    return found


def count_undecided(hold: Hold) -> int:
    return sum(one.count_undecided(hold) for one in holdables())


def release_all(hold: Hold) -> int:
    return sum(
        one.release(hold, group.key, None, None)
        for one in holdables()
        for group in one.groups(hold)
    )


def discard_all(hold: Hold) -> int:
    return sum(
        one.discard(hold, group.key, None, None, "A reason")
        for one in holdables()
        for group in one.groups(hold)
    )


def never_repeated_sources() -> list[ClaimedRowSource]:
    """The sources whose calls must not be repeated."""
    claimed = [source for source in sources() if isinstance(source, ClaimedRowSource)]
    return [source for source in claimed if not all(rows.may_repeat for rows in source.rows)]


def claim_all(accounts: Collection[Account] | None = None) -> list[Job]:
    """Claim whatever is due, as a loop does, until nothing is."""
    found: list[Job] = []
    for source in never_repeated_sources():
        for account in Account.objects.all() if accounts is None else accounts:
            found += _claim(source, account)
    return found


def _claim(source: ClaimedRowSource, account: Account) -> list[Job]:
    found: list[Job] = []
    while True:
        due = source.accounts_with_work([account.pk])
        with transaction.atomic():
            jobs = list(source.claim(account, 1_000, uuid4()))
        assert bool(due) or not jobs, "claimed what was not due"
        if not jobs:
            return found
        found += jobs
