"""The queue's work on a batch that stands still inside one of its transactions, to be killed
there: python -m tests.messaging.batches.stopped_task <read or lay_out> <batch> <which chunk>"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import Any

import django


def main() -> None:
    work, batch_id, chunk = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    django.setup()
    from messaging.batches import fan_out, tasks
    from messaging.batches.importing import importer, staged_rows

    importer.CHUNK = fan_out.CHUNK = 40  # type: ignore[misc]
    staged_rows.insert = stopping(staged_rows.insert, chunk)
    fan_out.insert_messages = stopping(fan_out.insert_messages, chunk)
    getattr(tasks, work)(batch_id)


def stopping(write: Callable[..., Any], chunk: int) -> Callable[..., Any]:
    """The same, but after so many calls it says so and goes no further."""
    left = [chunk]

    def written(*args: Any, **kwargs: Any) -> Any:
        result = write(*args, **kwargs)
        left[0] -= 1
        if not left[0]:
            sys.stdout.write("here\n")
            sys.stdout.flush()
            time.sleep(600)
        return result

    return written


if __name__ == "__main__":
    main()
