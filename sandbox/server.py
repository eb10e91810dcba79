"""The simulated providers on one HTTP server, in memory.

In a test:

    with Sandbox() as sandbox:
        requests.post(sandbox.base_url("haosms") + "/extra_api/otp_msg", data=...)
        assert sandbox.book.repeated() == []

`Remote` in `sandbox.remote` offers the same control methods to another process.
"""

from __future__ import annotations

import contextlib
import importlib
import inspect
import pkgutil
import socket
import ssl
import threading
import time
from collections.abc import Iterable

import sandbox as package
from sandbox.book import CALL, DEFAULT_SIZE, STRAYED, Book, Entry
from sandbox.callbacks import Pusher
from sandbox.control import PREFIX as CONTROL_PREFIX
from sandbox.control import Control, Switches
from sandbox.exchange import BadRequest, Head, Reply, Request, Wire, render
from sandbox.faults import Active, Scene
from sandbox.provider import Call, Provider

ELSEWHERE = "/_elsewhere"
ALERTS = "/_alerts/"
"""Accepts alerts of the portal, so that those of the demo have somewhere to go."""
ACCEPTED = Reply({"accepted": True})
NOT_FOUND = Reply({"error": "Not Found"}, 404, "no such address", accepted=False)
STOP_TIMEOUT = 2.0


def discover() -> list[type[Provider]]:
    """The provider classes of this package, sorted by label.

    Importing its modules also registers the faults.
    """
    found = set()
    for module_info in pkgutil.iter_modules(package.__path__):
        if module_info.name == "server":
            continue
        module = importlib.import_module(f"{package.__name__}.{module_info.name}")
        for _, value in inspect.getmembers(module, inspect.isclass):
            if issubclass(value, Provider) and not inspect.isabstract(value):
                found.add(value)
    return sorted(found, key=lambda provider: provider.label)


