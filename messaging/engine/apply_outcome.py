"""Record the result of sending a message.

This is the only place that decides what a result means for the row. The rule above all: a
message returns to the queue only if the call certainly did nothing at the provider.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, Final

from django.db import connection, transaction
from django.db.models import QuerySet

from core.redaction import storable
from providers import clock
from providers.engine.retry import next_try
from providers.gateway.errors import GatewayError
from providers.gateway.vocabulary import Outcome, Submission

from ..crossed_ids import flag_shared_ids
from ..models import Message
from ..states import MESSAGE_STATES, REPORTS, MessageState

ACCEPTED_FROM: Final = (MessageState.SENDING, MessageState.UNKNOWN)


def apply_submissions(accepted: Sequence[tuple[int, Submission]]) -> None:
    """Record that the provider accepted these messages, given as pairs of id and submission.

    If a report or a person's decision came first, it remains and only the missing values are
    filled in. One statement covers all messages, since this runs for every message of a batch.
    """
    if not accepted:
        return
    MESSAGE_STATES.check(MessageState.SUBMITTED, ACCEPTED_FROM)
    # Inside the result writer's transaction a savepoint would cost two more queries each round.
    with transaction.atomic(savepoint=False):
        moved = _update_all(
            accepted,
            "state = 'submitted', reason = '', claim = NULL, code = ''",
            ACCEPTED_FROM,
        )
        if moved < len(accepted):
            # A report or a person settled these before this answer was recorded. The provider's
            # id is kept even if a person decided "not sent", so that a later report finds it.
            known = (*REPORTS, MessageState.SUBMITTED, MessageState.NOT_SENT)
            _update_all(accepted, "code = ''", known, "AND answered_at IS NULL")
        flag_shared_ids([pk for pk, submission in accepted if submission.provider_id])


def _update_all(
    accepted: Sequence[tuple[int, Submission]],
    changes: str,
    sources: tuple[MessageState, ...],
    condition: str = "",
) -> int:
    """Update the messages in one statement and return how many changed.

    SQL, since the ORM offers one statement per row, or one that sets equal values.
    """
    states = ", ".join(f"'{state.value}'" for state in sources)
    if connection.vendor == "postgresql":
        # One array per column: the driver is slow at filling in one parameter per row and column.
        answers = (
            "unnest(%s::bigint[], %s::text[], %s::text[], %s::jsonb[])"
            " AS answer (column1, column2, column3, column4)"
        )
        columns = zip(*map(_answer_columns, accepted), strict=True)
        values: list[Any] = [list(column) for column in columns]
    else:
        answers = f"(VALUES {', '.join(['(%s, %s, %s, %s)'] * len(accepted))}) AS answer"
        values = [value for one in accepted for value in _answer_columns(one)]
    statement = f"""
        UPDATE messaging_message
           SET {changes}, provider_id = COALESCE(NULLIF(column2, ''), provider_id),
               words = column3, warnings = column4, answered_at = %s
          FROM {answers}
         WHERE id = column1 AND state IN ({states}) {condition}
    """  # noqa: S608 - built from our own constants
    now = connection.ops.adapt_datetimefield_value(clock.now())
    with connection.cursor() as cursor:
        cursor.execute(statement, [now, *values])
        return int(cursor.rowcount)


def _answer_columns(accepted: tuple[int, Submission]) -> tuple[int, str, str, str]:
    pk, submission = accepted
    return (
        pk,
        storable(submission.provider_id)[:200],
        storable(submission.words),
        json.dumps(list(submission.warnings)),
    )


def apply_error(rows: QuerySet[Message], error: GatewayError) -> None:
    """Record a call that was not clearly accepted.

    A refusal is final. A call that certainly did nothing is tried again or given up. Everything
    else is unknown and never repeated.
    """
    answer = _answer_of(error)
    match error.outcome:
        case Outcome.REFUSED:
            _move_from_sending(rows, MessageState.REFUSED, code="", **answer)
        case Outcome.NOT_DONE:
            _retry_or_give_up(rows, error, answer)
        case _:
            # The code is kept until a person settles the outcome, since nothing is final yet.
            _move_from_sending(rows, MessageState.UNKNOWN, **answer)
    _record_beside_report(rows, answer)


def apply_late_error(given_up: QuerySet[Message], error: GatewayError) -> None:
    """Record the answer to a call that was given up as unknown, for example because the database
    was away for long. The message is settled if possible, and never queued again."""
    answer = _answer_of(error)
    sources = (MessageState.UNKNOWN,)
    match error.outcome:
        case Outcome.REFUSED:
            MESSAGE_STATES.move(given_up, MessageState.REFUSED, sources=sources, code="", **answer)
        case Outcome.NOT_DONE:
            MESSAGE_STATES.move(given_up, MessageState.NOT_SENT, sources=sources, code="", **answer)
        case _:
            given_up.update(**answer)


def _answer_of(error: GatewayError) -> dict[str, Any]:
    return {
        "reason": str(error.reason),
        "words": storable(error.words),
        "http_status": error.http_status,
        "answered_at": clock.now(),
    }


def _move_from_sending(rows: QuerySet[Message], state: MessageState, **changes: Any) -> int:
    changes = {"claim": None, **changes}
    return MESSAGE_STATES.move(rows, state, sources=(MessageState.SENDING,), **changes)


def _record_beside_report(rows: QuerySet[Message], answer: dict[str, Any]) -> None:
    """Keep the answer beside a report that arrived before the end of our own call and remains."""
    reported = (*REPORTS, MessageState.SUBMITTED)
    rows.filter(state__in=reported, answered_at=None).update(claim=None, **answer)


def _retry_or_give_up(rows: QuerySet[Message], error: GatewayError, answer: dict[str, Any]) -> None:
    tries = rows.values_list("tries", flat=True).first()
    if tries is None:
        return
    now = clock.now()
    retry = next_try(error, tries, now)
    if retry is None:
        _move_from_sending(
            rows, MessageState.NOT_SENT, tries=tries + 1, ended_at=now, code="", **answer
        )
        return
    _move_from_sending(
        rows,
        MessageState.QUEUED,
        tries=retry.tries,
        not_before=retry.not_before,
        handed_over_at=None,
        **answer,
    )
