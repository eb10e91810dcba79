"""Sends alerts through a process of its own, within a bounded time."""

from __future__ import annotations

import json
import logging
import os
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from django.conf import settings

from core.fields import UnreadableSecret
from core.secrets import Secret

from .targets import ForbiddenTarget, check_written, policy_of

logger = logging.getLogger(__name__)

SECONDS: Final = 25.0
"""After this time the process is killed, whatever it waits for."""
_FOLDER: Final = Path(__file__).resolve().parent.parent
_KEPT: Final = ("PATH", "LANG", "LC_ALL", "TZ", "SSL_CERT_FILE", "SSL_CERT_DIR", "SYSTEMROOT")
"""The environment of the process. It has no secret of the portal, and no proxy: a connection to a
proxy would say nothing about the address behind it."""


@dataclass(frozen=True, slots=True)
class Sent:
    """`error`: empty if the server accepted it, else a key of `presentation.error_texts`."""

    error: str
    seconds: float

    @property
    def worked(self) -> bool:
        return not self.error


def notify(url: Secret, title: str, body: str) -> Sent:
    try:
        check_written(url.reveal(), policy_of(allow_private=settings.ALLOW_PRIVATE_ALERTS))
    except ForbiddenTarget:
        return Sent("not_understood", 0.0)
    except UnreadableSecret:
        return Sent("unreadable", 0.0)
    return _run("notify", url, title=title, body=body)


def ping(url: Secret) -> Sent:
    try:
        return _run("ping", url)
    except UnreadableSecret:
        return Sent("unreadable", 0.0)


def _run(what: str, url: Secret, **given: str) -> Sent:
    allow = settings.ALLOW_PRIVATE_ALERTS
    order = {"do": what, "url": url.reveal(), "allow_private": allow, **given}
    started = time.monotonic()
    try:
        ended = subprocess.run(
            [sys.executable, "-m", "alerts.transport_child"],
            input=json.dumps(order),
            capture_output=True,
            text=True,
            timeout=SECONDS,
            check=False,
            cwd=_FOLDER,
            env={name: os.environ[name] for name in _KEPT if name in os.environ},
        )
    except subprocess.TimeoutExpired:
        return Sent("timeout", time.monotonic() - started)
    return _read(ended, time.monotonic() - started)


def _read(ended: subprocess.CompletedProcess[str], seconds: float) -> Sent:
    try:
        answer: dict[str, Any] = json.loads(ended.stdout)
        return Sent(str(answer["error"])[:24], float(answer["seconds"]))
    except (ValueError, KeyError, TypeError):
        # Its output may hold the address, so only the code is logged.
        logger.error("The process that sends alerts ended with code %s.", ended.returncode)
        return Sent("not_accepted", seconds)
