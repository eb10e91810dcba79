"""What a process does when it finds that the database is not the one that it remembers."""

from __future__ import annotations

import logging
from dataclasses import replace

from ..models import Fence, Hold
from . import fence, fence_files, identity
from .begin import begin
from .fence import DatabaseRestored, FenceBroken
from .fence_files import Copy
from .verdict import gather

logger = logging.getLogger(__name__)


def recover(broken: FenceBroken) -> bool:
    """Put on hold what waits, unless another process has done so. Returns whether the caller may
    continue. If not, a restore is still at work, and it is to look again later.

    Whatever the caller keeps in memory belongs to another past, and it must forget it first.
    """
    # Before the row: a file's value was committed before it was written.
    known = max(fence.seen(), fence_files.highest())
    row = fence.find()
    if row is None or not identity.is_complete():
        logger.error("The engine waits: %s, and a restore seems to be at work.", broken)
        return False
    if row.restored_at is None and row.counter >= known:
        # Another process has begun the hold, and with it a new past.
        fence.adopt(row.counter)
        return True
    logger.error("What waits is put on hold: %s.", broken)
    is_restored = isinstance(broken, DatabaseRestored) or row.restored_at is not None
    begin(Hold.Cause.RESTORED if is_restored else Hold.Cause.OLDER, _evidence(row))
    return True


def _evidence(row: Fence) -> dict[str, object]:
    found = gather(row, fence_files.read())
    if fence.seen() > max((copy.counter for copy in found.copies), default=0):
        # The files could not be written. This process remembers as much.
        found = replace(found, data=Copy(fence.seen()))
    return found.as_details()
