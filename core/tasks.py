"""The tasks of the queue. Each may run twice or be killed midway."""

from __future__ import annotations

from .admin.export_jobs import ask, slices


def write_exports() -> None:
    """Write a slice of a file that somebody asked for, and queue the next one."""
    if slices.write_slice():
        ask.queue_slice()


def continue_exports() -> None:
    """Every minute: begin again with files whose task was lost."""
    if slices.stands_still():
        ask.queue_slice()
