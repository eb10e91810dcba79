"""The tasks of the queue. Each may run twice or be killed midway."""

from __future__ import annotations

from . import erase as erasing
from . import slices


def erase() -> None:
    """Erase a slice of a number, and queue the next one."""
    if slices.run_slice():
        erasing.queue_slice()


def go_on() -> None:
    """Every minute: begin again with erasures whose task was lost, or that had to wait."""
    if slices.runnable().exists():
        erasing.queue_slice()
