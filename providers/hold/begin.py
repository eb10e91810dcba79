"""Begin a hold: nothing from before it is sent until a person releases it."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any, Final

from django.contrib.auth.models import User
from django.db import transaction

from core.acts import record_act

from ..models import Fence, Hold
from . import fence, fence_files
from .holdable import holdables

logger = logging.getLogger(__name__)

KEPT_EVIDENCE: Final = 20
"""How many entries are kept, so that a database that is replaced often does not fill the row."""


def begin(
    cause: Hold.Cause, details: Mapping[str, Any], by: User | None = None, reason: str = ""
) -> Hold | None:
    """Put on hold what waits now. Returns the open hold; None if nothing waits.

    If a hold is open already, the rows join it. `details` are kept in `Hold.details` under
    `evidence`: one entry for each time, with its cause, see `providers.hold.verdict.Evidence`.
    A hold that was not begun by hand also begins a new past.
    """
    return fence.repeat_on_deadlock(lambda: _begin(cause, details, by, reason))


def _begin(
    cause: Hold.Cause, details: Mapping[str, Any], by: User | None, reason: str
) -> Hold | None:
    with transaction.atomic():
        row = fence.lock()
        # No loop raises the counter now, so a file holds no value that the row does not have yet.
        known = max(fence.seen(), fence_files.highest())
        hold = hold_everything(cause, details, by, reason)
        counter = None if cause == Hold.Cause.BY_HAND else _begin_past(row, known)
    if counter is not None:
        fence.adopt(counter)
    return hold


def _begin_past(row: Fence, known: int) -> int:
    row.restored_at = None
    row.save(update_fields=["restored_at"])
    return fence.begin_past(row, known)


def hold_everything(
    cause: Hold.Cause, details: Mapping[str, Any], by: User | None = None, reason: str = ""
) -> Hold | None:
    """Hold every row that waits, in the caller's transaction, which has locked the fence."""
    before = transaction.savepoint()
    hold = Hold.objects.filter(ended_at=None).first()
    is_new = hold is None
    hold = hold or Hold.objects.create(cause=cause, started_by=by, reason=reason[:200])
    held = {one.name: one.hold(hold) for one in holdables()}
    if is_new and not any(held.values()):
        # Calls in flight refer to the hold as well, although staff do not decide about them.
        transaction.savepoint_rollback(before)
        logger.info("Nothing waits, so nothing was put on hold (%s).", cause)
        return None
    _add_evidence(hold, {"cause": str(cause), "reason": reason, "held": held, **details})
    act = "hold.begin" if is_new else "hold.extend"
    record_act(act, by=by, subject=f"hold:{hold.pk}", reason=reason, cause=str(cause), held=held)
    logger.warning("On hold (%s): %s.", cause, count_held(hold))
    return hold


def count_held(hold: Hold) -> str:
    """What joined the hold when it was begun or extended last, such as `batches 1, codes 12`."""
    held: dict[str, int] = hold.details["evidence"][-1]["held"]
    return ", ".join(f"{name} {count}" for name, count in held.items() if count) or "nothing more"


def _add_evidence(hold: Hold, entry: Mapping[str, Any]) -> None:
    entries = [*hold.details.get("evidence", []), entry]
    # The first entry says why the hold began.
    hold.details["evidence"] = [entries[0], *entries[1:][-(KEPT_EVIDENCE - 1) :]]
    hold.save(update_fields=["details"])
