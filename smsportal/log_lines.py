"""Lines of programs that run before logging is set up, or without it. Independent of Django.

With LOG_FORMAT=json they have the form that `smsportal/log/setup.py` gives to all others, so that
whatever collects the log can parse every line.
"""

from __future__ import annotations

import json
import os
import sys
from contextlib import suppress
from datetime import UTC, datetime
from typing import TextIO


def make_line(text: str, *, level: str = "INFO", log_format: str | None = None) -> str:
    """The text with a line break, or one line of JSON.

    `log_format`: that of the settings; without it, that of the environment.
    """
    if log_format is None:
        log_format = os.environ.get("LOG_FORMAT", "").strip()
    if log_format != "json":
        return f"{text}\n"
    fields = {
        "asctime": datetime.now(UTC).isoformat(),
        "levelname": level,
        "name": "smsportal",
        "request_id": "-",
        "message": text.strip(),
    }
    return json.dumps(fields, ensure_ascii=False) + "\n"


def write_line(text: str, *, log_format: str | None = None) -> None:
    """Write it to the standard output at once.

    A full disk or a closed pipe loses the line. It must not end the supervisor, whose programs
    would be killed with it.
    """
    with suppress(OSError):
        sys.stdout.write(make_line(text, log_format=log_format))
        sys.stdout.flush()


def write_error(text: str, stream: TextIO | None = None) -> None:
    """Write it to the standard error output; as JSON, each line of it on its own."""
    for line in text.splitlines():
        (stream or sys.stderr).write(make_line(line, level="ERROR"))
