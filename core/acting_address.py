"""The client address of the request that is being answered, for what records acts."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from django.http import HttpRequest

from .client_address import client_address

_current: ContextVar[str] = ContextVar("acting_address", default="")


def current() -> str:
    """Empty outside of a request, and where the address cannot be determined."""
    return _current.get()


@contextmanager
def acting_for(request: HttpRequest) -> Iterator[None]:
    """Note the address of this request while it is answered."""
    address = client_address(request)
    token = _current.set(str(address) if address else "")
    try:
        yield
    finally:
        _current.reset(token)
