"""The cost of caps: laying a batch out with none, with shared ones, and with one for each number.

python -m benchmarks.caps [messages]

Each kind lays out the same number of messages three times, in turns, since the speed of a machine
varies. A figure is the fastest of the three.
"""

from __future__ import annotations

import sys
import time

from . import portal
from .batch_import import csv_file

MESSAGES = 20_000
TURNS = 3
PLENTY = 10_000_000
KINDS = ("none", "shared", "each number")


def main() -> None:
    messages = int(sys.argv[1]) if sys.argv[1:] else MESSAGES
    # No defaults from the environment.
    portal.begin(f"Laying out {messages:,} messages under caps")
    from django.contrib.auth.models import User

    account = portal.make_account("http://127.0.0.1:9", 4)
    by = User.objects.create_superuser("bench")
    found: dict[str, list[float]] = {kind: [] for kind in KINDS}
    for turn in range(TURNS):
        for kind in KINDS:
            set_caps(kind, account)
            found[kind].append(lay_out(account, by, messages, f"{turn}-{kind}"))
    without = min(found["none"])
    for kind, times in found.items():
        took = min(times)
        print(
            f"  {kind:12}: {messages / took:8,.0f} messages/s,"
            f" {without / took:.2f} of the speed without caps",
            flush=True,
        )
    portal.close()


def set_caps(kind: str, account) -> None:  # type: ignore[no-untyped-def]
    """Caps that nothing reaches, so that all of them are counted and none refuses."""
    from providers.models import DailyLimit

    DailyLimit.objects.all().delete()
    shared = [("country", "CN"), ("prefix", "+8613"), ("account", str(account.pk))]
    scopes = {"none": [], "shared": shared, "each number": [*shared, ("number", "*")]}
    for scope, key in scopes[kind]:
        DailyLimit.objects.create(what="messages", scope=scope, key=key, most=PLENTY, window="day")


def lay_out(account, by, messages: int, token: str) -> float:  # type: ignore[no-untyped-def]
    """Returns the seconds that laying out took."""
    from messaging.batches import create, fan_out, lifecycle
    from messaging.batches.importing import importer

    draft = create.BatchDraft(
        account=account,
        text="Dear {name}, your parcel is on its way.",
        sms_kind="T",
        sender_id="BENCH",
        file_name="recipients.csv",
        content=[csv_file(messages)],
    )
    batch, _new = create.create_batch(draft, by=by, form_token=token)
    importer.run(batch.pk)
    batch.refresh_from_db()
    if not lifecycle.start(batch, by):
        raise RuntimeError("The batch did not start.")
    batch.refresh_from_db()
    began = time.perf_counter()
    while fan_out.run(batch):
        pass
    took = time.perf_counter() - began
    batch.refresh_from_db()
    if batch.laid_out != batch.good:
        raise RuntimeError(f"{batch.laid_out} of {batch.good} were laid out.")
    return took


if __name__ == "__main__":
    main()
