"""Reports faults to a server of Sentry's kind, where SENTRY_DSN is set.

A report says where in the code a fault was, and never with which values: no message of an error or
of the log, no number, text, code or secret, no cookie, body, address or query string, no local
variable. So each report is built anew from a few fields, whatever the library has collected. The
reference of the request leads to the line in the log, which says more.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Sequence
from importlib.util import find_spec
from typing import Any, Final

from django.apps import AppConfig
from django.conf import settings
from django.core.checks import CheckMessage, Error, register

from core import request_reference

from ..configuration.environment import BASE_DIR
from ..version import portal_version

LIBRARY: Final = "sentry_sdk"
KEPT: Final = ("event_id", "timestamp", "level", "logger", "platform", "release", "server_name")
KEPT_OF_FRAME: Final = ("filename", "module", "function", "lineno", "in_app")


@register("smsportal")
def check_library(
    app_configs: Sequence[AppConfig] | None = None, **kwargs: object
) -> list[CheckMessage]:
    if not settings.SENTRY_DSN or find_spec(LIBRARY):
        return []
    return [
        Error(
            "SENTRY_DSN is set, but the library for it is not installed.",
            hint="Install requirements-sentry.lock instead of requirements.lock, or unset it.",
            id="smsportal.E070",
        )
    ]


def connect() -> None:
    """Report what this process logs as an error, and errors that end it or a thread of it."""
    if not settings.SENTRY_DSN or not find_spec(LIBRARY):
        return
    import sentry_sdk
    from sentry_sdk.integrations.excepthook import ExcepthookIntegration
    from sentry_sdk.integrations.logging import LoggingIntegration
    from sentry_sdk.integrations.threading import ThreadingIntegration

    sentry_sdk.init(
        dsn=settings.SENTRY_DSN,
        release=f"smsportal@{portal_version()}",
        server_name=settings.PORTAL_HOST,
        before_send=reduce_report,
        # Only those that report faults. That of Django would collect requests.
        default_integrations=False,
        auto_enabling_integrations=False,
        integrations=[
            LoggingIntegration(level=None, event_level=logging.ERROR),
            ExcepthookIntegration(),
            ThreadingIntegration(propagate_hub=False),
        ],
        # The rest is left out of the report in any case.
        include_local_variables=False,
        include_source_context=False,
        max_breadcrumbs=0,
        auto_session_tracking=False,
        send_client_reports=False,
        propagate_traces=False,
    )


def reduce_report(event: Any, hint: dict[str, Any]) -> Any:
    """The report that is sent instead of the one that the library has made."""
    record = hint.get("log_record")
    report: dict[str, Any] = {name: event[name] for name in KEPT if name in event}
    reference = request_reference.current()
    report["tags"] = {"request_id": reference} if reference else {}
    if isinstance(record, logging.LogRecord):
        file = os.path.relpath(record.pathname, BASE_DIR)
        report["logentry"] = {"message": f"{record.levelname} at {file}:{record.lineno}"}
    errors = (event.get("exception") or {}).get("values") or []
    if errors:
        report["exception"] = {"values": [_reduced_error(one) for one in errors]}
    return report


def _reduced_error(error: dict[str, Any]) -> dict[str, Any]:
    frames = (error.get("stacktrace") or {}).get("frames") or []
    return {
        "type": error.get("type"),
        "module": error.get("module"),
        "stacktrace": {
            "frames": [
                {name: frame[name] for name in KEPT_OF_FRAME if name in frame} for frame in frames
            ]
        },
    }
