"""The tasks of the queue. Each may run twice or be killed midway."""

from __future__ import annotations

from django_q.tasks import async_task

from . import erase as erasing
from . import forget as forgetting
from . import restored, restored_texts, slices


def erase() -> None:
    """Erase a slice of a number, and queue the next one."""
    if slices.run_slice():
        erasing.queue_slice()


def go_on() -> None:
    """Every minute: begin again with erasures whose task was lost, or that had to wait."""
    if restored.may_bring_more():
        restored.erase_again()
    if slices.runnable().exists():
        erasing.queue_slice()
    if restored_texts.waiting().exists():
        restored_texts.queue_slice()


def search_restored() -> None:
    """Search a slice of all texts for erased numbers, and queue the next one."""
    if restored_texts.run_slice():
        restored_texts.queue_slice()


def forget() -> None:
    """Every night: clear what is too old by the confirmed rules, and queue the next slice."""
    if forgetting.run_slice():
        async_task("privacy.tasks.forget", task_name="privacy: forget", save=False)
