"""Processes callbacks in a thread, as the queue does."""

from __future__ import annotations

import threading
from typing import Self

from django.db import connections

from providers.callbacks import process


class CallbackWorker:
    def __enter__(self) -> Self:
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="callback worker")
        self._thread.start()
        return self

    def _run(self) -> None:
        try:
            while not self._stop.wait(0.05):
                process.process_due()
        finally:
            connections.close_all()

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()
