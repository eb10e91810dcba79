"""Factory of batches."""

from __future__ import annotations

from itertools import count
from typing import Any

from django.contrib.auth.models import User

from messaging.batches import create, lifecycle
from messaging.batches import tasks as batch_tasks
from messaging.models import Batch
from providers.models import Account
from tests.factories.accounts import make_account
from tests.factories.messages import TEXT
from tests.factories.staff import make_user

_serial = count(1)


def make_batch(
    recipients: str | bytes, account: Account | None = None, *, read_it: bool = True, **fields: Any
) -> Batch:
    """Make a batch of pasted text, or of a file's bytes; it is read and checked."""
    by = fields.pop("by", None) or make_user("messaging.bulk_message")
    file_name = fields.pop("file_name", "recipients.csv" if isinstance(recipients, bytes) else "")
    content = recipients if isinstance(recipients, bytes) else create.paste_to_file(recipients)
    draft = create.BatchDraft(
        account=account or make_account(),
        **{"text": TEXT, "sms_kind": "T", "sender_id": "HAORUI", **fields},
        file_name=file_name,
        content=[content],
    )
    batch, _ = create.create_batch(draft, by=by, form_token=f"batch{next(_serial)}")
    if read_it:
        batch_tasks.read(batch.pk)
        batch.refresh_from_db()
    return batch


def start_batch(batch: Batch, by: User | None = None) -> Batch:
    """Start a batch, so that its messages are queued."""
    lifecycle.start(batch, by or batch.created_by)
    batch_tasks.lay_out(batch.pk)
    batch.refresh_from_db()
    return batch


def numbers(count: int, start: int = 0) -> str:
    """Return `count` different numbers, one per line."""
    return "\n".join(f"139{start + index:08}" for index in range(count))
