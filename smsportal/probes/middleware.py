"""Answers `/livez`, `/readyz` and `/metrics`, for load balancers, containers and Prometheus.

These programs ask by the address of the host, not by its name, and they have no session. So this
middleware stands before the one that applies ALLOWED_HOSTS.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from ipaddress import ip_network
from typing import Final

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse

from core.client_address import client_address, comes_through_unnamed_proxy

from . import metrics, readiness
from .readiness import Status

LIVE: Final = "/livez"
READY: Final = "/readyz"
METRICS: Final = "/metrics"
PATHS: Final = (LIVE, READY, METRICS)
READ_METHODS: Final = ("GET", "HEAD")


class ProbeMiddleware:
    """Everyone learns whether this host lives and is ready.

    Metrics, and the details of the readiness, are for clients with METRICS_TOKEN or from
    METRICS_NETWORKS. Where neither is set, `/metrics` does not exist.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.path_info not in PATHS:
            return self.get_response(request)
        if request.method not in READ_METHODS:
            return HttpResponse(status=405, headers={"Allow": ", ".join(READ_METHODS)})
        response = _answer(request)
        response["Cache-Control"] = "no-store"
        response["X-Content-Type-Options"] = "nosniff"
        return response


def _answer(request: HttpRequest) -> HttpResponse:
    if request.path_info == LIVE:
        return JsonResponse({"status": "live"})
    is_trusted = may_read_details(request)
    if request.path_info == READY:
        found = readiness.read()
        status = 503 if found.status == Status.NOT_READY else 200
        return JsonResponse(found.as_json(details=is_trusted), status=status)
    if not is_trusted:
        return _refuse(request)
    body, content_type = metrics.render(request.headers.get("Accept", ""))
    return HttpResponse(body, content_type=content_type)


def may_read_details(request: HttpRequest) -> bool:
    """Whether the client has the token or comes from one of the networks.

    Behind a proxy that no setting names, everybody has the proxy's address, which says nothing.
    """
    if settings.METRICS_TOKEN:
        kind, _, token = request.headers.get("Authorization", "").partition(" ")
        expected = settings.METRICS_TOKEN.encode()
        if kind.lower() == "bearer" and secrets.compare_digest(token.strip().encode(), expected):
            return True
    if comes_through_unnamed_proxy(request):
        return False
    address = client_address(request)
    networks = (ip_network(name, strict=False) for name in settings.METRICS_NETWORKS)
    return address is not None and any(address in network for network in networks)


def _refuse(request: HttpRequest) -> HttpResponse:
    if not settings.METRICS_TOKEN:
        return HttpResponse("Not found.\n", status=404, content_type="text/plain")
    return HttpResponse(
        "METRICS_TOKEN is required.\n",
        status=401,
        content_type="text/plain",
        headers={"WWW-Authenticate": 'Bearer realm="metrics"'},
    )
