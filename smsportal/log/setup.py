"""How the portal logs."""

from __future__ import annotations

import logging
import sys
import threading
from types import TracebackType
from typing import Any, Final

JSON: Final = "json"
FORMATTERS: Final[dict[str, dict[str, Any]]] = {
    "plain": {
        "format": "{asctime} {levelname} {name} [{request_id}] {message}",
        "datefmt": "%Y-%m-%d %H:%M:%S%z",
        "style": "{",
    },
    JSON: {
        "()": "pythonjsonlogger.json.JsonFormatter",
        "format": "{levelname}{name}{request_id}{message}",
        "style": "{",
        # With its zone, which is always UTC.
        "timestamp": "asctime",
        "json_ensure_ascii": False,
    },
}
FILTERS: Final = {
    "request_id": {"()": "smsportal.middleware.request_id.RequestIdFilter"},
    "callback_tokens": {"()": "smsportal.log.filters.CallbackTokenFilter"},
}


def configure_logs(format_name: str, level: str) -> dict[str, Any]:
    """The value of the setting LOGGING. `format_name`: `plain` or `json`."""
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": FORMATTERS,
        "filters": FILTERS,
        "handlers": {
            "console": {
                "class": "logging.StreamHandler",
                "formatter": format_name,
                "filters": ["request_id"],
            }
        },
        "root": {"handlers": ["console"], "level": level},
        "loggers": {
            # These log full URLs with query strings, which contain secrets.
            "urllib3": {"level": "WARNING"},
            "requests": {"level": "WARNING"},
            # Several lines for each task, and some tasks run every few seconds.
            "django-q": {"level": "WARNING" if level == "INFO" else level},
            # These log request paths, and that of a callback contains its token.
            "django.request": {"filters": ["callback_tokens"]},
            "django.server": {"filters": ["callback_tokens"]},
            "django.security.csrf": {"filters": ["callback_tokens"]},
        },
    }


def configure_web_server(level: str) -> dict[str, Any]:
    """The value of gunicorn's `logconfig_dict` for JSON. Its own formats are plain text."""
    handlers = configure_logs(JSON, level)["handlers"]
    loggers = {
        name: {"handlers": ["console"], "propagate": False, "qualname": name}
        for name in ("gunicorn.error", "gunicorn.access")
    }
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": FORMATTERS,
        "filters": FILTERS,
        "handlers": handlers,
        "root": {"handlers": ["console"], "level": level},
        "loggers": loggers,
    }


def log_what_python_prints(format_name: str) -> None:
    """With JSON, log warnings and uncaught errors instead of printing them over many lines."""
    if format_name != JSON:
        return
    logging.captureWarnings(capture=True)
    logger = logging.getLogger("smsportal.uncaught")

    def log_error(
        kind: type[BaseException], error: BaseException, traceback: TracebackType | None
    ) -> None:
        if issubclass(kind, KeyboardInterrupt):
            sys.__excepthook__(kind, error, traceback)
            return
        logger.critical("The process ends with an error.", exc_info=(kind, error, traceback))

    def log_thread(ended: threading.ExceptHookArgs) -> None:
        if ended.exc_value is not None:
            details = (ended.exc_type, ended.exc_value, ended.exc_traceback)
            logger.error("A thread ends with an error.", exc_info=details)

    sys.excepthook = log_error
    threading.excepthook = log_thread
