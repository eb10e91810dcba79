"""The threads that make the calls. They never touch the database.

What they need of it (a further slot, a slowdown) they ask of the loop's thread, and what
they made (journal rows, results) the loop's thread takes from here.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from queue import Empty, SimpleQueue
from typing import TypeVar

from ..accounts import address_policy
from ..gateway.call import Login, Operation
from ..gateway.client import CannotTake, Client
from ..gateway.errors import GatewayError, NotDone, OutcomeUnknown, Refused
from ..gateway.vocabulary import Reason
from ..gateway.wire import Connections, Deadlines, Wire
from ..journal import BufferedRecorder
from ..models import ApiCall
from .sources import Job, Result, WorkSource

T = TypeVar("T")

logger = logging.getLogger(__name__)

PATIENCE = 60.0
"""Seconds that a thread waits for the loop to answer before it gives up on its call."""


@dataclass(slots=True)
class SlotRequest:
    """A thread wants to make one more call on its account; the answer is a wait in seconds."""

    account_id: int
    answer: Future[float] = field(default_factory=Future)


@dataclass(slots=True)
class SlowDown:
    account_id: int
    seconds: float | None


Wish = SlotRequest | SlowDown


class ReservedSlot:
    """The limiter of one job: its first call has its slot already."""

    def __init__(
        self, account_id: int, wishes: SimpleQueue[Wish], sleep: Callable[[float], object]
    ):
        self._account_id = account_id
        self._wishes = wishes
        self._sleep = sleep
        self._used = False

    def wait(self, operation: Operation) -> None:
        if not self._used:
            self._used = True
            return
        request = SlotRequest(self._account_id)
        self._wishes.put(request)
        self._sleep(request.answer.result(timeout=PATIENCE))

    def slow_down(self, seconds: float) -> None:
        self._wishes.put(SlowDown(self._account_id, seconds))


@dataclass(slots=True, eq=False)
class Finished:
    source: WorkSource
    result: Result
    calls: list[ApiCall]


class Workshop:
    """Runs jobs side by side; `finished` and `wishes` are read by the loop's thread."""

    def __init__(self, threads: int, deadlines: Deadlines) -> None:
        self._deadlines = deadlines
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="engine")
        self._local = threading.local()
        self._all_connections: list[Connections] = []
        self._stopping = threading.Event()
        self.finished: SimpleQueue[Finished] = SimpleQueue()
        self.wishes: SimpleQueue[Wish] = SimpleQueue()
        self.wake = threading.Event()

    def start(self, source: WorkSource, job: Job, client: type[Client], login: Login) -> None:
        self._pool.submit(self._work, source, job, client, login)

    def _work(self, source: WorkSource, job: Job, client: type[Client], login: Login) -> None:
        recorder = BufferedRecorder(job.account_id)
        try:
            limiter = ReservedSlot(job.account_id, self.wishes, self._stopping.wait)
            wire = Wire(
                self._connections(), login, subject=job.subject, limiter=limiter, recorder=recorder
            )
            result = Result(job, value=job.run(client(login, wire)))
        except GatewayError as error:
            result = Result(job, error=error)
        except CannotTake as cannot:
            words = cannot.text % cannot.values
            result = Result(job, error=Refused(Reason.CANNOT_TAKE, words=words))
        except BaseException as defect:  # noqa: BLE001 - the outcome must be recorded
            # Its text may hold anything, so only its kind is logged.
            logger.error("A job of %s failed: %s", source.name, type(defect).__name__)
            result = Result(job, error=_defect(recorder))
        self.finished.put(Finished(source, result, recorder.take()))
        self.wake.set()

    def _connections(self) -> Connections:
        """One pool of connections per thread, since a session is not shared by threads."""
        connections = getattr(self._local, "connections", None)
        if connections is None:
            connections = self._local.connections = Connections(address_policy(), self._deadlines)
            self._all_connections.append(connections)
        return connections

    def take_finished(self) -> list[Finished]:
        return _drain(self.finished)

    def take_wishes(self) -> list[Wish]:
        return _drain(self.wishes)

    def close(self) -> None:
        self._stopping.set()
        self._pool.shutdown(wait=False, cancel_futures=True)
        for connections in self._all_connections:
            connections.close()


def _defect(recorder: BufferedRecorder) -> GatewayError:
    """Our own failure: certain that nothing happened only where nothing was sent."""
    if recorder.is_empty:
        return NotDone(Reason.PORTAL_FAULT)
    return OutcomeUnknown(Reason.PORTAL_FAULT)


def _drain(queue: SimpleQueue[T]) -> list[T]:
    taken: list[T] = []
    while True:
        try:
            taken.append(queue.get_nowait())
        except Empty:
            return taken
