"""Push delivery reports and callbacks to the portal, on time or late, and record the answers."""

from __future__ import annotations

import heapq
import http.client
import itertools
import ssl
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from urllib.parse import urlsplit

from sandbox.book import PUSH, Book, Entry

WORKERS = 4
TIMEOUT = 5.0
HOLD_LIMIT = 20.0


@dataclass
class Timing:
    """What goes wrong with the pushes of one call. The defaults are those of a correct provider.

    late: seconds added to the delay.
    overtaken: the provider's next push goes first.
    """

    twice: bool = False
    late: float = 0.0
    overtaken: bool = False
    lost: bool = False


@dataclass(order=True)
class _Due:
    at: float
    order: int
    push: Push = field(compare=False)


@dataclass
class Push:
    """One callback to make. The book shows `fields`."""

    provider: str
    account: str
    operation: str
    message_id: str
    method: str
    url: str
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    fields: Mapping[str, object] = field(default_factory=dict)
    overtaken: bool = False
    sent: bool = False


class Pusher:
    """A few threads that make callbacks when due. They start with the first push."""

    def __init__(self, book: Book) -> None:
        self._book = book
        self._queue: list[_Due] = []
        self._held: dict[str, Push] = {}
        self._order = itertools.count()
        self._ready = threading.Condition()
        self._threads: list[threading.Thread] = []
        self._stopped = False
        self._under_way = 0

    def schedule(self, push: Push, delay: float, timing: Timing | None = None) -> None:
        """Push after `delay` seconds, with the errors that `timing` names."""
        timing = timing or Timing()
        if timing.lost or not push.url:
            return
        push.overtaken = timing.overtaken
        with self._ready:
            if self._stopped:
                return
            self._put(push, time.monotonic() + delay + timing.late)
            if timing.twice:
                copy = replace(push, overtaken=False)
                self._put(copy, time.monotonic() + delay + timing.late)
            self._start_threads()

    def _put(self, push: Push, at: float) -> None:
        heapq.heappush(self._queue, _Due(at, next(self._order), push))
        self._ready.notify()

    def _start_threads(self) -> None:
        while len(self._threads) < WORKERS:
            thread = threading.Thread(target=self._work, daemon=True, name="sandbox-push")
            self._threads.append(thread)
            thread.start()

    def _work(self) -> None:
        while (push := self._next()) is not None:
            self._book.add(_make(push))
            with self._ready:
                self._under_way -= 1
                overtaken = self._held.pop(push.provider, None)
                if overtaken and overtaken is not push and not overtaken.sent:
                    self._put(overtaken, time.monotonic())
                self._ready.notify_all()

    def _next(self) -> Push | None:
        with self._ready:
            while not self._stopped:
                wait = self._queue[0].at - time.monotonic() if self._queue else None
                if wait is not None and wait <= 0:
                    push = heapq.heappop(self._queue).push
                    if push.sent:
                        continue
                    if push.overtaken:
                        self._hold(push)
                        continue
                    push.sent = True
                    self._under_way += 1
                    return push
                self._ready.wait(wait)
            return None

    def _hold(self, push: Push) -> None:
        # If no other push overtakes it, it goes after HOLD_LIMIT.
        push.overtaken = False
        self._held[push.provider] = push
        self._put(push, time.monotonic() + HOLD_LIMIT)

    def pending(self) -> dict[tuple[str, str, str], float]:
        """Seconds until the next push, by provider, message id and operation."""
        now = time.monotonic()
        with self._ready:
            found: dict[tuple[str, str, str], float] = {}
            for due in sorted(self._queue, reverse=True):
                if not (push := due.push).sent:
                    key = (push.provider, push.message_id, push.operation)
                    found[key] = max(0.0, due.at - now)
            return found

    def wait_idle(self, timeout: float = 5.0) -> bool:
        """Wait until every scheduled push has been made, however late it is due.

        Returns False on timeout.
        """
        with self._ready:
            return self._ready.wait_for(self._is_idle, timeout)

    def _is_idle(self) -> bool:
        return not self._under_way and all(due.push.sent for due in self._queue)

    def forget(self) -> None:
        """Drop every push that has not started."""
        with self._ready:
            self._queue.clear()
            self._held.clear()
            self._ready.notify_all()

    def stop(self) -> None:
        with self._ready:
            self._stopped = True
            self._ready.notify_all()
        deadline = time.monotonic() + 1.0
        for thread in self._threads:
            thread.join(max(0.0, deadline - time.monotonic()))


def _make(push: Push) -> Entry:
    """Make one callback. A receiver that is down or answers nonsense is recorded, never raised."""
    entry = Entry(
        kind=PUSH,
        provider=push.provider,
        operation=push.operation,
        account=push.account,
        method=push.method,
        fields=dict(push.fields),
        message_id=push.message_id,
    )
    try:
        entry.status = _request(push)
        entry.outcome = f"answered {entry.status}"
        entry.accepted = 200 <= entry.status < 300
    except (OSError, ValueError, http.client.HTTPException) as error:
        entry.outcome = f"failed: {type(error).__name__}"
    return entry


def _request(push: Push) -> int:
    target = urlsplit(push.url)
    host = target.hostname or ""
    connection: http.client.HTTPConnection
    if target.scheme == "https":
        # A portal under development has a self-signed certificate.
        context = ssl.create_default_context()
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        connection = http.client.HTTPSConnection(
            host, target.port, timeout=TIMEOUT, context=context
        )
    else:
        connection = http.client.HTTPConnection(host, target.port, timeout=TIMEOUT)
    path = (target.path or "/") + (f"?{target.query}" if target.query else "")
    try:
        headers = {"Connection": "close", **push.headers}
        connection.request(push.method, path, body=push.body or None, headers=headers)
        response = connection.getresponse()
        response.read(65536)
        return response.status
    finally:
        connection.close()
