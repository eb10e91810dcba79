"""The limits of an account, kept by one row that all processes and hosts share.

A reservation takes the next free slot in both windows, calls a second and calls a
minute, by one UPDATE. It delays a call; it never drops one. The method is the generic
cell rate algorithm (ITU-T I.371): a window of `limit` is split into a burst that may go
at once and a steady rate, so that burst + rate x window never exceeds `limit`, whatever
the provider's window starts with.
"""

from __future__ import annotations

import random
from dataclasses import dataclass

from django.db import connection

from .clock import sql_greatest, sql_now
from .models import Account, Allowance


@dataclass(frozen=True, slots=True)
class Window:
    """One limit as burst and spacing. `spacing` in seconds."""

    burst: int
    spacing: float

    @classmethod
    def of(cls, limit: int, seconds: float) -> Window:
        burst = min(5, limit // 5)
        if burst < 1:
            # Too few for a burst: evenly spread, a little wider than the window asks.
            return cls(burst=1, spacing=seconds / limit * 1.02)
        # One percent is left for calls that arrive a little off their slot.
        return cls(burst=burst, spacing=seconds / (limit - burst) * 1.01)

    @property
    def tolerance(self) -> float:
        """How far a slot may run ahead of the steady rate, in seconds."""
        return (self.burst - 1) * self.spacing


def reserve(account: Account) -> float:
    """Take the next slot of the account; return the seconds to wait until it."""
    second = Window.of(account.per_second, 1.0)
    minute = Window.of(account.per_minute, 60.0)
    greatest = sql_greatest()
    slot = (
        f"{greatest}({sql_now()}, slow_until,"
        " second_free_at - %(second_tolerance)s, minute_free_at - %(minute_tolerance)s)"
    )
    statement = f"""
        UPDATE providers_allowance SET
            slot_at = {slot},
            second_free_at = {greatest}(second_free_at, {slot}) + %(second_spacing)s,
            minute_free_at = {greatest}(minute_free_at, {slot}) + %(minute_spacing)s
        WHERE account_id = %(account)s
        RETURNING slot_at, {sql_now()}
    """  # noqa: S608 - built from constants of ours
    values = {
        "second_tolerance": second.tolerance,
        "minute_tolerance": minute.tolerance,
        "second_spacing": second.spacing,
        "minute_spacing": minute.spacing,
        "account": account.pk,
    }
    for _ in range(2):
        with connection.cursor() as cursor:
            cursor.execute(statement, values)
            row = cursor.fetchone()
        if row:
            slot_at, now = row
            return max(0.0, float(slot_at) - float(now))
        Allowance.objects.get_or_create(account=account)
    raise RuntimeError("The allowance of this account could not be made.")


LONGEST_SLOWDOWN = 120.0


def slow_down(account: Account, seconds: float | None) -> float:
    """Make the whole account wait, longer each time it is asked again without an answer
    in between. Returns the seconds.

    The GoSMS document (best practice 2) asks for 5 to 10 s, growing on repetition.
    """
    allowance, _ = Allowance.objects.get_or_create(account=account)
    wait = seconds if seconds is not None else random.uniform(5, 10)  # noqa: S311
    wait = min(wait * float(2 ** min(allowance.slow_streak, 4)), LONGEST_SLOWDOWN)
    with connection.cursor() as cursor:
        cursor.execute(
            f"""UPDATE providers_allowance SET
                    slow_until = {sql_greatest()}(slow_until, {sql_now()} + %s),
                    slow_streak = slow_streak + 1
                WHERE account_id = %s""",  # noqa: S608 - built from constants of ours
            [wait, account.pk],
        )
    return wait


def note_answer(account: Account) -> None:
    """An answer other than "too many requests" ends the growth of the waits."""
    Allowance.objects.filter(account=account, slow_streak__gt=0).update(slow_streak=0)
