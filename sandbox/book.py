"""The sandbox's own record of what its providers received and pushed.

Tests and benchmarks compare it with the portal's rows.
"""

from __future__ import annotations

import threading
import time
from collections import Counter, deque
from dataclasses import asdict, dataclass, field

DEFAULT_SIZE = 20_000

CALL = "call"
PUSH = "push"
SMS = "sms"
STRAYED = "strayed"


@dataclass
class Entry:
    """One entry of the book.

    kind         call (request received), push (callback sent), sms (text delivered to a rented
                 number), strayed (a client followed a redirect)
    at           seconds since 1970; `monotonic` is the same moment on the monotonic clock
    account      the account's label, never its secret; "" for unknown credentials
    fields       the parsed parameters without credentials
    outcome      the result, in words
    message_id   the provider's own id of the message or order
    reference    identifies one message: uid, eid, or phone and code
    status       the HTTP status of our answer, or of the receiver's answer to a push; may be None
    accepted     whether the provider carried out the request
    fault        id of the fault that struck, or ""
    """

    kind: str
    provider: str
    operation: str
    account: str = ""
    method: str = ""
    fields: dict[str, object] = field(default_factory=dict)
    outcome: str = ""
    message_id: str = ""
    reference: str = ""
    status: int | None = None
    accepted: bool = False
    fault: str = ""
    number: int = 0
    at: float = field(default_factory=time.time)
    monotonic: float = field(default_factory=time.monotonic)

    def as_json(self) -> dict[str, object]:
        return asdict(self)


class Book:
    """A thread-safe list of entries with a maximum size.

    The oldest entries drop out. Counters and references keep counting them.
    """

    def __init__(self, size: int = DEFAULT_SIZE) -> None:
        self._lock = threading.Lock()
        self._entries: deque[Entry] = deque(maxlen=size)
        self._counters: Counter[str] = Counter()
        self._references: Counter[tuple[str, str]] = Counter()
        self._tried: set[tuple[str, str]] = set()
        self._busy: Counter[tuple[str, str]] = Counter()
        self._peaks: Counter[tuple[str, str]] = Counter()
        self._last = 0

    def add(self, entry: Entry) -> Entry:
        with self._lock:
            self._last += 1
            entry.number = self._last
            self._entries.append(entry)
            word = "accepted" if entry.accepted else "not_accepted"
            self._counters[f"{entry.provider}.{entry.operation}.{entry.kind}.{word}"] += 1
            if entry.kind == CALL and entry.accepted and entry.reference:
                self._references[entry.provider, entry.reference] += 1
        return entry

    def note_try(self, provider: str, reference: str) -> bool:
        """Note that a call with this reference came. Returns whether one had come before."""
        key = (provider, reference)
        with self._lock:
            was_tried = bool(reference) and key in self._tried
            self._tried.add(key)
            return was_tried

    def enter(self, provider: str, account: str) -> int:
        """Count a call as in flight and return how many this account has now."""
        with self._lock:
            key = (provider, account)
            self._busy[key] += 1
            self._peaks[key] = max(self._peaks[key], self._busy[key])
            return self._busy[key]

    def leave(self, provider: str, account: str) -> None:
        with self._lock:
            self._busy[provider, account] -= 1

    def peak(self, provider: str, account: str = "practice") -> int:
        """The highest number of calls of this account in flight at once."""
        return self._peaks[provider, account]

    def entries(
        self,
        provider: str | None = None,
        operation: str | None = None,
        *,
        kind: str | None = CALL,
        accepted: bool | None = None,
        after: int = 0,
    ) -> list[Entry]:
        """The matching entries in order of arrival. None matches anything."""
        with self._lock:
            entries = list(self._entries)
        return [
            entry
            for entry in entries
            if entry.number > after
            and (provider is None or entry.provider == provider)
            and (operation is None or entry.operation == operation)
            and (kind is None or entry.kind == kind)
            and (accepted is None or entry.accepted == accepted)
        ]

    def count(self, provider: str, operation: str, *, accepted: bool = True) -> int:
        """The number of calls since the last `clear`, dropped entries included."""
        word = "accepted" if accepted else "not_accepted"
        return self._counters[f"{provider}.{operation}.{CALL}.{word}"]

    def counters(self) -> dict[str, int]:
        """Counts by `provider.operation.kind.accepted|not_accepted`."""
        with self._lock:
            return dict(self._counters)

    def repeated(self, provider: str | None = None) -> list[str]:
        """References that a provider accepted more than once, which means a message sent twice."""
        with self._lock:
            return [
                reference
                for (name, reference), times in self._references.items()
                if times > 1 and provider in (None, name)
            ]

    def references(self, provider: str) -> set[str]:
        """Every reference that the provider accepted."""
        with self._lock:
            return {reference for name, reference in self._references if name == provider}

    def clear(self) -> None:
        with self._lock:
            self._entries.clear()
            self._counters.clear()
            self._references.clear()
            self._tried.clear()
            self._peaks.clear()
