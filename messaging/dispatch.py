"""Messages as work for the engine."""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import ClassVar, TypeAlias
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from core.secrets import DOTS
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

from . import claiming, do_not_send, outcomes, owners, sending
from .claiming import ClaimedRow
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


def claim_rows(due: claiming.Due, account: Account, limit: int, claim: UUID) -> list[MessageJob]:
    """Move the first of these rows to `claimed`, and make their jobs.

    A number that was put on the do-not-send list since its message was written is found
    here, at the last moment, since a batch takes hours."""
    now = timezone.now()
    rows, listed = claiming.claim(due, account.pk, limit, claim, now)
    if listed:
        _stop(listed)
    url = callback_url_of(account) if rows else ""
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


def _stop(rows: Sequence[ClaimedRow]) -> None:
    """They wait again, as whatever the list stops, and end as such."""
    MESSAGE_STATES.move(
        Message.objects.filter(pk__in=[row.id for row in rows]),
        MessageState.QUEUED,
        sources=(MessageState.CLAIMED,),
        claim=None,
        claimed_at=None,
    )
    do_not_send.cancel_what_waits(*{row.recipient for row in rows})


class MessageSource(WorkSource):
    """Single messages; those of a batch have a lane of their own (`messaging.batches`)."""

    name: ClassVar[str] = "messages"
    lane: ClassVar[Lane] = Lane.STAFF
    paid: ClassVar[bool] = True

    def accounts_with_work(self, accounts: Collection[int]) -> set[int]:
        return claiming.accounts_with_due(accounts, claiming.due_singles(timezone.now()))

    def claim(self, account: Account, limit: int, claim: UUID) -> Sequence[Job]:
        return claim_rows(claiming.due_singles(timezone.now()), account, limit, claim)

    def hand_over(self, jobs: Sequence[Job], claim: UUID) -> Sequence[Job]:
        ours: list[Job] = []
        now = timezone.now()
        for claimed_at, batch in _by_claim(jobs).items():
            ids = [job.message_id for job in batch]
            moved = claiming.hand_over(ids, claim, claimed_at, now)
            ours.extend(job for job in batch if job.message_id in moved)
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
                    outcomes.apply_error(rows, result.error)
            elif isinstance(result.value, Submission):
                accepted.append((_own(result.job).message_id, result.value))
            else:
                raise TypeError("A send answers with a Submission.")
        # A row that was given up as unknown meanwhile is settled by this, too.
        outcomes.apply_submissions(accepted)
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


def _by_claim(jobs: Sequence[Job]) -> dict[datetime, list[MessageJob]]:
    by_claim: dict[datetime, list[MessageJob]] = defaultdict(list)
    for job in map(_own, jobs):
        by_claim[job.claimed_at].append(job)
    return by_claim


def _batches(
    jobs: Sequence[Job], claim: UUID
) -> Iterator[tuple[list[MessageJob], QuerySet[Message]]]:
    """The jobs by the claim they were made at, each with just those rows that it still holds."""
    for claimed_at, batch in _by_claim(jobs).items():
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
