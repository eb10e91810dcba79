"""SQL that claims messages and marks them in flight, each in one statement.

This is a hot path: every message passes through it while threads wait for work. Building these
statements with the ORM costs several times their execution.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, NamedTuple
from uuid import UUID

from django.db import connection, models

from core.secrets import Secret

from ..models import Batch, DoNotSend, Message
from ..queue_message import age_cutoffs
from ..states import MESSAGE_STATES, MessageState


class ClaimedMessage(NamedTuple):
    """The columns needed to send a message. Not a model: one is made for every message of a
    batch, and a model costs more."""

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


@dataclass(frozen=True, slots=True)
class DueCondition:
    """SQL condition, with its values, for the queued rows that may be claimed."""

    where: str
    values: tuple[object, ...]


def due_singles(now: datetime) -> DueCondition:
    """Select messages without a batch that are not too old to send unasked."""
    text_limit, code_limit = age_cutoffs(now)
    return DueCondition(
        "batch_id IS NULL AND hold_id IS NULL AND not_before <= %s AND queued_at > %s"
        f" AND (kind = '{Message.Kind.TEXT.value}' OR queued_at > %s)",
        (_db_time(now), _db_time(text_limit), _db_time(code_limit)),
    )


def due_of_batch(batch_id: int, now: datetime, *, claiming: bool = False) -> DueCondition:
    """Select the messages of one batch, whatever their age, unless it is on hold.

    `claiming`: keeps a hold from beginning until the transaction ends. Without that, messages
    could be claimed just after the hold has taken back the claimed ones.
    """
    lock = "FOR KEY SHARE" if claiming and connection.vendor == "postgresql" else ""
    free = f"EXISTS (SELECT 1 FROM {_BATCH} WHERE id = %s AND hold_id IS NULL {lock})"  # noqa: S608
    return DueCondition(
        f"batch_id = %s AND not_before <= %s AND hold_id IS NULL AND {free}",
        (batch_id, _db_time(now), batch_id),
    )


_TABLE: Final = Message._meta.db_table
_BATCH: Final = Batch._meta.db_table
_IS_LISTED: Final = (
    f"EXISTS (SELECT 1 FROM {DoNotSend._meta.db_table} entry"  # noqa: S608 - our own constants
    f" WHERE entry.number = {_TABLE}.recipient AND entry.removed_at IS NULL)"
)


def accounts_with_due(accounts: Collection[int], due: DueCondition) -> set[int]:
    """Return the accounts that have a due row, at the cost of one index lookup for each."""
    if not accounts:
        return set()
    return {
        account_id
        for (account_id,) in _run(
            f"""
            SELECT account.id FROM providers_account account
             WHERE account.id IN ({", ".join(map(str, accounts))}) AND EXISTS (
                   SELECT 1 FROM {_TABLE} WHERE account_id = account.id
                      AND state = 'queued' AND {due.where})
            """,  # noqa: S608 - built from our own constants
            list(due.values),
        )
    }


def claim(
    due: DueCondition, account_id: int, limit: int, claim: UUID, now: datetime
) -> tuple[list[ClaimedMessage], list[ClaimedMessage]]:
    """Move the first `limit` due rows to `claimed`.

    Returns two lists: the rows to send, and the rows whose number is on the do-not-send list.
    """
    MESSAGE_STATES.check(MessageState.CLAIMED, (MessageState.QUEUED,))
    # On PostgreSQL, skip rows that another loop is claiming. MATERIALIZED, since a plan that ran
    # the inner query twice would lock, and claim, more than `limit` rows.
    lock = "FOR UPDATE SKIP LOCKED" if connection.features.has_select_for_update else ""
    found = _run(
        f"""
        WITH first AS MATERIALIZED (
             SELECT id FROM {_TABLE}
              WHERE account_id = %s AND state = 'queued' AND {due.where}
              ORDER BY not_before, id LIMIT %s {lock})
        UPDATE {_TABLE} SET state = 'claimed', claim = %s, claimed_at = %s
         WHERE id IN (SELECT id FROM first)
        RETURNING {", ".join(ClaimedMessage._fields)}, {_IS_LISTED}
        """,  # noqa: S608 - built from our own constants
        [account_id, *due.values, limit, _db_claim(claim), _db_time(now)],
    )
    free: list[ClaimedMessage] = []
    listed: list[ClaimedMessage] = []
    for *values, is_listed in sorted(found):
        (listed if is_listed else free).append(ClaimedMessage._make(_with_secret_code(values)))
    return free, listed


def mark_in_flight(
    ids: Collection[int], claim: UUID, claimed_at: datetime, now: datetime
) -> set[int]:
    """Move the rows that this claim still holds to `sending` and return their ids.

    `claimed_at` excludes a row that an earlier job of the same loop is already sending.
    """
    MESSAGE_STATES.check(MessageState.SENDING, (MessageState.CLAIMED,))
    moved = _run(
        f"""
        UPDATE {_TABLE} SET state = 'sending', handed_over_at = %s
         WHERE id IN ({", ".join(map(str, ids))})
           AND state = 'claimed' AND claim = %s AND claimed_at = %s
        RETURNING id
        """,  # noqa: S608 - built from our own constants
        [_db_time(now), _db_claim(claim), _db_time(claimed_at)],
    )
    return {pk for (pk,) in moved}


def _run(statement: str, values: list[Any]) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        return list(cursor.fetchall())


_CODE: Final = ClaimedMessage._fields.index("code")


def _with_secret_code(values: list[Any]) -> list[Any]:
    values[_CODE] = _field("code").from_db_value(values[_CODE])
    return values


def _field(name: str) -> Any:
    return Message._meta.get_field(name)


def _db_claim(claim: UUID) -> Any:
    return _field("claim").get_db_prep_value(claim, connection)


def _db_time(moment: datetime) -> Any:
    field: models.Field[Any, Any] = _field("claimed_at")
    return field.get_db_prep_value(moment, connection)
