"""Messages as work for the engine."""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import ClassVar, NamedTuple, TypeAlias
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from core.secrets import DOTS, Secret
from providers import accounts
from providers.engine.liveness import living_loops
from providers.engine.sources import Job, Lane, Result, WorkSource
from providers.gateway.client import Client, MakesCodes, ReceivesCallbacks, SendsOwnCode, SendsText
from providers.gateway.errors import Refused
from providers.gateway.vocabulary import (
    Encoding,
    OwnCode,
    ProviderCode,
    Reason,
    SmsKind,
    Submission,
    TextMessage,
)
from providers.models import Account

from . import do_not_send, owners, sending
from .models import Message
from .states import MESSAGE_STATES, MessageState

logger = logging.getLogger(__name__)

SendRequest: TypeAlias = TextMessage | OwnCode | ProviderCode

ABANDONED_CLAIM = timedelta(seconds=15)
"""A claim is handed over or given back within 10 s by a loop that lives."""
ABANDONED_CALL = timedelta(seconds=120)
"""Longer than any call can take; its loop is gone."""
GIVEN_UP_CALL = timedelta(minutes=10)
"""Even a loop that lives would have recorded it by now."""


@dataclass(slots=True)
class MessageJob(Job):
    """One send. The request is made of the row at the claim, so that the thread needs
    no database; its code is in memory only."""

    message_id: int
    claimed_at: datetime
    """With the loop's id it tells this claim from every other of the same row, also from
    an earlier one of the same loop."""
    request: SendRequest | None
    """None where the row could not be read, for example for want of a key."""
    belongs_to: str = ""

    def run(self, client: Client) -> Submission:
        match self.request:
            case TextMessage() if isinstance(client, SendsText):
                return client.send_text(self.request)
            case OwnCode() if isinstance(client, SendsOwnCode):
                return client.send_code(self.request)
            case ProviderCode() if isinstance(client, MakesCodes):
                return client.start_code(self.request)
            case _:
                raise Refused(Reason.CANNOT_TAKE)


class ClaimedRow(NamedTuple):
    """What of a message is needed to send it. Not a model, since this is made for every
    message of a batch."""

    id: int
    kind: str
    recipient: str
    text: str
    code: Secret | None
    channel: str
    template: str
    sms_kind: str
    sender_id: str
    encoding: str
    reference: str
    belongs_to: str


def due_now(now: datetime) -> QuerySet[Message]:
    return Message.objects.filter(state=MessageState.QUEUED, not_before__lte=now)


def claim_rows(
    due: QuerySet[Message], account: Account, limit: int, claim: UUID
) -> list[MessageJob]:
    """Move the first of these rows to `claimed`, and make their jobs.

    A number that was put on the do-not-send list since its message was written is found
    here, at the last moment, since a batch takes hours."""
    # On PostgreSQL, rows that another loop is about to take are left to it.
    first = due.order_by("not_before", "pk").select_for_update(skip_locked=True)
    found = first.values_list(*ClaimedRow._fields)[:limit]
    rows = [ClaimedRow._make(values) for values in found]
    listed = do_not_send.listed_among([row.recipient for row in rows]) if rows else set()
    if listed:
        do_not_send.cancel_what_waits(*listed)
        rows = [row for row in rows if row.recipient not in listed]
    if not rows:
        return []
    now = timezone.now()
    moved = MESSAGE_STATES.move(
        Message.objects.filter(pk__in=[row.id for row in rows]),
        MessageState.CLAIMED,
        claim=claim,
        claimed_at=now,
    )
    if moved != len(rows):
        raise RuntimeError("A locked row was claimed by somebody else.")
    url = callback_url_of(account)
    return [
        MessageJob(
            account.pk,
            f"message:{row.id}",
            row.id,
            now,
            _readable_request_of(row, url),
            row.belongs_to,
        )
        for row in rows
    ]


