"""What must not reach the log, whoever writes it."""

from __future__ import annotations

import logging
import re
from typing import Final

_TOKEN: Final = re.compile(r"(/callbacks/)[^/\s?\"']+")
"""Django writes the whole path of what it refuses; here a path can be a secret."""


def hide_tokens(text: str) -> str:
    """Addresses that providers report to, without what makes them unguessable."""
    return _TOKEN.sub(r"\1[hidden]", text)


class CallbackTokenFilter(logging.Filter):
    """Belongs to the loggers that write paths: a handler would be too late for others."""

    def filter(self, record: logging.LogRecord) -> bool:
        said = record.getMessage()
        if "/callbacks/" in said:
            record.msg, record.args = hide_tokens(said), None
        return True
