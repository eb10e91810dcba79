"""The verdict of a start: whether the database can be trusted, and what is done if not.

It is taken before any process of this start writes, and stored in the fence's row.
"""

from __future__ import annotations

import socket
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from django.conf import settings
from django.db import connection, transaction

from .. import clock
from ..models import Fence, Hold, newest_engine_beat
from . import fence, fence_files, identity
from .begin import hold_everything
from .fence_files import Copy


class Verdict(StrEnum):
    TRUSTED = "trusted"
    NOTICE = "notice"
    """Trusted, but something is unusual: a long stop, or another database server."""
    HOLD = "hold"


@dataclass(frozen=True, slots=True)
class Evidence:
    """What is known about the database's past when the portal starts."""

    counter: int
    data: Copy | None = None
    """The copy of the fence in the data folder."""
    state: Copy | None = None
    """The copy outside the data folder."""
    identity: str = ""
    stored_identity: str = ""
    newest_sign: datetime | None = None
    """The newest beat of an engine loop, or the last verdict."""
    restored_at: datetime | None = None
    restored_from: str = ""
    on_sqlite: bool = False
    at: datetime = field(default_factory=clock.now)

    @property
    def copies(self) -> list[Copy]:
        return [copy for copy in (self.data, self.state) if copy is not None]

    @property
    def is_vouched_for(self) -> bool:
        """Whether both files say that nothing was done since."""
        return len(self.copies) == 2 and all(copy.counter <= self.counter for copy in self.copies)

    @property
    def is_older(self) -> bool:
        return any(copy.counter > self.counter for copy in self.copies)

    @property
    def is_recent(self) -> bool:
        """Whether the engine worked on this database a short time ago.

        A sign that lies far ahead says as little as an old one: a clock was changed.
        """
        limit = timedelta(minutes=settings.RESUME_WITHIN_MINUTES)
        return self.newest_sign is not None and abs(self.at - self.newest_sign) <= limit

    @property
    def is_other_server(self) -> bool:
        """Whether the database is another one than before. False if the server hides it."""
        return bool(self.identity and self.stored_identity) and (
            self.identity != self.stored_identity
        )

    def as_details(self) -> dict[str, Any]:
        """As JSON can hold it. Its keys are those of `Hold.details`."""
        return {
            "at": self.at.isoformat(),
            "host": socket.gethostname(),
            "counter": self.counter,
            "data": asdict(self.data) if self.data else None,
            "state": asdict(self.state) if self.state else None,
            "identity": self.identity,
            "stored_identity": self.stored_identity,
            "newest_sign": self.newest_sign.isoformat() if self.newest_sign else None,
            "restored_at": self.restored_at.isoformat() if self.restored_at else None,
            "restored_from": self.restored_from,
        }


@dataclass(frozen=True, slots=True)
class Decision:
    verdict: Verdict
    evidence: Evidence
    cause: Hold.Cause | None = None
    hold: Hold | None = None
    """The hold that is open. None if nothing waits."""

    @property
    def text(self) -> str:
        """One line for the administrator; empty if there is nothing to say."""
        if self.hold is not None and self.cause is not None:
            return (
                f"On hold: {WHY[self.cause]}. What waited before is sent only after a manager"
                " or `manage.py release` has decided about it."
            )
        if self.verdict != Verdict.NOTICE:
            return ""
        if self.cause is not None:
            return f"Note: {WHY[self.cause]}. Nothing waits in it, so nothing is on hold."
        what = "Another database server has taken over"
        if not self.evidence.is_other_server:
            what = f"The engine has not worked since {self.evidence.newest_sign:%Y-%m-%d %H:%M} UTC"
        return f"{what}. Nothing is missing from the database, so everything goes on."


WHY = {
    Hold.Cause.RESTORED: "the database was restored from a backup",
    Hold.Cause.OLDER: "the database is older than what was done",
    Hold.Cause.NO_FENCE: "nothing shows how old the database is",
    Hold.Cause.GAP: (
        "the portal stood still for long, and nothing shows that the database is complete"
    ),
    Hold.Cause.BY_HAND: "it was put on hold by hand",
}


def decide(evidence: Evidence) -> tuple[Verdict, Hold.Cause | None]:
    """The verdict, and why it is a hold. Nothing is held where nothing waits."""
    if evidence.restored_at is not None:
        return Verdict.HOLD, Hold.Cause.RESTORED
    if evidence.is_older:
        return Verdict.HOLD, Hold.Cause.OLDER
    if evidence.is_vouched_for:
        unusual = evidence.is_other_server or (
            evidence.newest_sign is not None and not evidence.is_recent
        )
        return (Verdict.NOTICE if unusual else Verdict.TRUSTED), None
    return _decide_without_fence(evidence)


def _decide_without_fence(evidence: Evidence) -> tuple[Verdict, Hold.Cause | None]:
    """At least one file is missing. A counter of 0 means that the fence is new here."""
    is_unfenced = not evidence.copies and evidence.counter > 0
    if is_unfenced and (evidence.on_sqlite or evidence.is_other_server):
        return Verdict.HOLD, Hold.Cause.NO_FENCE
    if evidence.newest_sign is None:
        return Verdict.HOLD, Hold.Cause.NO_FENCE
    if not evidence.is_recent:
        return Verdict.HOLD, Hold.Cause.GAP
    return (Verdict.NOTICE if evidence.is_other_server else Verdict.TRUSTED), None


def decide_at_start() -> Decision:
    """Decide whether this start can trust the database, and put it on hold if not.

    Two hosts that start at once decide one after the other. The second one finds the first
    verdict, and only its own files can add to it.
    """
    return fence.repeat_on_deadlock(_decide_at_start)


def _decide_at_start() -> Decision:
    with transaction.atomic():
        row = fence.lock()
        # No loop raises the counter now, so a file holds no value that the row does not have yet.
        evidence = gather(row, fence_files.read())
        verdict, cause = decide(evidence)
        hold = None
        if cause is not None:
            hold = hold_everything(cause, evidence.as_details())
            if hold is None:
                verdict = _verdict_if_nothing_waits(cause)
            fence.begin_past(row, *(copy.counter for copy in evidence.copies))
        _store(row, verdict, cause, evidence)
        if cause is not None:
            # Before the commit, so that a second start cannot come between the two. If the commit
            # fails, the next start finds an older database, and holds as well.
            fence_files.write(row.counter, evidence.identity)
    fence.adopt(row.counter)
    return Decision(verdict, evidence, cause, hold)


def _verdict_if_nothing_waits(cause: Hold.Cause) -> Verdict:
    is_certain = cause in (Hold.Cause.RESTORED, Hold.Cause.OLDER)
    return Verdict.NOTICE if is_certain else Verdict.TRUSTED


def gather(row: Fence, copies: dict[str, Copy | None]) -> Evidence:
    return Evidence(
        counter=row.counter,
        data=copies.get("data"),
        state=copies.get("state"),
        identity=identity.read(),
        stored_identity=row.identity,
        newest_sign=_newest(newest_engine_beat(), row.checked_at),
        restored_at=row.restored_at,
        restored_from=row.restored_from,
        on_sqlite=connection.vendor == "sqlite",
    )


def _newest(*signs: datetime | None) -> datetime | None:
    return max((sign for sign in signs if sign is not None), default=None)


def _store(row: Fence, verdict: Verdict, cause: Hold.Cause | None, evidence: Evidence) -> None:
    row.identity = evidence.identity or evidence.stored_identity
    row.restored_at = None
    row.checked_at = evidence.at
    row.verdict = verdict.value
    row.details = {"cause": str(cause or ""), **evidence.as_details()}
    row.save()
