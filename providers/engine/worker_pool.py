"""The threads that make the calls. They never touch the database.

They ask the loop's thread for whatever needs the database (another slot, a slowdown), and the
loop's thread collects their results and journal records here.
"""

from __future__ import annotations

import logging
import threading
import time
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

SLOT_TIMEOUT = 60.0
"""Seconds that a thread waits for the loop to grant a slot before it gives up its call."""


@dataclass(slots=True)
class SlotRequest:
    """A thread asks for one more slot of its account. The answer is the wait in seconds."""

    account_id: int
    answer: Future[float] = field(default_factory=Future)


@dataclass(slots=True)
class SlowDown:
    account_id: int
    seconds: float | None


PoolRequest = SlotRequest | SlowDown


class ReservedSlot:
    """The limiter of one job. The slot of its first call is already reserved."""

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
            self._sleep(request.answer.result(timeout=SLOT_TIMEOUT))
            self._account_queue.wait_for_departure(self._sleep)
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
    """Runs jobs in parallel. The loop's thread collects finished jobs and requests."""

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
        self.past = 0
        """The past of the database. Calls that were submitted in another one do not begin."""
        self.may_begin_until = float("inf")
        """By the monotonic clock. The leases expire then, and another loop may make the calls."""

    def start(
        self,
        source: WorkSource,
        jobs: Sequence[Job],
        account: Account,
        client: type[Client],
        login: Login,
    ) -> None:
        """Queue jobs of one account. They start as soon as it may have more calls in flight."""
        account_queue = self._queue_of(account)
        calls = [
            QueuedCall(source.lane, account_queue.next_order(), source, job, account, client, login)
            for job in jobs
        ]
        for _ in range(account_queue.put(calls)):
            try:
                self._pool.submit(self._serve, account_queue)
            except RuntimeError:
                # No further thread can be started. A running one takes the call, or the call
                # becomes stale and its row is released. The row is not lost either way.
                logger.exception("No thread could be started.")
                account_queue.discard_thread()

    def _queue_of(self, account: Account) -> AccountQueue:
        account_queue = self._account_queues.get(account.pk)
        if account_queue is None:
            account_queue = self._account_queues[account.pk] = AccountQueue(account)
        return account_queue

    def _serve(self, account_queue: AccountQueue) -> None:
        """Run one account's jobs in this thread until none is ready."""
        while call := account_queue.take():
            if self._may_begin(call, account_queue):
                finished = self._make_call(call, account_queue)
            else:
                finished = Finished(call.source, Result(call.job, not_begun=True), [])
            error = finished.result.error
            if error is not None and should_pause(call.account, error):
                # The loop will pause the account too, but queued calls must not start before.
                account_queue.pause()
            account_queue.finish(call)
            self._finish(finished)

    def _may_begin(self, call: QueuedCall, account_queue: AccountQueue) -> bool:
        """The last check before a call. If it fails, the row is released."""
        paid = call.source.paid
        if self._stopping.is_set() or call.is_stale or account_queue.is_closed(paid=paid):
            return False
        return (
            account_queue.wait_for_departure(self._stopping.wait)
            and not account_queue.is_closed(paid=paid)
            and call.job.past == self.past
            and time.monotonic() < self.may_begin_until
        )

    def _finish(self, finished: Finished) -> None:
        self._finished.put(finished)
        self.wake.set()

    def _make_call(self, call: QueuedCall, account_queue: AccountQueue) -> Finished:
        job = call.job
        recorder = BufferedRecorder()
        try:
            limiter = ReservedSlot(
                job.account_id, account_queue, self._pool_requests, self._stopping.wait
            )
            http_client = HttpClient(
                self._connections(),
                call.login,
                subject=job.subject,
                limiter=limiter,
                recorder=recorder,
            )
            result = Result(job, value=job.run(call.client(call.login, http_client)))
        except GatewayError as error:
            result = Result(job, error=error)
        except CannotTake as cannot:
            words = cannot.text % cannot.values
            result = Result(job, error=Refused(Reason.CANNOT_TAKE, words=words))
        except BaseException as defect:  # noqa: BLE001 - the outcome must be recorded
            # The text may contain anything, so only the type is logged.
            logger.error("A job of %s failed: %s", call.source.name, type(defect).__name__)
            result = Result(job, error=_error_of_defect(recorder))
        return Finished(call.source, result, recorder.take())

    def _connections(self) -> Connections:
        """This thread's own connections. They are not shared between threads."""
        connections = getattr(self._local, "connections", None)
        if connections is None:
            connections = self._local.connections = Connections(address_policy(), self._deadlines)
            self._all_connections.append(connections)
        return connections

    def pause_account(self, account_id: int) -> None:
        """Return the queued paid calls of a paused account."""
        account_queue = self._account_queues.get(account_id)
        if account_queue is not None:
            account_queue.pause()

    def resume_account(self, account_id: int) -> None:
        """Allow the paid calls of a resumed account again."""
        account_queue = self._account_queues.get(account_id)
        if account_queue is not None:
            account_queue.resume()

    def take_account_over(self, account: Account, ages: Sequence[float]) -> None:
        """Serve an account from now on, and count its earlier calls."""
        self._queue_of(account).take_over(ages)

    def close_account(self, account_id: int) -> None:
        """Return the queued calls of an account that another loop is to serve."""
        account_queue = self._account_queues.get(account_id)
        if account_queue is not None:
            account_queue.close()

    def open_account(self, account_id: int) -> None:
        """Serve an account again that was to be given away."""
        account_queue = self._account_queues.get(account_id)
        if account_queue is not None:
            account_queue.open()

    @property
    def finished_count(self) -> int:
        """The number of finished jobs that the loop has not collected yet."""
        return self._finished.qsize()

    def take_finished(self) -> list[Finished]:
        return _drain(self._finished)

    def take_pool_requests(self) -> list[PoolRequest]:
        return _drain(self._pool_requests)

    def requeue_pool_requests(self, pool_requests: list[PoolRequest]) -> None:
        """Queue requests again that could not be answered yet."""
        for pool_request in pool_requests:
            self._pool_requests.put(pool_request)

    def stop(self) -> None:
        """Start no further call. Queued calls are returned."""
        self._stopping.set()
        for account_queue in self._account_queues.values():
            account_queue.dismiss_threads()

    def close(self) -> None:
        self.stop()
        self._pool.shutdown(wait=False, cancel_futures=True)
        for connections in self._all_connections:
            connections.close()


def _error_of_defect(recorder: BufferedRecorder) -> GatewayError:
    """The error for a defect of ours. NOT_DONE is certain only if nothing was sent."""
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
