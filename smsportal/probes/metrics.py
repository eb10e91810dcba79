"""The answer to `/metrics`, in the format that the client asks for."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from threading import Lock
from typing import Final

from prometheus_client import CollectorRegistry
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.exposition import choose_encoder
from prometheus_client.registry import Collector

from . import account_metrics, host_metrics, work_metrics

OPEN_METRICS: Final = "application/openmetrics-text"
READ_EVERY: Final = 5.0
"""Seconds for which the same figures are given again."""
SOURCES: Final = (work_metrics.collect, account_metrics.collect, host_metrics.collect)


class PortalCollector(Collector):
    """Reads the database when it is asked. Every host gives the same figures of the whole portal.

    So a server that scrapes several hosts takes the maximum, not the sum.
    """

    def collect(self) -> Iterable[Metric]:
        started = time.perf_counter()
        for source in SOURCES:
            yield from source()
        yield from _took(time.perf_counter() - started)


def _took(seconds: float) -> Iterator[Metric]:
    yield GaugeMetricFamily(
        "smsportal_scrape_seconds", "How long it took to read these figures.", value=seconds
    )


class _Memory:
    """The last answer of this process, by format."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._registry = CollectorRegistry()
        self._registry.register(PortalCollector())
        self._found: dict[str, tuple[float, bytes]] = {}

    def render(self, accept: str) -> tuple[bytes, str]:
        encode, content_type = choose_encoder(_format(accept))
        with self._lock:
            until, body = self._found.get(content_type, (0.0, b""))
            if time.monotonic() >= until:
                body = encode(self._registry)
                self._found[content_type] = (time.monotonic() + READ_EVERY, body)
        return body, content_type

    def forget(self) -> None:
        self._found.clear()


def _format(accept: str) -> str:
    """One of two formats, so that no more are kept. The library stumbles over odd versions."""
    kinds = (part.partition(";")[0].strip() for part in accept.split(","))
    return OPEN_METRICS if OPEN_METRICS in kinds else ""


_memory = _Memory()


def render(accept: str) -> tuple[bytes, str]:
    """The figures, at most five seconds old, and their content type."""
    return _memory.render(accept)


def forget() -> None:
    """Read everything again the next time, for tests."""
    _memory.forget()
