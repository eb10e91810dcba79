"""Which client the audit log names for a change."""

from __future__ import annotations

from typing import Any

from auditlog.middleware import AuditlogMiddleware
from django.http import HttpRequest, HttpResponse

from core.acting_address import acting_for
from core.client_address import client_address

# The library has no types.
LibraryMiddleware: Any = AuditlogMiddleware


class AuditMiddleware(LibraryMiddleware):
    """Notes the person and the address of each change, and the address of each act.

    The library takes the first entry of X-Forwarded-For, which any client can forge.
    """

    def __call__(self, request: HttpRequest) -> HttpResponse:
        with acting_for(request):
            answer: HttpResponse = super().__call__(request)
            return answer

    @staticmethod
    def _get_remote_addr(request: HttpRequest) -> str | None:
        address = client_address(request)
        return str(address) if address else None

    @staticmethod
    def _get_remote_port(request: HttpRequest) -> int | None:
        return None
