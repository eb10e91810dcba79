"""Faults of the connection: slow, silent, cut off, broken, trickling or endless answers."""

from __future__ import annotations

from sandbox.exchange import render
from sandbox.faults import Scene, fault

GARBAGE = b"\x15\x03\xff\x00\x07garbage\x00\xff\xfe"
CHUNK = b"x" * 65536
PATIENCE = 3600.0


def _whole(scene: Scene) -> bytes:
    return render(scene.status(), scene.body())


@fault("slow", "Answers slowly", accepted=True, seconds=5.0)
def slow(scene: Scene) -> bool:
    scene.wire.pause(scene.number("seconds"))
    scene.wire.send(_whole(scene))
    return scene.head.keep_alive


@fault("never_answers", "Never answers", accepted=True)
def never_answers(scene: Scene) -> bool:
    scene.wire.wait_for_client(PATIENCE)
    return False


@fault(
    "reset_before",
    "Connection lost before the request is accepted",
    accepted=False,
    before_body=True,
    fixed=True,
)
def reset_before(scene: Scene) -> bool:
    scene.wire.reset()
    return False


@fault("reset_after", "Connection lost after the request is accepted", accepted=True)
def reset_after(scene: Scene) -> bool:
    scene.wire.reset()
    return False


@fault("closed_after", "Closes the connection after the request, without an answer", accepted=True)
def closed_after(scene: Scene) -> bool:
    return False


@fault("tls_broken", "TLS fails after the request is read", accepted=True)
def tls_broken(scene: Scene) -> bool:
    # This bypasses the TLS layer. The client's library sees a broken record and reports a TLS
    # error, although the whole request has been read. There is no close_notify either.
    scene.wire.send_raw(GARBAGE)
    return False


@fault("trickled_headers", "Sends its headers byte by byte", accepted=True, interval=1.0)
def trickled_headers(scene: Scene) -> bool:
    scene.wire.trickle(_whole(scene), scene.number("interval"))
    return scene.head.keep_alive


@fault("trickled_body", "Sends its answer byte by byte", accepted=True, interval=1.0)
def trickled_body(scene: Scene) -> bool:
    head, _, body = _whole(scene).partition(b"\r\n\r\n")
    scene.wire.send(head + b"\r\n\r\n")
    scene.wire.trickle(body, scene.number("interval"))
    return scene.head.keep_alive


@fault("endless_headers", "Sends endless headers", accepted=True)
def endless_headers(scene: Scene) -> bool:
    scene.wire.send(b"HTTP/1.1 200 OK\r\n")
    number = 0
    while not scene.wire.pause(0.01):
        number += 1
        scene.wire.send(b"X-Filler-%d: %s\r\n" % (number, CHUNK[:1024]))
    return False


@fault("huge_header", "Sends a 1 MB header", accepted=True, bytes=1048576)
def huge_header(scene: Scene) -> bool:
    filler = "x" * int(scene.number("bytes"))
    scene.wire.send(render(scene.status(), scene.body(), headers={"X-Filler": filler}))
    return scene.head.keep_alive


@fault("keep_alive_closed", "Closes the connection after the answer without notice", accepted=True)
def keep_alive_closed(scene: Scene) -> bool:
    scene.wire.send(_whole(scene))
    return False


@fault("keep_alive_reset", "Drops the next request on the same connection", accepted=True)
def keep_alive_reset(scene: Scene) -> bool:
    # The worst case for a client that reuses connections: this one looks alive until the client
    # has written the next request, which is never read.
    scene.wire.send(_whole(scene))
    scene.wire.wait_for_client(PATIENCE)
    scene.wire.reset()
    return False
