"""Work source of single messages."""

from __future__ import annotations

import logging
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar, TypeAlias
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet

from core.secrets import DOTS
from providers import accounts, clock
from providers.engine.claims import ClaimedRows, ClaimedRowSource, ClaimStates
from providers.engine.work_source import Job, Lane, Result
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

from .. import do_not_send, listeners, queue_message
from ..models import Message
from ..states import MESSAGE_STATES, MessageState
from . import apply_outcome, claim_sql
from .claim_sql import ClaimedMessage

logger = logging.getLogger(__name__)

SendRequest: TypeAlias = TextMessage | OwnCode | ProviderCode


@dataclass(slots=True)
class MessageJob(Job):
    """One send.

    The request is built when the row is claimed, so the worker thread needs no database. An own
    code stays in memory only.
    """

    request: SendRequest | None
    """None if the row cannot be read, for example because its key is missing."""
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


def _cancel_listed(rows: Sequence[ClaimedMessage]) -> None:
    """Release claimed messages to listed numbers, and cancel them with the list's reason."""
    MESSAGE_STATES.move(
        Message.objects.filter(pk__in=[row.id for row in rows]),
        MessageState.QUEUED,
        sources=(MessageState.CLAIMED,),
        claim=None,
        claimed_at=None,
    )
    do_not_send.cancel_pending(*{row.recipient for row in rows})


class MessageRows(ClaimedRows[Message]):
    """Claims of messages, with their own SQL, since every message of a batch passes here."""

    def __init__(self) -> None:
        super().__init__(
            MessageJob,
            _claimed_messages,
            ClaimStates(
                MESSAGE_STATES,
                queued=MessageState.QUEUED,
                claimed=MessageState.CLAIMED,
                in_flight=MessageState.SENDING,
                unknown=MessageState.UNKNOWN,
            ),
            lost_changes=_lost_changes,
            on_lost=_notify_owners,
        )

    def claim_due(
        self, due: claim_sql.DueCondition, account: Account, limit: int, loop: UUID
    ) -> list[MessageJob]:
        """Claim the first `limit` due rows and build their jobs.

        A batch takes hours, so a number may have been listed since its message was saved. Such
        messages are cancelled here, at the last moment.
        """
        now = clock.now()
        rows, listed = claim_sql.claim(due, account.pk, limit, loop, now)
        if listed:
            _cancel_listed(listed)
        url = report_url(account) if rows else ""
        return [
            MessageJob(
                account.pk,
                f"message:{row.id}",
                row.id,
                now,
                _build_request_or_none(row, url),
                row.belongs_to,
            )
            for row in rows
        ]

    def _mark(
        self, ids: Collection[int], loop: UUID, claimed_at: datetime, now: datetime
    ) -> set[int]:
        return claim_sql.mark_in_flight(ids, loop, claimed_at, now)


def _claimed_messages() -> QuerySet[Message]:
    return Message.objects.filter(state__in=(MessageState.CLAIMED, MessageState.SENDING))


def _lost_changes(now: datetime) -> Mapping[str, Any]:
    return {"ended_at": now}


def _notify_owners(ids: Sequence[int], now: datetime) -> None:
    listeners.notify(listeners.owners_of(Message.objects.filter(pk__in=ids)))


class MessageSource(ClaimedRowSource):
    """Single messages. Messages of a batch have their own lane (`messaging.batches`)."""

    name: ClassVar[str] = "messages"
    lane: ClassVar[Lane] = Lane.STAFF
    paid: ClassVar[bool] = True
    never_repeated: ClassVar[bool] = True

    def __init__(self) -> None:
        self.messages = MessageRows()
        self.rows = (self.messages,)

    def accounts_with_work(self, accounts: Collection[int]) -> set[int]:
        return claim_sql.accounts_with_due(accounts, claim_sql.due_singles(clock.now()))

    def claim(self, account: Account, limit: int, claim: UUID) -> Sequence[Job]:
        due = claim_sql.due_singles(clock.now())
        return self.messages.claim_due(due, account, limit, claim)

    def record(self, results: Sequence[Result], claim: UUID) -> None:
        accepted: list[tuple[int, Submission]] = []
        for result in results:
            if result.error is not None:
                apply_outcome.apply_error(self.messages.held(result.job, claim), result.error)
                apply_outcome.apply_late_error(self.messages.given_up(result.job), result.error)
            elif isinstance(result.value, Submission):
                accepted.append((result.job.row_id, result.value))
            else:
                raise TypeError("A send answers with a Submission.")
        # This also settles a row that was given up as unknown in the meantime.
        apply_outcome.apply_submissions(accepted)
        jobs = [result.job for result in results if isinstance(result.job, MessageJob)]
        listeners.notify([(job.row_id, job.belongs_to) for job in jobs if job.belongs_to])

    def tidy(self, now: datetime) -> None:
        with transaction.atomic():
            queue_message.hold_expired(now)
            do_not_send.cancel_pending()


def report_url(account: Account) -> str:
    """Return the callback URL for reports; empty if the account receives none."""
    client = account.client
    if client is None or not issubclass(client, ReceivesCallbacks):
        return ""
    url = accounts.callback_url(account)
    return url.reveal() if url else ""


def _build_request_or_none(row: ClaimedMessage, callback_url: str) -> SendRequest | None:
    """Build the request, or return None: an unreadable row ends refused and stops no loop."""
    try:
        return build_request(row, callback_url)
    except Exception as problem:  # noqa: BLE001 - any fault of this row
        logger.error("Message %s cannot be read: %s", row.id, type(problem).__name__)
        return None


def build_request(row: ClaimedMessage, callback_url: str) -> SendRequest | None:
    """Build the request to the provider; None if the code is missing."""
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
