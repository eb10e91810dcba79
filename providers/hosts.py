"""The name of this host."""

from __future__ import annotations

import os
import socket

NAME_IN_ENVIRONMENT = "PORTAL_HOST"


def host_name() -> str:
    """The name under which this portal is known, as `manage.py portal` tells its processes."""
    return os.environ.get(NAME_IN_ENVIRONMENT) or socket.gethostname()
