"""Removes secrets from log records of any logger."""

from __future__ import annotations

import logging
import re
from typing import Final

_TOKEN: Final = re.compile(r"(/callbacks/)[^/\s?\"']+")
"""Django logs the full path of a rejected request, and a callback's path is a secret."""


def hide_tokens(text: str) -> str:
    """Replace the secret token in callback addresses."""
    return _TOKEN.sub(r"\1[hidden]", text)


class CallbackTokenFilter(logging.Filter):
    """Hides callback tokens. Attach it to loggers, so that no handler sees the token."""

    def filter(self, record: logging.LogRecord) -> bool:
        message = record.getMessage()
        if "/callbacks/" in message:
            record.msg, record.args = hide_tokens(message), None
        return True
