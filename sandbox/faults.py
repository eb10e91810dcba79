"""The registry of faults, and the switchboard that turns them on and off.

A fault is a function registered under a stable id. `accepted` says whether the provider carries
out the request before the fault strikes. Where both are realistic, `accept=` of the switchboard
overrides it. Faults of kind "callback" leave the answer intact and affect the push.
"""

from __future__ import annotations

import itertools
import threading
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from sandbox.callbacks import Timing
from sandbox.exchange import Head, Reply, Wire
from sandbox.provider import MAX_NUMBER, ControlError, Provider

Options = Mapping[str, float | str]


@dataclass
class Scene:
    """The exchange that a fault strikes. `reply` is None if the provider did not act."""

    wire: Wire
    head: Head
    provider: Provider
    reply: Reply | None
    options: Options
    elsewhere: str

    def number(self, name: str) -> float:
        return float(self.options[name])

    def payload(self) -> object:
        """The payload of the intended answer, or an empty object."""
        return self.reply.payload if self.reply else {}

    def body(self) -> bytes:
        return self.reply.body() if self.reply else b"{}"

    def status(self) -> int:
        return self.reply.status if self.reply else 200


Strike = Callable[[Scene], bool]
"""Writes or breaks the answer. Returns True if the connection may be used again."""


@dataclass(frozen=True)
class Fault:
    """A kind of fault that can be switched on.

    before_body: strikes after the head has been read, and leaves the body unread.
    fixed: `accepted` cannot be overridden.
    """

    id: str
    label: str
    accepted: bool
    strike: Strike
    options: Options = field(default_factory=dict)
    before_body: bool = False
    fixed: bool = False
    kind: str = "answer"

    def as_json(self) -> dict[str, object]:
        return {
            "id": self.id,
            "label": self.label,
            "kind": self.kind,
            "accepted": self.accepted,
            "accepted_is_fixed": self.fixed,
            "options": dict(self.options),
        }


CATALOGUE: dict[str, Fault] = {}


def fault(
    fault_id: str,
    label: str,
    *,
    accepted: bool,
    before_body: bool = False,
    fixed: bool = False,
    **options: float | str,
) -> Callable[[Strike], Strike]:
    """Register a fault. Further keyword arguments are its options and their defaults."""

    def register(strike: Strike) -> Strike:
        CATALOGUE[fault_id] = Fault(fault_id, label, accepted, strike, options, before_body, fixed)
        return strike

    return register


def _change_nothing(scene: Scene) -> bool:
    return True


def _callback_fault(fault_id: str, label: str, **options: float | str) -> None:
    CATALOGUE[fault_id] = Fault(
        fault_id, label, True, _change_nothing, options, fixed=True, kind="callback"
    )


_callback_fault("callback_twice", "Reports come twice")
_callback_fault("callback_late", "Reports come late", seconds=10.0)
_callback_fault("callback_overtaken", "Reports come in the wrong order")
_callback_fault("callback_lost", "Reports never come")


@dataclass
class Active:
    """A fault that is switched on for `calls` more calls (None: for all).

    `first_tries`: it leaves alone a call that repeats an earlier message.
    """

    number: int
    fault: Fault
    provider: str | None
    operation: str | None
    calls: int | None
    accept: bool
    options: Options
    first_tries: bool = False

    def matches(self, provider: str, operation: str) -> bool:
        return self.provider in (None, provider) and self.operation in (None, operation)

    def as_json(self) -> dict[str, object]:
        return {
            "number": self.number,
            "fault": self.fault.id,
            "label": self.fault.label,
            "provider": self.provider,
            "operation": self.operation,
            "calls": self.calls,
            "accept": self.accept,
            "first_tries": self.first_tries,
            "options": dict(self.options),
        }


class Switchboard:
    """The active faults. If several match a call, the oldest one strikes."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._active: list[Active] = []
        self._numbers = itertools.count(1)
        self.struck: Counter[str] = Counter()

    def set(
        self,
        fault_id: str,
        *,
        provider: str | None = None,
        operation: str | None = None,
        calls: int | None = 1,
        accept: bool | None = None,
        first_tries: bool = False,
        **options: float | str,
    ) -> Active:
        """Switch a fault on for the next `calls` calls (None: for all) that match the filters.

        Raises ControlError for an unknown fault or option and for values out of range.
        """
        known = CATALOGUE.get(fault_id)
        if known is None:
            raise ControlError(
                f"There is no fault called {fault_id}.", "unknown_fault", name=fault_id
            )
        strange = set(options) - set(known.options)
        if strange:
            raise ControlError(f"{fault_id} has no option {', '.join(sorted(strange))}.")
        if calls is not None and calls < 1:
            raise ControlError("A fault strikes at least one call.")
        if known.fixed and accept not in (None, known.accepted):
            raise ControlError(f"{fault_id} cannot be set to accept={accept}.")
        chosen = known.accepted if accept is None else accept
        values = {**known.options, **_checked(known, options)}
        with self._lock:
            number = next(self._numbers)
            active = Active(number, known, provider, operation, calls, chosen, values, first_tries)
            self._active.append(active)
        return active

    def asks_for_repeats(self, provider: str, operation: str) -> bool:
        """Whether `take` needs to know if the call repeats an earlier message."""
        return any(one.first_tries and one.matches(provider, operation) for one in self.active())

    def take(
        self, provider: str, operation: str, *, is_repeat: bool = False
    ) -> tuple[Active | None, Timing | None]:
        """The fault for this call and the timing of its pushes. Counts both as used."""
        if not self._active:
            return None, None
        struck: Active | None = None
        timing = Timing()
        with self._lock:
            for active in list(self._active):
                if not active.matches(provider, operation) or (active.first_tries and is_repeat):
                    continue
                if active.fault.kind == "callback":
                    _apply_to_timing(timing, active)
                elif struck is None:
                    struck = active
                else:
                    continue
                self._use(active)
        return struck, timing

    def _use(self, active: Active) -> None:
        self.struck[active.fault.id] += 1
        if active.calls is not None:
            active.calls -= 1
            if active.calls == 0:
                self._active.remove(active)

    def active(self) -> list[Active]:
        with self._lock:
            return list(self._active)

    def clear(self, number: int | None = None) -> None:
        """Switch off the fault with this number, or all faults."""
        with self._lock:
            self._active = [one for one in self._active if number not in (None, one.number)]


def _checked(known: Fault, options: Options) -> dict[str, float | str]:
    """Convert options to the types of their defaults. Numbers are sizes and times, at least 0."""
    checked: dict[str, float | str] = {}
    for name, value in options.items():
        if isinstance(known.options[name], str):
            checked[name] = str(value)
            continue
        try:
            number = float(value)
        except (TypeError, ValueError):
            number = -1.0
        if not 0 <= number <= MAX_NUMBER:
            raise ControlError(f"{name} cannot be set to {value!r}.")
        checked[name] = number
    return checked


def _apply_to_timing(timing: Timing, active: Active) -> None:
    match active.fault.id:
        case "callback_twice":
            timing.twice = True
        case "callback_late":
            timing.late = float(active.options["seconds"])
        case "callback_overtaken":
            timing.overtaken = True
        case "callback_lost":
            timing.lost = True


def catalogue() -> list[dict[str, object]]:
    """Every fault with its id, label, kind, `accepted` and options, for a page to list."""
    return [known.as_json() for known in CATALOGUE.values()]
