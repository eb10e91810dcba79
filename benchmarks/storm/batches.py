"""Batches in the storm: some are paused and go on at a kill, one is cancelled in the middle."""

from __future__ import annotations

import random
from itertools import count

from django.contrib.auth.models import User

from messaging.batches import control, laying_out, making, reading, tasks
from messaging.batches.progress import progress_of
from messaging.batches.states import BatchState
from messaging.models import Batch, Message
from providers.models import Account

_serial = count(1)


class Fleet:
    """All batches of a storm. The queue's part is done here: what a kill does to that, the
    tests of reading and laying out show."""

    def __init__(self, chance: random.Random) -> None:
        self._chance = chance
        self._by = User.objects.create_superuser("storm")
        self._paused: Batch | None = None

    def send(self, account: Account, number: int) -> None:
        lines = "\n".join(f"138{index:08}" for index in range(number))
        draft = making.BatchDraft(
            account=account,
            text="Your parcel is here.",
            sms_kind="T",
            sender_id="BENCH",
            content=[lines.encode()],
        )
        batch, _ = making.make(draft, by=self._by, form_token=f"storm{next(_serial)}")
        reading.run(batch.pk)
        batch.refresh_from_db()
        if not control.start(batch, self._by):
            raise RuntimeError(f"A batch of {number} did not start: {batch.state} {batch.reason}")
        laying_out.run(batch)

    def turn(self, *, cancelling: bool) -> None:
        """Before each kill somebody does something with one of those that go out."""
        self.go_on()
        running = list(Batch.objects.filter(state=BatchState.SENDING))
        if running:
            batch = self._chance.choice(running)
            if cancelling:
                control.cancel(batch, self._by)
            elif control.pause(batch, self._by):
                self._paused = batch

    def may_go_out(self) -> bool:
        """Whether any message waits for more than for its batch to go on."""
        waiting = Message.objects.filter(state__in=("queued", "claimed"))
        return waiting.exclude(batch__state=BatchState.PAUSED).exists()

    def go_on(self) -> None:
        if self._paused is not None:
            control.go_on(self._paused, self._by)
            self._paused = None

    def tend(self) -> None:
        """What the schedule does each minute."""
        tasks.tend()


def differences() -> list[str]:
    """Every row is one message, every batch is over, and its figures add up."""
    found = []
    states: dict[str, int] = {}
    control.finish_what_is_out()
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
