"""The time limit of a whole call."""

from __future__ import annotations

import socket
import subprocess
import sys
import textwrap
import time
from collections.abc import Iterator

import pytest

from providers.gateway.http.watchdog import Watchdog


@pytest.fixture
def pair() -> Iterator[tuple[socket.socket, socket.socket]]:
    ours, theirs = socket.socketpair()
    ours.settimeout(5)
    yield ours, theirs
    ours.close()
    theirs.close()


def test_reader_is_woken_at_the_deadline(pair: tuple[socket.socket, socket.socket]) -> None:
    alarm = Watchdog().watch(0.5)
    alarm.guard(pair[0])
    assert (pair[0].recv(1), alarm.expired) == (b"", True)


def test_cancelled_alarm_leaves_the_socket_open(pair: tuple[socket.socket, socket.socket]) -> None:
    alarm = Watchdog().watch(0.05)
    alarm.guard(pair[0])
    alarm.cancel()
    time.sleep(0.15)
    pair[1].send(b"x")
    assert (pair[0].recv(1), alarm.expired) == (b"x", False)


def test_socket_after_the_deadline_is_refused(
    pair: tuple[socket.socket, socket.socket],
) -> None:
    alarm = Watchdog().watch(0)
    with pytest.raises(TimeoutError):
        alarm.guard(pair[0])


def test_shorter_limit_is_kept_while_a_longer_one_runs(
    pair: tuple[socket.socket, socket.socket],
) -> None:
    watchdog = Watchdog()
    longer = watchdog.watch(60)
    watchdog.watch(0.1).guard(pair[0])
    assert (pair[0].recv(1), longer.expired) == (b"", False)


def test_closed_socket_does_not_stop_the_watchdog(
    pair: tuple[socket.socket, socket.socket],
) -> None:
    watchdog = Watchdog()
    closed = socket.socket()
    closed.close()
    watchdog.watch(0.05).guard(closed)
    watchdog.watch(0.1).guard(pair[0])
    assert pair[0].recv(1) == b""


def test_forked_child_has_its_own_watchdog() -> None:
    script = """
        import os, socket, sys, warnings
        warnings.simplefilter("ignore")
        from providers.gateway.http.watchdog import WATCHDOG
        WATCHDOG.watch(60)
        child = os.fork()
        if child == 0:
            ours, theirs = socket.socketpair()
            ours.settimeout(5)
            WATCHDOG.watch(0.1).guard(ours)
            os._exit(0 if ours.recv(1) == b"" else 1)
        sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
    """
    finished = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(script)], check=False, timeout=30
    )
    assert finished.returncode == 0
