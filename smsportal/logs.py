"""How the portal logs."""

from __future__ import annotations

from typing import Any


def configure_logs(format_name: str, level: str) -> dict[str, Any]:
    """The value of the setting LOGGING. `format_name`: `plain` or `json`."""
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {
            "plain": {
                "format": "{asctime} {levelname} {name} [{request_id}] {message}",
                "style": "{",
            },
            "json": {
                "()": "pythonjsonlogger.json.JsonFormatter",
                "format": "{asctime}{levelname}{name}{request_id}{message}",
                "style": "{",
            },
        },
        "filters": {
            "request_id": {"()": "smsportal.request_id.RequestIdFilter"},
            "callback_tokens": {"()": "smsportal.log_filters.CallbackTokenFilter"},
        },
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
            # These log request paths, and that of a callback contains its token.
            "django.request": {"filters": ["callback_tokens"]},
            "django.server": {"filters": ["callback_tokens"]},
            "django.security.csrf": {"filters": ["callback_tokens"]},
        },
    }
