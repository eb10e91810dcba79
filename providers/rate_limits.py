"""The limits of an account, kept by one row that all processes and hosts share.

A reservation takes the next free slots in both windows, calls a second and calls a
minute. It delays a call; it never drops one. The method is the generic cell rate
algorithm (ITU-T I.371): a window of `limit` is split into a burst that may go at once
and a steady rate, so that burst + rate x window never exceeds `limit`, wherever the
provider's own window begins.
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
    def of(cls, limit: int, seconds: float, share: int) -> Window:
        """One part in `share` of the limit may go at once."""
        burst = limit // share
        if burst < 1:
            # Too few for a burst: evenly spread, a little wider than the window asks.
            return cls(burst=1, spacing=seconds / limit * 1.02)
        # One percent is left for calls that arrive a little off their slot.
        return cls(burst=burst, spacing=seconds / (limit - burst) * 1.01)

    @property
    def tolerance(self) -> float:
        """How far a slot may run ahead of the steady rate, in seconds."""
        return (self.burst - 1) * self.spacing


def windows_of(account: Account) -> tuple[Window, Window]:
    """For 10 a second and 300 a minute: 2 + 8 a second, 5 + 292 a minute."""
    return Window.of(account.per_second, 1.0, 5), Window.of(account.per_minute, 60.0, 60)


State = tuple[float, float, float]
"""When the steady rate of the second's and the minute's window is free again, and until
when the provider asked to wait; seconds since the epoch by the database's clock."""


@dataclass(frozen=True, slots=True)
class Outlook:
    """What one look at the allowance showed; nothing is taken by looking."""

    now: float
    state: State
    near: int
    """How many slots there are within the time that was asked about."""
    wait_for_more: float
    """Seconds until the first slot that is not near."""


def look_ahead(account: Account, most: int, within: float) -> Outlook:
    """How many slots, `most` at the most, lie within so many seconds."""
    now, state = _read(account)
    slots, _ = _next_slots(state, now, most + 1, *windows_of(account))
    near = sum(slot - now <= within for slot in slots[:most])
    return Outlook(now, state, near, max(0.0, slots[near] - now))


def take(account: Account, outlook: Outlook, wanted: int) -> list[float]:
    """Take the next `wanted` slots; returns the seconds to wait until each.

    Written only if nobody else took any since the look; otherwise looked at anew.
    """
    slots, after = _next_slots(outlook.state, outlook.now, wanted, *windows_of(account))
    if _write(account, outlook.state, after):
        return [max(0.0, slot - outlook.now) for slot in slots]
    return reserve(account, wanted)


def reserve(account: Account, wanted: int = 1) -> list[float]:
    """Take the next `wanted` slots at once; returns the seconds to wait until each."""
    return take(account, look_ahead(account, wanted, 0.0), wanted)


def _read(account: Account) -> tuple[float, State]:
    for _ in range(2):
        with connection.cursor() as cursor:
            cursor.execute(
                f"""SELECT {sql_now()}, second_free_at, minute_free_at, slow_until
                      FROM providers_allowance WHERE account_id = %s""",  # noqa: S608 - our constant
                [account.pk],
            )
            row = cursor.fetchone()
        if row:
            now, *state = (float(value) for value in row)
            return now, (state[0], state[1], state[2])
        Allowance.objects.get_or_create(account=account)
    raise RuntimeError("The allowance of this account could not be made.")


def _next_slots(
    state: State, now: float, wanted: int, second: Window, minute: Window
) -> tuple[list[float], State]:
    second_free, minute_free, slow_until = state
    slots = []
    for _ in range(wanted):
        slot = max(now, slow_until, second_free - second.tolerance, minute_free - minute.tolerance)
        second_free = max(second_free, slot) + second.spacing
        minute_free = max(minute_free, slot) + minute.spacing
        slots.append(slot)
    return slots, (second_free, minute_free, slow_until)


def _write(account: Account, before: State, after: State) -> bool:
    """SQL, since every round of the engine passes here, and the ORM takes several times as
    long to write the statement as a database to carry it out."""
    with connection.cursor() as cursor:
        cursor.execute(
            """UPDATE providers_allowance SET second_free_at = %s, minute_free_at = %s
                WHERE account_id = %s AND second_free_at = %s AND minute_free_at = %s
                  AND slow_until = %s""",
            [*after[:2], account.pk, *before],
        )
        return bool(cursor.rowcount)


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
