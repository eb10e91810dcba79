"""Act as if a request from an address was being answered."""

from __future__ import annotations

from contextlib import AbstractContextManager

from django.test import RequestFactory

from core.acting_address import acting_for


def from_address(address: str) -> AbstractContextManager[None]:
    return acting_for(RequestFactory(REMOTE_ADDR=address).get("/"))
