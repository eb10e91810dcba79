"""The threads that make the calls. They never touch the database.

What they need of it (a further slot, a slowdown) they ask of the loop's thread, and what
they made (journal rows, results) the loop's thread takes from here.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from queue import Empty, SimpleQueue
from typing import TypeVar

from ..accounts import address_policy, should_pause
from ..gateway.call import CallRecord, Login, Operation
from ..gateway.client import CannotTake, Client
from ..gateway.errors import GatewayError, NotDone, OutcomeUnknown, Refused
from ..gateway.http.client import Connections, Deadlines, HttpClient
from ..gateway.vocabulary import Reason
from ..journal import BufferedRecorder
from ..models import Account
from .account_queue import AccountQueue, QueuedCall
from .work_source import Job, Result, WorkSource

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


PoolRequest = SlotRequest | SlowDown


class ReservedSlot:
    """The limiter of one job: its first call has its slot and may leave."""

    def __init__(
        self,
        account_id: int,
        account_queue: AccountQueue,
        pool_requests: SimpleQueue[PoolRequest],
        sleep: Callable[[float], object],
    ) -> None:
        self._account_id = account_id
        self._account_queue = account_queue
        self._pool_requests = pool_requests
        self._sleep = sleep
        self._used = False

    def wait(self, operation: Operation) -> None:
        if self._used:
            request = SlotRequest(self._account_id)
            self._pool_requests.put(request)
            self._sleep(request.answer.result(timeout=PATIENCE))
            self._account_queue.leave(self._sleep)
        self._used = True

    def slow_down(self, seconds: float) -> None:
        self._account_queue.slow_down(seconds)
        self._pool_requests.put(SlowDown(self._account_id, seconds))


@dataclass(slots=True, eq=False)
class Finished:
    source: WorkSource
    result: Result
    calls: list[CallRecord]


class WorkerPool:
    """Runs jobs side by side; what it has finished and wishes is read by the loop's thread."""

    def __init__(self, threads: int, deadlines: Deadlines) -> None:
        self._deadlines = deadlines
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="engine")
        self._local = threading.local()
        self._all_connections: list[Connections] = []
        self._account_queues: dict[int, AccountQueue] = {}
        self._stopping = threading.Event()
        self._finished: SimpleQueue[Finished] = SimpleQueue()
        self._pool_requests: SimpleQueue[PoolRequest] = SimpleQueue()
        self.wake = threading.Event()

    def start(
        self,
        source: WorkSource,
        jobs: Sequence[Job],
        account: Account,
        client: type[Client],
        login: Login,
    ) -> None:
        """Have jobs done as soon as their account has calls in flight to spare."""
        account_queue = self._account_queues.get(account.pk)
        if account_queue is None:
            account_queue = self._account_queues[account.pk] = AccountQueue(account)
        tasks = [
            QueuedCall(source.lane, account_queue.next_order(), source, job, account, client, login)
            for job in jobs
        ]
        for _ in range(account_queue.put(tasks)):
            try:
                self._pool.submit(self._serve, account_queue)
            except RuntimeError:
                # No further thread can be had. One that is at the desk takes the task, or
                # it is handed back as stale; its row is not lost either way.
                logger.exception("No thread could be started.")
                account_queue.lose_thread()

    def _serve(self, account_queue: AccountQueue) -> None:
        """One thread's stay at a desk: job after job until none is ready."""
        while task := account_queue.take():
            if self._may_begin(task, account_queue):
                finished = self._work(task, account_queue)
            else:
                finished = Finished(task.source, Result(task.job, handed_back=True), [])
            error = finished.result.error
            if error is not None and should_pause(task.account, error):
                # The loop will pause the account, too; what waits here is not sent first.
                account_queue.pause()
            account_queue.put_down(task)
            self._finish(finished)

    def _may_begin(self, task: QueuedCall, account_queue: AccountQueue) -> bool:
        """The last look before a call leaves: what may not go now is handed back."""
        paid = task.source.paid
        if self._stopping.is_set() or task.is_stale or account_queue.is_closed(paid=paid):
            return False
        return account_queue.leave(self._stopping.wait) and not account_queue.is_closed(paid=paid)

    def _finish(self, finished: Finished) -> None:
        self._finished.put(finished)
        self.wake.set()

    def _work(self, task: QueuedCall, account_queue: AccountQueue) -> Finished:
        job = task.job
        recorder = BufferedRecorder()
        try:
            limiter = ReservedSlot(
                job.account_id, account_queue, self._pool_requests, self._stopping.wait
            )
            http_client = HttpClient(
                self._connections(),
                task.login,
                subject=job.subject,
                limiter=limiter,
                recorder=recorder,
            )
            result = Result(job, value=job.run(task.client(task.login, http_client)))
        except GatewayError as error:
            result = Result(job, error=error)
        except CannotTake as cannot:
            words = cannot.text % cannot.values
            result = Result(job, error=Refused(Reason.CANNOT_TAKE, words=words))
        except BaseException as defect:  # noqa: BLE001 - the outcome must be recorded
            # Its text may hold anything, so only its kind is logged.
            logger.error("A job of %s failed: %s", task.source.name, type(defect).__name__)
            result = Result(job, error=_defect(recorder))
        return Finished(task.source, result, recorder.take())

    def _connections(self) -> Connections:
        """One pool of connections per thread, since a session is not shared by threads."""
        connections = getattr(self._local, "connections", None)
        if connections is None:
            connections = self._local.connections = Connections(address_policy(), self._deadlines)
            self._all_connections.append(connections)
        return connections

    def close_for_paid(self, account_id: int) -> None:
        """The account is paused: what waits for a thread is handed back."""
        account_queue = self._account_queues.get(account_id)
        if account_queue is not None:
            account_queue.pause()

    def reopen(self, account_id: int) -> None:
        """The account was resumed: its paid calls may leave again."""
        account_queue = self._account_queues.get(account_id)
        if account_queue is not None:
            account_queue.resume()

    @property
    def came_back(self) -> int:
        """How many jobs are finished and not taken yet."""
        return self._finished.qsize()

    def take_finished(self) -> list[Finished]:
        return _drain(self._finished)

    def take_pool_requests(self) -> list[PoolRequest]:
        return _drain(self._pool_requests)

    def put_back_pool_requests(self, pool_requests: list[PoolRequest]) -> None:
        """Those that could not be answered yet."""
        for pool_request in pool_requests:
            self._pool_requests.put(pool_request)

    def stop(self) -> None:
        """No further call leaves; what waits for a thread is handed back."""
        self._stopping.set()
        for account_queue in self._account_queues.values():
            account_queue.send_threads_away()

    def close(self) -> None:
        self.stop()
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