class MessageSource(WorkSource):
    """Single messages; those of a batch have a lane of their own (`messaging.batches`)."""

    name: ClassVar[str] = "messages"
    lane: ClassVar[Lane] = Lane.STAFF
    paid: ClassVar[bool] = True

    def _due(self) -> QuerySet[Message]:
        now = timezone.now()
        return sending.not_too_old(due_now(now).filter(batch=None), now)

    def accounts_with_work(self, accounts: Collection[int]) -> set[int]:
        due = self._due().filter(account__in=accounts).order_by()
        return set(due.values_list("account_id", flat=True).distinct())

    def claim(self, account: Account, limit: int, claim: UUID) -> Sequence[Job]:
        return claim_rows(self._due().filter(account=account), account, limit, claim)

    def hand_over(self, jobs: Sequence[Job], claim: UUID) -> Sequence[Job]:
        ours: list[Job] = []
        for batch, rows in _batches(jobs, claim):
            # Looked at before it is moved: a row that is being sent already, by an earlier
            # job of this very loop, must not look as if it had just been handed over.
            waiting = rows.filter(state=MessageState.CLAIMED).select_for_update()
            ids = set(waiting.values_list("pk", flat=True))
            moved = MESSAGE_STATES.move(
                rows.filter(pk__in=ids), MessageState.SENDING, handed_over_at=timezone.now()
            )
            if moved != len(ids):
                raise RuntimeError("A locked row was moved by somebody else.")
            ours.extend(job for job in batch if job.message_id in ids)
        return ours

    def give_back(self, jobs: Sequence[Job], claim: UUID) -> None:
        for _, rows in _batches(jobs, claim):
            MESSAGE_STATES.move(
                rows,
                MessageState.QUEUED,
                # Handed over, but its call was never begun: that is as good as not claimed.
                sources=(MessageState.CLAIMED, MessageState.SENDING),
                claim=None,
                claimed_at=None,
                handed_over_at=None,
            )

    def record(self, results: Sequence[Result], claim: UUID) -> None:
        accepted: list[tuple[int, Submission]] = []
        for result in results:
            if result.error is not None:
                for _, rows in _batches([result.job], claim):
                    sending.apply_error(rows, result.error)
            elif isinstance(result.value, Submission):
                accepted.append((_own(result.job).message_id, result.value))
            else:
                raise TypeError("A send answers with a Submission.")
        # A row that was given up as unknown meanwhile is settled by this, too.
        sending.apply_submissions(accepted)
        jobs = [_own(result.job) for result in results]
        owners.tell([(job.message_id, job.belongs_to) for job in jobs if job.belongs_to])

    def sweep(self) -> None:
        with transaction.atomic():
            self._sweep(timezone.now())

    def _sweep(self, now: datetime) -> None:
        sending.put_aside_what_is_too_old(now)
        do_not_send.cancel_what_waits()
        abandoned = Message.objects.filter(claimed_at__lt=now - ABANDONED_CLAIM)
        if not abandoned.filter(state__in=(MessageState.CLAIMED, MessageState.SENDING)).exists():
            return
        # A loop that lives hands its claim over in time or finds that it lost it.
        MESSAGE_STATES.move(
            abandoned,
            MessageState.QUEUED,
            sources=(MessageState.CLAIMED,),
            claim=None,
            claimed_at=None,
        )
        dead = abandoned.filter(handed_over_at__lt=now - ABANDONED_CALL).exclude(
            claim__in=living_loops()
        )
        given_up = abandoned.filter(handed_over_at__lt=now - GIVEN_UP_CALL)
        told = owners.owned((dead | given_up).filter(state=MessageState.SENDING))
        MESSAGE_STATES.move(
            dead | given_up,
            MessageState.UNKNOWN,
            sources=(MessageState.SENDING,),
            reason=Reason.CUT_OFF,
            ended_at=now,
            claim=None,
        )
        owners.tell(told)


def _own(job: Job) -> MessageJob:
    if not isinstance(job, MessageJob):
        raise TypeError("This source only takes its own jobs.")
    return job


def _batches(
    jobs: Sequence[Job], claim: UUID
) -> Iterator[tuple[list[MessageJob], QuerySet[Message]]]:
    """The jobs by the claim they were made at, each with just those rows that it still holds."""
    by_claim: dict[datetime, list[MessageJob]] = defaultdict(list)
    for job in map(_own, jobs):
        by_claim[job.claimed_at].append(job)
    for claimed_at, batch in by_claim.items():
        ids = [job.message_id for job in batch]
        yield batch, Message.objects.filter(pk__in=ids, claim=claim, claimed_at=claimed_at)


def callback_url_of(account: Account) -> str:
    """Where reports about this account's messages go; empty where none will come."""
    client = account.client
    if client is None or not issubclass(client, ReceivesCallbacks):
        return ""
    url = accounts.callback_url(account)
    return url.reveal() if url else ""


def _readable_request_of(row: ClaimedRow, callback_url: str) -> SendRequest | None:
    """One row that cannot be read must not stop the loop; its job ends refused."""
    try:
        return request_of(row, callback_url)
    except Exception as problem:  # noqa: BLE001 - whatever is wrong with this row
        logger.error("Message %s cannot be read: %s", row.id, type(problem).__name__)
        return None


def request_of(row: ClaimedRow, callback_url: str) -> SendRequest | None:
    """What is asked of the provider for this row."""
    match row.kind:
        case Message.Kind.TEXT:
            return TextMessage(
                recipient=row.recipient,
                text=row.text,
                kind=SmsKind(row.sms_kind),
                sender_id=row.sender_id,
                encoding=Encoding(row.encoding),
                reference=row.reference,
                callback_url=callback_url,
            )
        case Message.Kind.OWN_CODE if row.code is not None and row.sms_kind:
            code = row.code.reveal()
            return TextMessage(
                recipient=row.recipient,
                text=row.text.replace(DOTS, code),
                kind=SmsKind(row.sms_kind),
                sender_id=row.sender_id,
                encoding=Encoding(row.encoding),
                reference=row.reference,
                callback_url=callback_url,
                secrets=(code,),
            )
        case Message.Kind.OWN_CODE if row.code is not None:
            return OwnCode(
                recipient=row.recipient,
                code=row.code.reveal(),
                channel=row.channel,
                template=row.template,
            )
        case Message.Kind.PROVIDER_CODE:
            return ProviderCode(recipient=row.recipient, reference=row.reference)
    return None
