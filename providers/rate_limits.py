"""Rate limits of an account, kept in one row that all processes and hosts share.

A reservation takes the next free slots of both windows, calls per second and calls per minute.
It may delay a call and never drops one.

The method is the generic cell rate algorithm (ITU-T I.371). It splits the `limit` of a window
into a burst that may leave at once and a steady rate, so that burst + rate x window never
exceeds `limit`, wherever the provider's own window begins.
"""

from __future__ import annotations

import random
from dataclasses import dataclass

from django.db import connection

from .clock import sql_greatest, sql_now
from .models import Account, Allowance


@dataclass(frozen=True, slots=True)
class Window:
    """One limit as a burst and a spacing in seconds."""

    burst: int
    spacing: float

    @classmethod
    def of(cls, limit: int, seconds: float, share: int) -> Window:
        """Allow a burst of `limit // share` calls."""
        burst = limit // share
        if burst < 1:
            # Too few for a burst: spread evenly, 2 % wider than the window requires.
            return cls(burst=1, spacing=seconds / limit * 1.02)
        # Leave 1 % for calls that arrive slightly off their slot.
        return cls(burst=burst, spacing=seconds / (limit - burst) * 1.01)

    @property
    def tolerance(self) -> float:
        """How far a slot may run ahead of the steady rate, in seconds."""
        return (self.burst - 1) * self.spacing


def windows_of(account: Account) -> tuple[Window, Window]:
    """For 10 per second and 300 per minute: 2 + 8 per second, 5 + 292 per minute."""
    return Window.of(account.per_second, 1.0, 5), Window.of(account.per_minute, 60.0, 60)


MAX_SLOWDOWN = 120.0
"""Seconds. No request to slow down lasts longer."""
FURTHEST_SLOT = 1.0
"""Seconds. No row is claimed for a slot further away."""

State = tuple[float, float, float]
"""When the steady rate of the second's window and of the minute's window is next free, and until
when the provider asked to wait. Seconds since the epoch by the database's clock."""


@dataclass(frozen=True, slots=True)
class SlotForecast:
    """The next free slots, read without taking any."""

    now: float
    state: State
    in_time: int
    """The number of slots within the given time."""
    next_wait: float
    """Seconds until the first slot after them."""


def forecast_slots(account: Account, most: int, within: float) -> SlotForecast:
    """Count the slots within the next `within` seconds, up to `most`."""
    now, state = _read(account)
    slots, _ = _next_slots(state, now, most + 1, *windows_of(account))
    in_time = sum(slot - now <= within for slot in slots[:most])
    return SlotForecast(now, state, in_time, max(0.0, slots[in_time] - now))


def take(account: Account, forecast: SlotForecast, wanted: int) -> list[float]:
    """Take the next `wanted` slots; returns the seconds to wait until each.

    If another process took slots since the forecast, the slots after those are taken.
    """
    slots, after = _next_slots(forecast.state, forecast.now, wanted, *windows_of(account))
    if _write(account, forecast.state, after):
        return [max(0.0, slot - forecast.now) for slot in slots]
    return reserve(account, wanted)


def reserve(account: Account, wanted: int = 1) -> list[float]:
    """Take the next `wanted` slots at once; returns the seconds to wait until each."""
    return take(account, forecast_slots(account, wanted, 0.0), wanted)


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
            return now, _bounded(account, now, (state[0], state[1], state[2]))
        Allowance.objects.get_or_create(account=account)
    raise RuntimeError("The allowance of this account could not be created.")


def _bounded(account: Account, now: float, state: State) -> State:
    """The state without times that lie further ahead than any reservation.

    Those are from before the clock was set back. How much was sent since is not known, so the
    bursts count as used and a request to slow down as just made.
    """
    after = tuple(
        now + FURTHEST_SLOT + window.burst * window.spacing
        if free_at > now + _furthest(account, window)
        else free_at
        for free_at, window in zip(state, windows_of(account), strict=False)
    )
    slow_until = min(state[2], now + MAX_SLOWDOWN)
    bounded = (after[0], after[1], slow_until)
    if bounded != state:
        Allowance.objects.filter(account=account, slow_until__gte=slow_until).update(
            second_free_at=bounded[0], minute_free_at=bounded[1], slow_until=bounded[2]
        )
    return bounded


def _furthest(account: Account, window: Window) -> float:
    """How far ahead a window's next free slot may lie, in seconds: behind the burst, two claimed
    rows for each call in flight, and one more slot that each of these calls asks for."""
    return MAX_SLOWDOWN + FURTHEST_SLOT + (window.burst + 3 * account.in_flight) * window.spacing


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
    """Write the state unless it changed; hot path of every dispatch round.

    SQL, because building this statement with the ORM costs several times its execution.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            """UPDATE providers_allowance SET second_free_at = %s, minute_free_at = %s
                WHERE account_id = %s AND second_free_at = %s AND minute_free_at = %s
                  AND slow_until = %s""",
            [*after[:2], account.pk, *before],
        )
        return bool(cursor.rowcount)


def slow_down(account: Account, seconds: float | None) -> float:
    """Delay all calls of the account; returns the seconds.

    The delay doubles with each request to slow down that no other answer precedes. Without
    `seconds` it starts at 5 to 10 s, as the GoSMS document asks (best practice 2: 5 to 10 s,
    growing on repetition).
    """
    allowance, _ = Allowance.objects.get_or_create(account=account)
    wait = seconds if seconds is not None else random.uniform(5, 10)  # noqa: S311
    wait = min(wait * float(2 ** min(allowance.slow_streak, 4)), MAX_SLOWDOWN)
    with connection.cursor() as cursor:
        cursor.execute(
            f"""UPDATE providers_allowance SET
                    slow_until = {sql_greatest()}(slow_until, {sql_now()} + %s),
                    slow_streak = slow_streak + 1
                WHERE account_id = %s""",  # noqa: S608 - built from constants of ours
            [wait, account.pk],
        )
    return wait


def record_answer(account: Account) -> None:
    """Reset the growth of the delays after any answer except "too many requests"."""
    Allowance.objects.filter(account=account, slow_streak__gt=0).update(slow_streak=0)
