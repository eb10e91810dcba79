"""Whether somebody still waits for an answer."""

from __future__ import annotations

from django.http import HttpRequest


class ClientGone(Exception):
    """The client closed the connection, so the rest of the work is for nobody."""


def has_gone(request: HttpRequest) -> bool:
    """Whether the client of this request has closed its connection.

    Only the portal's own web server knows (`smsportal/web_server/held_socket.py`). Behind a proxy
    the client is the proxy, which closes its connection when its own client does.
    """
    probe = getattr(request.META.get("gunicorn.socket"), "peer_has_gone", None)
    return probe is not None and bool(probe())