class Sandbox(Switches):
    """The server with its providers. Port 0 picks a free port. `tls` enables HTTPS."""

    def __init__(
        self,
        host: str = "127.0.0.1",
        port: int = 0,
        *,
        tls: ssl.SSLContext | None = None,
        book_size: int = DEFAULT_SIZE,
    ) -> None:
        book = Book(book_size)
        pusher = Pusher(book)
        super().__init__([kind(book, pusher) for kind in discover()], book, pusher)
        self._address = (host, port)
        self._tls = tls
        self._control = Control(self)
        self._stopping = threading.Event()
        self._open: dict[threading.Thread, Wire] = {}
        self._lock = threading.Lock()
        self._listener: socket.socket | None = None
        self._port = port
        self._acceptor: threading.Thread | None = None

    def start(self) -> Sandbox:
        family = socket.AF_INET6 if ":" in self._address[0] else socket.AF_INET
        self._listener = socket.create_server(self._address, family=family, backlog=1024)
        self._port = int(self._listener.getsockname()[1])
        # A safety net: stop() normally wakes the accepting thread.
        self._listener.settimeout(1.0)
        self._acceptor = threading.Thread(
            target=self._accept, args=(self._listener,), daemon=True, name="sandbox"
        )
        self._acceptor.start()
        return self

    def stop(self) -> None:
        """Close every connection and wait for the threads. May be called twice."""
        self._stopping.set()
        if self._listener is not None:
            with contextlib.suppress(OSError):
                self._listener.shutdown(socket.SHUT_RDWR)
            self._listener.close()
        if self._acceptor is not None:
            self._acceptor.join(STOP_TIMEOUT)
        with self._lock:
            still_open = dict(self._open)
        for wire in still_open.values():
            wire.wake()
        _join(still_open)
        self.pusher.stop()

    def __enter__(self) -> Sandbox:
        return self.start()

    def __exit__(self, *exception: object) -> None:
        self.stop()

    @property
    def port(self) -> int:
        if self._listener is None:
            raise RuntimeError("The sandbox has not been started.")
        return self._port

    @property
    def url(self) -> str:
        """The server's URL without a trailing slash, as `Remote` takes it."""
        host = f"[{self._address[0]}]" if ":" in self._address[0] else self._address[0]
        return f"{'https' if self._tls else 'http'}://{host}:{self.port}"

    def base_url(self, provider: str) -> str:
        """The base URL for an account at this provider."""
        return self.url + self.provider(provider).base_path()

    def _accept(self, listener: socket.socket) -> None:
        while not self._stopping.is_set():
            try:
                sock, _ = listener.accept()
            except TimeoutError:
                continue
            except OSError:
                return
            threading.Thread(
                target=self._serve, args=(sock,), daemon=True, name="sandbox-client"
            ).start()

    def _serve(self, sock: socket.socket) -> None:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        with sock, contextlib.suppress(OSError):
            if self._tls is not None:
                sock.settimeout(10.0)
                sock = self._tls.wrap_socket(sock, server_side=True)
                sock.settimeout(None)
            wire = Wire(sock, self._stopping)
            with self._lock:
                self._open[threading.current_thread()] = wire
            try:
                self._serve_requests(wire)
            finally:
                with self._lock:
                    del self._open[threading.current_thread()]
                wire.close()

    def _serve_requests(self, wire: Wire) -> None:
        while not self._stopping.is_set():
            try:
                head = wire.read_head()
                if head is None or not self._answer(wire, head):
                    return
            except BadRequest:
                wire.send(render(400, b'{"error": "Bad Request"}'))
                return

    def _answer(self, wire: Wire, head: Head) -> bool:
        """Answer one request. Returns True if another may follow on this connection."""
        if head.path.startswith(CONTROL_PREFIX):
            request = _request(wire, head, head.path)
            return _send(wire, head, self._control.handle(request))
        if head.path.startswith(ELSEWHERE):
            self._record_stray(_request(wire, head, head.path))
            return _send(wire, head, NOT_FOUND)
        if head.path.startswith(ALERTS) and head.method == "POST":
            _request(wire, head, head.path)
            return _send(wire, head, ACCEPTED)
        for provider in self.providers.values():
            base = provider.base_path()
            if head.path.startswith(base + "/"):
                return self._call_provider(provider, wire, head, head.path[len(base) :])
        _request(wire, head, head.path)
        return _send(wire, head, NOT_FOUND)

    def _call_provider(self, provider: Provider, wire: Wire, head: Head, path: str) -> bool:
        operation = provider.route(head.method, path)
        if operation is None:
            _request(wire, head, path)
            fields: dict[str, object] = {"path": path}
            entry = Entry(CALL, provider.name, "unknown", method=head.method, fields=fields)
            entry.outcome = NOT_FOUND.outcome
            self.book.add(entry)
            return _send(wire, head, NOT_FOUND)
        call, is_repeat = None, False
        if self.faults.asks_for_repeats(provider.name, operation):
            call = provider.read(operation, _request(wire, head, path))
            is_repeat = self.book.note_try(provider.name, call.reference)
        active, timing = self.faults.take(provider.name, operation, is_repeat=is_repeat)
        if active and active.fault.before_body:
            return active.fault.strike(self._scene(wire, head, provider, None, active))
        if call is None:
            call = provider.read(operation, _request(wire, head, path))
            self.book.note_try(provider.name, call.reference)
        call.timing = timing or call.timing
        label = call.account.label if call.account else ""
        call.in_flight = self.book.enter(provider.name, label)
        try:
            reply = provider.answer(call) if active is None or active.accept else None
            self.book.add(_entry(provider, head, call, reply, active))
            if active:
                return active.fault.strike(self._scene(wire, head, provider, reply, active))
            return reply is not None and _send(wire, head, reply)
        finally:
            self.book.leave(provider.name, label)

    def _scene(
        self, wire: Wire, head: Head, provider: Provider, reply: Reply | None, active: Active
    ) -> Scene:
        elsewhere = f"http://{self.url.partition('://')[2]}{ELSEWHERE}"
        return Scene(wire, head, provider, reply, active.options, elsewhere)

    def _record_stray(self, request: Request) -> None:
        fields: dict[str, object] = {"body_bytes": len(request.body)}
        fields["parameters"] = sorted(request.form())
        entry = Entry(STRAYED, "elsewhere", "followed", method=request.method, fields=fields)
        self.book.add(entry)


def _request(wire: Wire, head: Head, path: str) -> Request:
    return Request(head.method, path, head.query, head.headers, wire.read_body(head))


def _send(wire: Wire, head: Head, reply: Reply) -> bool:
    wire.send(render(reply.status, reply.body()))
    return head.keep_alive


def _entry(
    provider: Provider, head: Head, call: Call, reply: Reply | None, active: Active | None
) -> Entry:
    entry = Entry(
        kind=CALL,
        provider=provider.name,
        operation=call.operation,
        account=call.account.label if call.account else "",
        method=head.method,
        fields=call.fields,
        reference=call.reference,
        fault=active.fault.id if active else "",
        outcome="not accepted",
    )
    if reply is not None:
        entry.fields = {**call.fields, **reply.notes}
        entry.outcome, entry.accepted = reply.outcome, reply.accepted
        entry.message_id = reply.message_id
        entry.status = None if active else reply.status
    return entry


def _join(threads: Iterable[threading.Thread]) -> None:
    deadline = time.monotonic() + STOP_TIMEOUT
    for thread in threads:
        thread.join(max(0.0, deadline - time.monotonic()))
