"""The process that loads the portal's code and forks the programs, as `client` asks for.

Each program is a grandchild: its parent ends at once, so that the supervisor adopts it and learns
of its end. This process has one thread and no connection to the database, so its forks start clean.
"""

from __future__ import annotations

import gc
import json
import os
import socket
import sys
import threading
import time
from contextlib import suppress
from importlib import import_module
from typing import Any, Final

from smsportal.processes.forks.client import GO_ON, MAX_PACKET, READY
from smsportal.processes.process_control import name_process, terminate_with_parent

ADOPTION_SECONDS: Final = 10.0
MAX_FILES: Final = 2
"""A socket for the answer, and a file for the output."""
GUNICORN: Final = "gunicorn"


def main() -> None:
    """`python -m …forks.server SOCKET FOLDER MODULE…`, in the folder of the code."""
    name_process("fork server")
    connection = socket.socket(fileno=int(sys.argv[1]))
    with suppress(FileNotFoundError):
        os.chdir(sys.argv[2])
    _load(sys.argv[3:])
    arguments = _serve(connection)
    if arguments:
        _run(arguments)


def _load(modules: list[str]) -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "smsportal.settings")
    import django

    django.setup()
    for name in modules:
        import_module(name)
    _load_translations()
    if threading.active_count() > 1:
        raise RuntimeError("a module starts a thread when it is loaded, which no fork would have")
    from django.db import connections

    connections.close_all()
    # The garbage collector writes into each object that it looks at, and a page of memory that is
    # written to is copied.
    gc.collect()
    gc.freeze()


def _load_translations() -> None:
    from django.conf import settings
    from django.utils import translation

    for code, _ in settings.LANGUAGES:
        with translation.override(code):
            translation.gettext("")


def _serve(connection: socket.socket) -> list[str]:
    """Fork a program for each request. Returns in each fork, with its arguments.

    In this process, it returns an empty list once the supervisor has gone or has given up.
    """
    supervisor = os.getppid()
    connection.send(READY)
    while True:
        packet, files, _, _ = socket.recv_fds(connection, MAX_PACKET, MAX_FILES)
        if not packet:
            return []
        child = os.fork()
        if child:
            for file in files:
                os.close(file)
            os.waitpid(child, 0)
            continue
        # Whatever happens, this process must not go on as a second server.
        try:
            grandchild = os.fork()
        except OSError:
            os._exit(1)
        if grandchild:
            os._exit(0)
        connection.close()
        request = json.loads(packet)
        _become(request, files[1:], supervisor)
        _wait_to_go_on(socket.socket(fileno=files[0]))
        return list(request["arguments"])


def _become(request: dict[str, Any], files: list[int], supervisor: int) -> None:
    """Leave what belongs to the server, as a new process would start."""
    end = time.monotonic() + ADOPTION_SECONDS
    while os.getppid() != supervisor:
        if time.monotonic() > end:
            raise SystemExit(1)
        time.sleep(0.001)
    os.setsid()
    if request_signal := terminate_with_parent(supervisor):
        request_signal()
    name_process(request["name"])
    os.environ.update(request["environment"])
    for file in files:
        os.dup2(file, sys.stdout.fileno())
        os.close(file)


def _wait_to_go_on(answer: socket.socket) -> None:
    """Tell the supervisor the id of this process, and end unless it still wants the program."""
    with answer:
        answer.send(str(os.getpid()).encode())
        if answer.recv(MAX_PACKET) != GO_ON:
            raise SystemExit(1)


def _run(arguments: list[str]) -> None:
    sys.argv = arguments
    if arguments[0] == GUNICORN:
        from gunicorn.app.wsgiapp import run

        run(prog=GUNICORN)
        return
    from django.core.management import execute_from_command_line

    execute_from_command_line(arguments)


if __name__ == "__main__":
    main()
