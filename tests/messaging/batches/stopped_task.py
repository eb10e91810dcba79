"""Run a queue task of a batch that hangs inside one of its transactions, to be killed there.

Usage: python -m tests.messaging.batches.stopped_task <read or lay_out> <batch id> <chunk number>
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import Any

import django


def main() -> None:
    task, batch_id, chunk = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    django.setup()
    from messaging.batches import fan_out, tasks
    from messaging.batches.importing import importer, staged_rows

    importer.CHUNK = fan_out.CHUNK = 40  # type: ignore[misc]
    staged_rows.insert = hang_at(staged_rows.insert, chunk)
    fan_out.insert_messages = hang_at(fan_out.insert_messages, chunk)
    getattr(tasks, task)(batch_id)


def hang_at(write: Callable[..., Any], chunk: int) -> Callable[..., Any]:
    """Wrap `write` so that its nth call prints a line and then hangs."""
    left = [chunk]

    def hanging_write(*args: Any, **kwargs: Any) -> Any:
        result = write(*args, **kwargs)
        left[0] -= 1
        if not left[0]:
            sys.stdout.write("here\n")
            sys.stdout.flush()
            time.sleep(600)
        return result

    return hanging_write


if __name__ == "__main__":
    main()
