"""Removes secrets from log records of any logger."""

from __future__ import annotations

import logging
import re
from typing import Final

_TOKEN: Final = re.compile(r"(/callbacks/|/set-password/[^/\s?\"']+/)[^/\s?\"']+")
"""Django logs the full path of a rejected request. A callback's path is a secret, and so is that of
a one-time link."""


def hide_tokens(text: str) -> str:
    """Replace the secret token in addresses of callbacks and one-time links."""
    return _TOKEN.sub(r"\1[hidden]", text)


class CallbackTokenFilter(logging.Filter):
    """Hides callback tokens. Attach it to loggers, so that no handler sees the token."""

    def filter(self, record: logging.LogRecord) -> bool:
        message = record.getMessage()
        if "/callbacks/" in message or "/set-password/" in message:
            record.msg, record.args = hide_tokens(message), None
        return True
