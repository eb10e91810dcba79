"""The engine's work source for batch messages, in the bulk lane so that staff never wait."""

from __future__ import annotations

import time
from collections.abc import Collection, Sequence
from datetime import datetime
from itertools import count
from typing import ClassVar, Final
from uuid import UUID

from django.contrib.auth.models import User
from django.db.models import QuerySet

from providers import clock
from providers.engine.due_query import DueAccounts, Moment
from providers.engine.work_source import Job, Lane
from providers.models import Account

from ..engine.claim_sql import accounts_with_due, due_of_batch
from ..engine.source import MessageJob, MessageSource
from ..models import Batch
from . import early_failures, lifecycle, progress
from .states import BatchState

PERMISSION_CACHE_SECONDS: Final = 5.0
"""Seconds for which a sender's permission is cached."""


def _moving_batches(now: datetime | Moment) -> QuerySet[Batch]:
    return Batch.objects.filter(
        state=BatchState.SENDING, hold=None, moved_at__gt=now - lifecycle.STALLED_AFTER
    )


class BatchSource(MessageSource):
    """Serves the messages of batches that are sending, have not stalled, and whose sender
    still has the permission. Claiming and recording work as for any message."""

    name: ClassVar[str] = "batches"
    lane: ClassVar[Lane] = Lane.BULK

    def __init__(self) -> None:
        super().__init__()
        self._moving_batches = DueAccounts(_moving_batches)
        self._turn = count()
        self._permissions: dict[int, tuple[float, bool]] = {}

    def accounts_with_work(self, accounts: Collection[int]) -> set[int]:
        found = set()
        now = clock.now()
        with_batches = self._moving_batches.among(accounts, now)
        for batch in self._permitted_batches(with_batches) if with_batches else ():
            if batch.account_id not in found:
                found |= accounts_with_due([batch.account_id], due_of_batch(batch.pk, now))
        return found

    def claim(self, account: Account, limit: int, claim: UUID) -> Sequence[Job]:
        """Claim from the account's batches in rotation, so that no batch waits for another."""
        running = self._permitted_batches([account.pk])
        first = next(self._turn) % len(running) if running else 0
        now = clock.now()
        jobs: list[MessageJob] = []
        for batch in (*running[first:], *running[:first]):
            if len(jobs) < limit:
                due = due_of_batch(batch.pk, now, claiming=True)
                claimed = self.messages.claim_due(due, account, limit - len(jobs), claim)
                jobs.extend(claimed)
                if claimed:
                    lifecycle.record_movement(batch, now)
        return jobs

    def sweep(self) -> None:
        """Maintain the batches only: the source of all messages sweeps their claims."""
        lifecycle.pause_stalled()
        lifecycle.pause_unpermitted()
        early_failures.pause_failing()
        progress.sample_speed()
        lifecycle.finish_completed()

    def _permitted_batches(self, accounts: Collection[int]) -> list[Batch]:
        running = _moving_batches(clock.now()).filter(account__in=accounts)
        columns = ("account", "answerable", "moved_at")
        return [
            batch for batch in running.order_by("pk").only(*columns) if self._is_permitted(batch)
        ]

    def _is_permitted(self, batch: Batch) -> bool:
        """Whether the sender may still send. Cached, because this runs many times a second."""
        pk = batch.answerable_id
        if pk is None:
            return False
        at, may = self._permissions.get(pk, (0.0, False))
        now = time.monotonic()
        if not at or now - at > PERMISSION_CACHE_SECONDS:
            may = lifecycle.may_send(User.objects.filter(pk=pk).first())
            self._permissions[pk] = (now, may)
        return may
