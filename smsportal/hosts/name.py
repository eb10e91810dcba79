"""The name of this portal among several hosts: that of the machine, unless it is set.

If two portals on one machine share a database, the second one's name gets a number. A socket in
Linux's abstract namespace, which the kernel closes with its process, shows which names are taken.
"""

from __future__ import annotations

import hashlib
import os
import socket
import sys
from itertools import count

VARIABLE = "PORTAL_HOST"


def claim_name(database: str) -> socket.socket | None:
    """Choose the name and pass it on to all processes that this one starts.

    `database`: names the database, so that portals of different ones do not count. The name
    belongs to this process as long as it keeps the socket. None where the name is set, or where
    the system has no such sockets.
    """
    configured = os.environ.get(VARIABLE)
    if configured or not sys.platform.startswith("linux"):
        os.environ[VARIABLE] = configured or socket.gethostname()
        return None
    machine = socket.gethostname()
    for number in count(1):
        name = machine if number == 1 else f"{machine}-{number}"
        held = _hold(name, database)
        if held is not None:
            os.environ[VARIABLE] = name
            return held
    raise AssertionError


def _hold(name: str, database: str) -> socket.socket | None:
    digest = hashlib.sha256(f"{name}\0{database}".encode()).hexdigest()
    held = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        held.bind(f"\0smsportal-host-{digest}")
    except OSError:
        held.close()
        return None
    return held
