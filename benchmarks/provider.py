"""A minimal provider that answers after a delay, in its own process.

It is lighter than the sandbox, so that the portal dominates the measurement.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count

ANSWER = b'{"message_id": %08d, "status": "S", "remarks": "", "uid": null}'
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"
# Each message has an id of its own, because messages that share one are flagged, one by one.
ids = count(10_000_000)


def make_response() -> bytes:
    answer = ANSWER % next(ids)
    return HEAD % len(answer) + answer


class Answering(asyncio.Protocol):
    def __init__(self, delay: float) -> None:
        self.delay = delay
        self.received = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        self.received += data
        while True:
            head, separator, rest = self.received.partition(b"\r\n\r\n")
            if not separator:
                return
            length = 0
            for line in head.split(b"\r\n"):
                if line.lower().startswith(b"content-length:"):
                    length = int(line[15:])
            if len(rest) < length:
                return
            self.received = rest[length:]
            asyncio.get_running_loop().call_later(self.delay, self.answer)

    def answer(self) -> None:
        if not self.transport.is_closing():
            self.transport.write(make_response())  # type: ignore[attr-defined]


def _serve(listener: socket.socket, delay: float) -> None:
    async def run() -> None:
        loop = asyncio.get_running_loop()
        server = await loop.create_server(lambda: Answering(delay), sock=listener, backlog=1024)
        await server.serve_forever()

    asyncio.run(run())


@contextmanager
def slow_provider(delay: float = 0.05) -> Iterator[str]:
    """Run the provider and yield its address."""
    listener = socket.create_server(("127.0.0.1", 0), backlog=1024)
    process = multiprocessing.get_context("fork").Process(
        target=_serve, args=(listener, delay), daemon=True
    )
    process.start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        process.terminate()
        process.join()
        listener.close()
