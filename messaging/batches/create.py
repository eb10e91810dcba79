"""Create a batch and queue the reading of its recipients."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final

from django.contrib.auth.models import User
from django.db import IntegrityError, transaction
from django_q.tasks import async_task

from core.acts import record_act
from providers.models import Account

from .. import segments
from ..models import Batch, StagedRow
from . import storage
from .choices import Choices
from .states import BATCH_STATES, BatchState

LIST_SEPARATORS: Final = re.compile(r"[,;，；、]")
LONGEST_FILE_NAME: Final = 200
LONGEST_PROPOSED: Final = 40
"""Characters of a text that its batch is called by."""


@dataclass(frozen=True)
class BatchDraft:
    account: Account
    text: str = field(repr=False)
    sms_kind: str
    sender_id: str
    name: str = ""
    file_name: str = ""
    content: Iterable[bytes] = field(default=(), repr=False)
    """The uploaded file in chunks, or the pasted recipients."""

    @property
    def source(self) -> Batch.Source:
        return Batch.Source.FILE if self.file_name else Batch.Source.PASTED


def proposed_name(text: str) -> str:
    """The beginning of the text in one line, as the name of a batch that got none."""
    line = " ".join(text.split())
    return line if len(line) <= LONGEST_PROPOSED else f"{line[: LONGEST_PROPOSED - 1].rstrip()}…"


def create_batch(draft: BatchDraft, *, by: User, form_token: str) -> tuple[Batch, bool]:
    """Save the batch with its file and queue the reading, in one transaction.

    Submitting the same form twice creates one batch: the second call returns the first one's
    batch and False.
    """
    batch = Batch(
        account=draft.account,
        name=draft.name,
        text=segments.normalise_line_ends(draft.text),
        sms_kind=draft.sms_kind,
        sender_id=draft.sender_id,
        source=draft.source,
        file_name=draft.file_name[-LONGEST_FILE_NAME:],
        created_by_id=by.pk,
        form_token=form_token,
    )
    return _save(batch, draft.content, by)


@dataclass(frozen=True, slots=True)
class ResendDraft:
    account: Account
    sms_kind: str
    sender_id: str
    text: str
    batch: Batch | None


def create_resend(
    draft: ResendDraft, *, by: User, form_token: str, chosen: Sequence[int] = ()
) -> Batch:
    batch = Batch(
        account=draft.account,
        name=draft.batch.name if draft.batch else "",
        text=draft.text,
        sms_kind=draft.sms_kind,
        sender_id=draft.sender_id,
        source=Batch.Source.AGAIN,
        sent_again_from=draft.batch,
        created_by_id=by.pk,
        form_token=form_token,
    )
    return _save(batch, [json.dumps(list(chosen)).encode()] if chosen else [], by)[0]


def _save(batch: Batch, content: Iterable[bytes], by: User) -> tuple[Batch, bool]:
    try:
        with transaction.atomic():
            batch.save(force_insert=True)
            batch.file_digest, batch.read_total = storage.store_file(batch, content)
            batch.save(update_fields=("file_digest", "read_total"))
            queue_reading(batch)
            record_act("batch.create", by=by, subject=f"batch:{batch.pk}")
    except IntegrityError:
        earlier = Batch.objects.filter(form_token=batch.form_token, created_by=by.pk).first()
        if earlier is None:
            raise
        return earlier, False
    return batch, True


def recheck(
    batch: Batch,
    *,
    text: str,
    number_column: int | None,
    choices: Choices = Choices(),  # noqa: B008 - frozen
    by: User | None = None,
) -> bool:
    """Read the batch again with another text or number column, or read the file another way.

    Returns False if the batch is no longer in a state that allows it, or is a resend.
    """
    with transaction.atomic():
        moved = BATCH_STATES.move(
            Batch.objects.filter(pk=batch.pk).exclude(source=Batch.Source.AGAIN),
            BatchState.READING,
            text=segments.normalise_line_ends(text),
            number_column=number_column,
            edited_by_id=by.pk if by else None,
            choices=choices.stored(),
            findings=None,
            sample=None,
            check_run=None,
            accepted_run=None,
            reading_run=None,
            reading_at=None,
            reading_tries=0,
            read_done=0,
            reason="",
            values={},
            row_count=0,
            good=0,
            repeated=0,
            listed=0,
            refused=0,
        )
        if moved:
            StagedRow.objects.filter(batch=batch).delete()
            queue_reading(batch)
    return bool(moved)


def queue_reading(batch: Batch) -> None:
    """Part of the caller's transaction. `tasks.tend` asks again if this task is lost."""
    async_task("messaging.batches.tasks.read", batch.pk, task_name="batch: read")


def paste_to_file(text: str) -> bytes:
    """Turn pasted text into the content of a file.

    Accepts one number per line, a separated list of numbers, or spreadsheet rows with
    tab-separated cells.
    """
    text = segments.normalise_line_ends(text).replace("\0", "").strip("\n")
    lines = [line for line in text.split("\n") if line.strip()]
    pieces = [[piece for piece in LIST_SEPARATORS.split(line) if piece.strip()] for line in lines]
    is_list = "\t" not in text and all(
        sum(sign.isdigit() for sign in piece) >= 7 for line in pieces for piece in line
    )
    if is_list:
        text = "\n".join(piece.strip() for line in pieces for piece in line)
    return text.encode("utf-8", "backslashreplace")
