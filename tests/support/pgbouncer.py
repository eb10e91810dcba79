"""PgBouncer in transaction mode in front of the test server, where it is installed."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final
from urllib.parse import parse_qs, urlsplit

from tests.database import _unprivileged_user
from tests.support.wait_until import wait_until

PROGRAM: Final = shutil.which("pgbouncer") or shutil.which("pgbouncer", path="/usr/sbin")
CONFIGURATION: Final = """
[databases]
* = host={host} user={user}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {port}
unix_socket_dir =
auth_type = any
pool_mode = transaction
default_pool_size = 10
ignore_startup_parameters = extra_float_digits
logfile = {folder}/log
pidfile = {folder}/pid
"""


@contextmanager
def pgbouncer(database_url: str) -> Iterator[str]:
    """The DATABASE_URL of the same database through PgBouncer."""
    assert PROGRAM is not None
    parts = urlsplit(database_url)
    host = parse_qs(parts.query).get("host", [parts.hostname or "127.0.0.1"])[0]
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with tempfile.TemporaryDirectory(prefix="smsportal-bouncer-", dir="/tmp") as name:
        folder, (user, group) = Path(name), _unprivileged_user()
        file = folder / "pgbouncer.ini"
        file.write_text(
            CONFIGURATION.format(host=host, user=parts.username, port=port, folder=folder)
        )
        if user is not None and group is not None:
            os.chown(folder, user, group)
            os.chown(file, user, group)
        process = subprocess.Popen(
            [PROGRAM, "-q", str(file)],
            user=user,
            group=group,
            extra_groups=None if user is None else [],
        )
        try:
            wait_until(lambda: _listens(port))
            yield f"postgres://{parts.username}@127.0.0.1:{port}{parts.path}"
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(30)


def _listens(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True
