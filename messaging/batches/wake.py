"""Asking the queue for work on a batch. A lost request loses nothing: each minute what was
left undone is asked for again (`tending`)."""

from __future__ import annotations

from django_q.tasks import async_task

from ..models import Batch


def read(batch: Batch) -> None:
    """Part of the caller's transaction, like the others."""
    async_task("messaging.batches.tasks.read", batch.pk, task_name="batch: read")


def lay_out(batch: Batch) -> None:
    async_task("messaging.batches.tasks.lay_out", batch.pk, task_name="batch: lay out")


def cancel_rest(batch: Batch) -> None:
    async_task("messaging.batches.tasks.cancel_rest", batch.pk, task_name="batch: cancel rest")
