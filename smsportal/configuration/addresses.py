"""The addresses that the portal's programs listen on. Independent of Django."""

from __future__ import annotations

import os
import socket

Address = tuple[str, int] | str
"""Host and port, or the path of a socket file."""


class AddressTaken(Exception):
    """The message names the setting to change."""


def parse_bind(bind: str) -> Address:
    """The address in a setting that the rules have let through, such as BIND."""
    if bind.startswith("unix:"):
        return bind.removeprefix("unix:")
    host, _, port = bind.rpartition(":")
    return host.strip("[]"), int(port)


def answers(address: Address) -> bool:
    """Whether a program accepts connections there."""
    try:
        if isinstance(address, str):
            with socket.socket(socket.AF_UNIX) as probe:
                probe.settimeout(1)
                probe.connect(address)
        else:
            socket.create_connection(address, timeout=1).close()
    except OSError:
        return False
    return True


def require_free(name: str, address: Address) -> None:
    """Raise `AddressTaken` if another program listens there, which would pass for ours."""
    if isinstance(address, str):
        _require_free_file(name, address)
        return
    family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(address)
        except OSError as error:
            raise AddressTaken(
                f"{name}: cannot listen on {address[0]}:{address[1]} ({error.strerror})."
                f" Choose another address with {name}, in the environment or in .env."
            ) from None


def _require_free_file(name: str, path: str) -> None:
    folder = os.path.dirname(path)  # noqa: PTH120 - an address, not a file of ours
    if not os.access(folder, os.W_OK | os.X_OK):
        raise AddressTaken(
            f"{name}: user id {os.geteuid()} cannot create {path}: {folder} is missing or may not"
            " be written."
        )
    if answers(path):
        raise AddressTaken(f"{name}: another program listens on {path}. Choose another file.")
