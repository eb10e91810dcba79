"""Whether the pause that a failure led to continues, and when it was."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TypeAlias

from django.contrib.auth.models import AbstractBaseUser, AnonymousUser, User
from django.utils.translation import gettext

from core.times import short_time

from .accounts import PAUSE_DELAY, REFUSED_IN_A_ROW, pause_at
from .gateway.vocabulary import PAUSING, Reason
from .models import Account

Reader: TypeAlias = User | AbstractBaseUser | AnonymousUser | None
"""The person who reads a page. None: whoever it is, such as in an export."""


@dataclass(frozen=True, slots=True)
class PauseFact:
    is_over: bool
    started_at: datetime | None = None
    ended_at: datetime | None = None
    """Both None if the portal did not record them."""

    @property
    def text(self) -> str:
        if self.started_at is None:
            return ""
        times = {"start": short_time(self.started_at)}
        if not self.is_over:
            text = gettext("The account has been paused since %(start)s; what is queued waits.")
        elif self.ended_at is None:
            text = gettext("The account was paused at %(start)s and has been resumed since.")
        else:
            times["end"] = short_time(self.ended_at)
            text = gettext("The account was paused at %(start)s and resumed at %(end)s.")
        return text % times


def pause_fact(account: Account, reason: str, moment: datetime | None) -> PauseFact | None:
    """The pause that a failure with this reason led to at `moment`; None for other reasons."""
    if moment is None or reason not in {*PAUSING, Reason.NOTHING_THERE, REFUSED_IN_A_ROW}:
        return None
    found = pause_at(account, moment)
    if found is not None:
        is_over = found.ended_at is not None or not account.is_paused
        return PauseFact(is_over, found.started_at, found.ended_at)
    # An earlier version of the portal paused it, and kept no record.
    since = account.paused_at
    if since is not None and since <= moment + PAUSE_DELAY:
        return PauseFact(is_over=False, started_at=since)
    return PauseFact(is_over=True)


def may_fix_accounts(reader: Reader) -> bool:
    """Whether a step such as “Replace the key” is one for this reader."""
    return reader is None or bool(reader.has_perm("providers.change_account"))  # type: ignore[union-attr]
