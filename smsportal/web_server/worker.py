"""A gunicorn worker that gives its threads to complete requests only.

gunicorn's threaded worker reads a request and writes its answer in a thread, at the client's pace,
and has no limit for the time. A few connections that send or take a byte now and then would occupy
every thread. Here the main loop collects requests (`request_intake`), decides which of them is next
(`request_queue`) and sends what a client has not yet taken of its answer (`held_socket`).

A connection is in one of these places: held (its request is not complete), in the queue, in a
thread, being flushed, kept alive, or lingering until the client has closed it.
"""

from __future__ import annotations

import ctypes
import selectors
import socket
import sys
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Any, Final

from django.conf import settings
from gunicorn.workers.gthread import STOP_KEEPALIVE_LINGER, TConn, ThreadWorker

from core.client_address import address_in

from .held_socket import HeldSocket
from .request_queue import RequestQueue, lane_of

MEGABYTE: Final = 1024 * 1024
MAX_UNFINISHED: Final = 400
"""Connections that wait for their client. Beyond, the address with the most of them loses one."""
MAX_COLLECTED: Final = 256 * MEGABYTE
"""Bytes of all requests that are not complete. Most of them are in files."""
MAX_UNSENT: Final = 64 * MEGABYTE
"""Bytes of all answers that clients have not yet taken."""
SWITCH_INTERVAL: Final = 0.0005
"""Seconds for which a thread may keep the interpreter while others wait."""
M_MMAP_THRESHOLD: Final = -3
"""A number of glibc's `malloc.h`."""
LARGE_BLOCK: Final = MEGABYTE
LINGER: Final = 3.0
"""Seconds in which a client may take the end of its answer and close the connection."""
REFUSAL: Final = (
    b"HTTP/1.1 503 Service Unavailable\r\nRetry-After: 5\r\n"
    b"Connection: close\r\nContent-Length: 0\r\n\r\n"
)


