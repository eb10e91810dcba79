"""A month of invented history, so that lists, charts and "needs attention" show something.

It is written at once and deterministic: the same `now` and seed give the same rows. Nothing of it
is due, so that the engine makes no call for it. What waits, waits for a person: the rest of a
paused batch, an unknown outcome, a paused account.
"""

from __future__ import annotations

import random
from datetime import datetime
from typing import Final

from django.db import transaction

from messaging.models import Message
from rentals.models import Order

from . import accounts, alerts, approvals, batches, calls, codes, rentals, texts
from .callbacks import store_messages
from .ground import Ground

SEED: Final = 20


def write_history(now: datetime, seed: int = SEED) -> bool:
    """Write the 30 days before `now`, unless there are messages or orders already.

    The demo's staff and accounts must exist. Returns whether anything was written.
    """
    if Message.objects.exists() or Order.objects.exists():
        return False
    with transaction.atomic():
        ground = Ground.of_demo(now, random.Random(seed))  # noqa: S311 - not for secrets
        accounts.prepare_accounts(ground)
        drafts = [*texts.draft_texts(ground), *codes.draft_codes(ground)]
        drafts += batches.create_batches(ground)
        store_messages(ground, drafts)
        codes.store_codes(drafts)
        calls.write_calls(ground, drafts)
        batches.add_lists(ground)
        rentals.write_orders(ground)
        accounts.write_balances(ground)
        approvals.ask_for_approval(ground)
        alerts.set_up_alerts(ground)
    return True
