"""What the practice providers received and pushed: their own book, to compare ours with."""

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
    """One line of the book.

    kind         call (a request came in), push (a callback went out), sms (a text reached a
                 rented number), strayed (a client followed a redirect)
    at           seconds since 1970; `monotonic` is the same moment on the monotonic clock
    account      the account's label, never its secret; "" for credentials nobody has
    fields       the parsed parameters without credentials
    outcome      what became of it, in words
    message_id   the provider's own id of the message or order
    reference    what tells one message from another: uid, eid, or phone and code
    status       HTTP status that was answered (push: that the receiver answered), if any
    accepted     the provider did what it was asked for
    fault        id of the fault that struck, if one did
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
    """Thread-safe and capped: old entries drop out, the counters and references stay."""

    def __init__(self, size: int = DEFAULT_SIZE) -> None:
        self._lock = threading.Lock()
        self._entries: deque[Entry] = deque(maxlen=size)
        self._counters: Counter[str] = Counter()
        self._references: Counter[tuple[str, str]] = Counter()
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

    def enter(self, provider: str, account: str) -> int:
        """Count a call in flight; returns how many this account has now."""
        with self._lock:
            key = (provider, account)
            self._busy[key] += 1
            self._peaks[key] = max(self._peaks[key], self._busy[key])
            return self._busy[key]

    def leave(self, provider: str, account: str) -> None:
        with self._lock:
            self._busy[provider, account] -= 1

    def peak(self, provider: str, account: str = "practice") -> int:
        """The most calls of this account that were ever in flight at once."""
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
        """Entries in order of arrival; None means "any"."""
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
        """Calls since the last clearing, those that dropped out of the book included."""
        word = "accepted" if accepted else "not_accepted"
        return self._counters[f"{provider}.{operation}.{CALL}.{word}"]

    def counters(self) -> dict[str, int]:
        """Counts by `provider.operation.kind.accepted|not_accepted`."""
        with self._lock:
            return dict(self._counters)

    def repeated(self, provider: str | None = None) -> list[str]:
        """References that a provider accepted more than once: empty, or a message went twice."""
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
            self._peaks.clear()