class PortalWorker(ThreadWorker):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._queue: RequestQueue[Any] = RequestQueue(self.cfg.threads)
        self._held: dict[Any, None] = {}
        self._flushing: dict[Any, bool] = {}
        """Connections with their unsent answers, and whether they are kept alive afterwards."""
        self._lingering: dict[Any, float] = {}

    def init_process(self) -> None:
        # A page gives the interpreter away with each row that it reads. By default a busy thread
        # keeps it for 5 ms each time, so that one export would slow down every page many times.
        sys.setswitchinterval(SWITCH_INTERVAL)
        _return_large_blocks()
        super().init_process()

    # --- reading -----------------------------------------------------------

    def accept(self, listener: Any) -> None:
        try:
            client, address = listener.accept()
        except OSError:
            # The client has gone again, or this process has no file left. Both pass.
            self._drop_one_of_the_greediest()
            return
        self.nr_conns += 1
        # Twice the limit, because a file just over it still reaches its form.
        max_body = 2 * settings.BATCH_MEGABYTES * MEGABYTE
        held = HeldSocket(client, max_body, settings.REQUEST_SECONDS)
        self._hold(TConn(self.cfg, held, address, listener.getsockname()))
        if self.nr_conns >= self.worker_connections:
            # Nobody could connect any more.
            self._drop_one_of_the_greediest()

    def on_client_socket_readable(self, conn: Any, client: Any) -> None:
        """A connection that was kept alive sends the next request."""
        self.poller.unregister(client)
        self.keepalived_conns.remove(conn)
        self._hold(conn)

    def _hold(self, conn: Any, data: bytes = b"") -> None:
        conn.sock.begin(data)
        if conn.sock.intake.is_complete:
            self._enqueue(conn)
            return
        self._held[conn] = None
        self._watch(conn, selectors.EVENT_READ, self._on_held_readable)
        if len(self._held) + len(self._flushing) + len(self._lingering) > MAX_UNFINISHED:
            self._drop_one_of_the_greediest()

    def _on_held_readable(self, conn: Any, _sock: Any) -> None:
        # Another event of the same moment may have ended it.
        if conn not in self._held:
            return
        if not conn.sock.collect():
            self._drop(conn)
        elif conn.sock.intake.is_complete:
            self._unwatch(conn)
            del self._held[conn]
            self._enqueue(conn)
        elif conn.sock.intake.size > MEGABYTE and self._collected() > MAX_COLLECTED:
            self._drop_one_of_the_greediest()

    def _collected(self) -> int:
        return sum(conn.sock.intake.size for conn in self._held)

    def _drop_one_of_the_greediest(self) -> None:
        """Give up the oldest connection of the address that has the most connections and bytes."""
        unfinished = [*self._lingering, *self._flushing, *self._held]
        weights: Counter[str] = Counter()
        for conn in unfinished:
            bytes_kept = conn.sock.intake.size + conn.sock.unsent
            weights[_address_of(conn)] += MEGABYTE // 4 + bytes_kept
        if weights:
            greediest = weights.most_common(1)[0][0]
            self._drop(next(conn for conn in unfinished if _address_of(conn) == greediest))

    # --- running -----------------------------------------------------------

    def _enqueue(self, conn: Any) -> None:
        head = conn.sock.intake.head
        lane = lane_of(head, _address_of(conn), settings.SESSION_COOKIE_NAME)
        refused = self._queue.add(conn, lane)
        if refused is not None:
            refused.sock.try_to_send(REFUSAL)
            self._linger(refused)
        self._dispatch()

    def _dispatch(self) -> None:
        while (conn := self._queue.take()) is not None:
            if conn.sock.is_abandoned:
                self._queue.finished(conn)
                self._close(conn)
                continue
            conn.data_ready = True
            self.enqueue_req(conn)

    def finish_request(self, conn: Any, fs: Any) -> None:
        """A thread has answered. Runs in the main loop."""
        self._queue.finished(conn)
        try:
            is_kept = bool(fs.result()) and not conn.sock.intake.is_cut
            if conn.sock.unsent:
                self._flush(conn, is_kept)
            else:
                self._after_answer(conn, is_kept)
        except Exception:
            self.log.exception("A connection is given up.")
            self._drop(conn)
        self._dispatch()

    def _flush(self, conn: Any, is_kept: bool) -> None:
        conn.sock.end()
        self._flushing[conn] = is_kept
        self._watch(conn, selectors.EVENT_WRITE, self._on_flushing_writable)
        if sum(one.sock.unsent for one in self._flushing) > MAX_UNSENT:
            self._drop_one_of_the_greediest()

    def _on_flushing_writable(self, conn: Any, _sock: Any) -> None:
        if conn not in self._flushing:
            return
        try:
            conn.sock.deadline.count(conn.sock.flush())
        except OSError:
            self._drop(conn)
            return
        if not conn.sock.unsent:
            self._unwatch(conn)
            self._after_answer(conn, self._flushing.pop(conn))

    def _after_answer(self, conn: Any, is_kept: bool) -> None:
        excess = conn.sock.end()
        if not is_kept:
            self._linger(conn)
        elif excess:
            self._hold(conn, excess)
        else:
            conn.set_timeout()
            if not self.alive:
                conn.timeout = min(conn.timeout, time.monotonic() + STOP_KEEPALIVE_LINGER)
            self.keepalived_conns.append(conn)
            self._watch(conn, selectors.EVENT_READ, self.on_client_socket_readable)

    # --- ending ------------------------------------------------------------

    def _linger(self, conn: Any) -> None:
        """Let the client take the end of the answer. An immediate close could destroy it."""
        try:
            conn.sock.shutdown(socket.SHUT_WR)
        except OSError:
            self._close(conn)
            return
        self._lingering[conn] = time.monotonic() + LINGER
        self._watch(conn, selectors.EVENT_READ, self._on_lingering_readable)

    def _on_lingering_readable(self, conn: Any, _sock: Any) -> None:
        if conn in self._lingering and not conn.sock.drain():
            self._drop(conn)

    def murder_pending(self) -> None:
        """Give up the connections whose time is over."""
        now = time.monotonic()
        late = [conn for conn in [*self._held, *self._flushing] if conn.sock.deadline.left() <= 0]
        late += [conn for conn, end in self._lingering.items() if end <= now]
        if not self.alive:
            # A stopping worker waits for those that have begun.
            idle = [conn for conn in self._held if not conn.sock.intake.size]
            late += [conn for conn in idle if conn.sock.deadline.silence() > STOP_KEEPALIVE_LINGER]
        for conn in dict.fromkeys(late):
            self._drop(conn)

    def _drop(self, conn: Any) -> None:
        self._unwatch(conn)
        self._held.pop(conn, None)
        self._flushing.pop(conn, None)
        self._lingering.pop(conn, None)
        self._close(conn)

    def _close(self, conn: Any) -> None:
        conn.sock.end()
        self.nr_conns -= 1
        conn.close()

    # --- the poller --------------------------------------------------------

    def _watch(self, conn: Any, event: int, callback: Callable[[Any, Any], None]) -> None:
        self.poller.register(conn.sock, event, partial(self._guard, conn, callback))

    def _guard(self, conn: Any, callback: Callable[[Any, Any], None], sock: Any) -> None:
        """An error of one connection, such as a full disk, must not end the others."""
        try:
            callback(conn, sock)
        except Exception:
            self.log.exception("A connection is given up.")
            if conn in self._held:
                conn.sock.try_to_send(REFUSAL)
            self._drop(conn)

    def _unwatch(self, conn: Any) -> None:
        try:
            self.poller.unregister(conn.sock)
        except (KeyError, ValueError):
            return


def _return_large_blocks() -> None:
    """Let glibc return large blocks of memory at once.

    Otherwise it keeps, for each thread, as much as the largest password hash or answer has taken.
    """
    with suppress(AttributeError, OSError):
        ctypes.CDLL(None).mallopt(M_MMAP_THRESHOLD, LARGE_BLOCK)


def _address_of(conn: Any) -> str:
    """The address of the client, as soon as the head of the request says it."""
    peer = conn.client[0] if isinstance(conn.client, tuple) else ""
    environ = {"REMOTE_ADDR": peer}
    head = conn.sock.intake.head
    if head is not None and "x-forwarded-for" in head.headers:
        environ["HTTP_X_FORWARDED_FOR"] = head.values("x-forwarded-for")
    return str(address_in(environ))
