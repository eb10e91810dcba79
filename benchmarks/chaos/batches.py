"""The batches of a run: some are paused and resumed at a kill, one is cancelled."""

from __future__ import annotations

import random
from itertools import count

from django.contrib.auth.models import User

from messaging.batches import create, fan_out, lifecycle, tasks
from messaging.batches.importing import importer
from messaging.batches.progress import progress_of
from messaging.batches.states import BatchState
from messaging.models import Batch, Message
from providers.models import Account


class Batches:
    """All batches of a run.

    The work of the queue is done here in process. The tests of import and fan-out cover kills of
    the queue.
    """

    def __init__(self, by: User, chance: random.Random) -> None:
        self._by = by
        self._chance = chance
        self._serial = count(1)
        self._paused: Batch | None = None

    def send(self, account: Account, number: int) -> None:
        lines = "\n".join(f"138{index:08}" for index in range(number))
        draft = create.BatchDraft(
            account=account,
            text="Your parcel is here.",
            sms_kind="T",
            sender_id="BENCH",
            content=[lines.encode()],
        )
        batch, _ = create.create_batch(
            draft, by=self._by, form_token=f"chaos-batch-{next(self._serial)}"
        )
        importer.run(batch.pk)
        batch.refresh_from_db()
        if not lifecycle.start(batch, self._by):
            raise RuntimeError(f"A batch of {number} did not start: {batch.state} {batch.reason}")
        fan_out.run(batch)

    def disturb(self, *, cancelling: bool) -> None:
        """Pause or cancel one of the running batches, as staff might before a kill."""
        self.resume()
        running = list(Batch.objects.filter(state=BatchState.SENDING))
        if running:
            batch = self._chance.choice(running)
            if cancelling:
                lifecycle.cancel(batch, self._by)
            elif lifecycle.pause(batch, self._by):
                self._paused = batch

    def resume(self) -> None:
        if self._paused is not None:
            lifecycle.resume(self._paused, self._by)
            self._paused = None

    def run_schedule(self) -> None:
        """Run the task of the minute schedule."""
        tasks.tend()


def differences() -> list[str]:
    """Batches that have not ended, lack or repeat a message, or whose figures do not add up."""
    found = []
    states: dict[str, int] = {}
    lifecycle.finish_completed()
    for batch in Batch.objects.all():
        states[batch.state] = states.get(batch.state, 0) + 1
        rows = set(Message.objects.filter(batch=batch).values_list("batch_row", flat=True))
        if len(rows) != batch.good or batch.laid_out != batch.good:
            found.append(f"batch {batch.pk} has {len(rows)} messages of {batch.good} rows")
        if batch.state not in (BatchState.FINISHED, BatchState.CANCELLED):
            found.append(f"batch {batch.pk} ended {batch.state}")
        figures = progress_of(batch)
        if figures.waiting or figures.sending or figures.out + figures.cancelled != figures.total:
            found.append(f"the figures of batch {batch.pk} do not add up: {figures}")
    print(f"  batches: {', '.join(f'{n} {state}' for state, n in states.items())}")
    return found
