"""What came of sending a message.

What a result means for the row is decided here and nowhere else. The rule above all:
a row goes back to the queue only where it is certain that nothing happened out there.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, Final

from django.db import connection, transaction
from django.db.models import QuerySet
from django.utils import timezone

from core.redaction import storable
from providers.engine.retry import next_try
from providers.gateway.errors import GatewayError
from providers.gateway.vocabulary import Outcome, Submission

from ..models import Message
from ..states import MESSAGE_STATES, REPORTS, MessageState

ACCEPTED_FROM: Final = (MessageState.SENDING, MessageState.UNKNOWN)


def apply_submissions(accepted: Sequence[tuple[int, Submission]]) -> None:
    """The provider took these messages. Where a report came first, only what is missing
    is filled in. One statement for all, since this runs for every message of a batch."""
    if not accepted:
        return
    MESSAGE_STATES.check(MessageState.SUBMITTED, ACCEPTED_FROM)
    # Within the recorder's transaction a savepoint would be two more questions in each round.
    with transaction.atomic(savepoint=False):
        moved = _update_all(
            accepted,
            "state = 'submitted', reason = '', claim = NULL, code = ''",
            ACCEPTED_FROM,
        )
        if moved < len(accepted):
            # Reported, or settled by a person, before this answer was written down. The id
            # is kept even where a person said "not sent": a report that comes will find it.
            known = (*REPORTS, MessageState.SUBMITTED, MessageState.NOT_SENT)
            _update_all(accepted, "code = ''", known, "AND answered_at IS NULL")


def _update_all(
    accepted: Sequence[tuple[int, Submission]],
    changes: str,
    sources: tuple[MessageState, ...],
    condition: str = "",
) -> int:
    """Rows changed. SQL, since the ORM has one statement a row and one for equal values."""
    states = ", ".join(f"'{state.value}'" for state in sources)
    if connection.vendor == "postgresql":
        # One value a column instead of one for each of many rows, which the driver takes
        # long to fill in.
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
    """  # noqa: S608 - built from constants of ours
    now = connection.ops.adapt_datetimefield_value(timezone.now())
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
    """The call did not end in a clear yes."""
    answer = {
        "reason": str(error.reason),
        "words": storable(error.words),
        "http_status": error.http_status,
        "answered_at": timezone.now(),
    }
    match error.outcome:
        case Outcome.REFUSED:
            _move_from_sending(rows, MessageState.REFUSED, code="", **answer)
        case Outcome.NOT_DONE:
            _retry_or_give_up(rows, error, answer)
        case _:
            # The code stays until somebody settles this, since nothing is final yet.
            _move_from_sending(rows, MessageState.UNKNOWN, **answer)
    _record_beside_report(rows, answer)


def _move_from_sending(rows: QuerySet[Message], state: MessageState, **changes: Any) -> int:
    changes = {"claim": None, **changes}
    return MESSAGE_STATES.move(rows, state, sources=(MessageState.SENDING,), **changes)


def _record_beside_report(rows: QuerySet[Message], answer: dict[str, Any]) -> None:
    """A report came before the end of our own call: it stands, the answer is kept with it."""
    reported = (*REPORTS, MessageState.SUBMITTED)
    rows.filter(state__in=reported, answered_at=None).update(claim=None, **answer)


def _retry_or_give_up(rows: QuerySet[Message], error: GatewayError, answer: dict[str, Any]) -> None:
    tries = rows.values_list("tries", flat=True).first()
    if tries is None:
        return
    now = timezone.now()
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
