"""Process stored callbacks: the client parses each one, and subscribed apps apply its events.

1. Select a chunk of due rows, or a single row if an earlier attempt at it left no result.
2. Count an attempt for every row, before the first of them is read (`retry`).
3. Parse each row and publish its events, each event in a transaction of its own. Publishing
   an event again repeats no change.
4. Store the result, unless another process or a member of staff moved the row meanwhile.
5. Release the rows for which no time was left.
"""

from __future__ import annotations

import contextlib
import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from django.db import Error as DatabaseError
from django.db import transaction
from django.db.models import Max, Q, QuerySet

from core.redaction import storable, truncate

from .. import clock
from ..engine.database_errors import concerns_row
from ..events import Effect, Match, ReceivedEvent, publish
from ..gateway.client import ReceivesCallbacks
from ..gateway.events import (
    CallbackRequest,
    DeliveryReported,
    Event,
    Unrecognised,
    VerificationReported,
)
from ..models import Account, Callback, CallbackToken
from ..states import CALLBACK_STATES
from .retry import ATTEMPT_TIMEOUT, FAULT, begin_attempts, next_retry_at, release

logger = logging.getLogger(__name__)

CHUNK: Final = 100
LINGER: Final = 2.0
"""Seconds for which a run keeps polling after it last found work."""
MAX_RUN: Final = 30.0
"""Seconds. Other tasks of the queue wait for a worker just as long."""
POLL_INTERVAL: Final = 0.1
RENEW_EVERY: Final = 5.0
"""Seconds between two renewals of the lease."""
MAX_WORDS: Final = 500
"""Bytes of the provider's own words, for lists."""

NO_CLIENT: Final = "no_client"
"""The stored problem of a callback whose provider has no client here any more."""
State = Callback.State


@dataclass(frozen=True, slots=True)
class ProcessedEvent:
    """One event of a callback, with the subscribers' matches."""

    event: Event
    matches: Sequence[Match]
    problem: str

    @classmethod
    def of(cls, event: Event, matches: Sequence[Match]) -> ProcessedEvent:
        applied = [match for match in matches if match.effect != Effect.AMBIGUOUS]
        problem = event.problem if isinstance(event, Unrecognised) else ""
        return cls(event, applied, problem or next((m.problem for m in matches if m.problem), ""))

    @property
    def may_match_later(self) -> bool:
        """Whether it names an id that no subscriber knows yet."""
        return not self.matches and bool(self.event.reference or self.event.provider_id)

    @property
    def state(self) -> State:
        if isinstance(self.event, Unrecognised):
            return State.UNRECOGNISED
        if not self.matches:
            return State.UNMATCHED
        conflict = any(match.effect == Effect.CONFLICT for match in self.matches)
        return State.CONFLICT if conflict else State.APPLIED


class Run:
    """The time limit of one run, and the lease that it renews meanwhile."""

    def __init__(self, keep_lease: Callable[[], bool] = lambda: True) -> None:
        self._keep_lease = keep_lease
        self._renewed_at = time.monotonic()
        self._ends_at = self._renewed_at + MAX_RUN
        self._lost_lease = False

    @property
    def has_ended(self) -> bool:
        """Whether time is up or the lease is lost. Checked between rows; renews the lease."""
        now = time.monotonic()
        if now - self._renewed_at > RENEW_EVERY:
            self._lost_lease = self._lost_lease or not self._keep_lease()
            self._renewed_at = now
        return self._lost_lease or now > self._ends_at

    @property
    def leaves_work(self) -> bool:
        return not self._lost_lease


def run(keep_lease: Callable[[], bool]) -> bool:
    """Process due callbacks, then poll for new ones for `LINGER` seconds.

    :param keep_lease: renews the caller's lease; False once another process holds it.
    :return: whether work may be left.
    """
    this_run = Run(keep_lease)
    idle_since = time.monotonic()
    while not this_run.has_ended:
        if process_due(this_run):
            idle_since = time.monotonic()
        elif time.monotonic() - idle_since > LINGER:
            return False
        else:
            time.sleep(POLL_INTERVAL)
    return this_run.leaves_work


def process_due(this_run: Run | None = None) -> int:
    """Process one chunk of due callbacks; returns the number of rows selected."""
    due = Callback.objects.filter(next_try_at__lte=clock.now())
    ids = list(due.filter(failures=0).order_by("next_try_at", "pk").values_list("pk")[:CHUNK])
    # One at a time, so that a row that killed a worker takes no other row with it.
    ids = ids or list(due.filter(failures__gt=0).order_by("next_try_at").values_list("pk")[:1])
    return process_rows([pk for (pk,) in ids], this_run)


def process_rows(ids: Sequence[int], this_run: Run | None = None) -> int:
    """Process these callbacks in whatever state; returns the number of rows selected."""
    if not ids:
        return 0
    this_run = this_run or Run()
    rows = Callback.objects.filter(pk__in=ids)
    begin_attempts(rows)
    accounts: dict[int, Account] = {}
    for position, pk in enumerate(ids):
        if this_run.has_ended:
            release(ids[position:])
            break
        try:
            _process_guarded(pk, accounts)
        except Exception:
            _release_despite_error(ids[position:])
            raise
    _update_last_use(rows)
    return len(ids)


def _release_despite_error(ids: Sequence[int]) -> None:
    """An outage of the database is no failed attempt. The first of these rows met it and waits,
    so that it cannot stop the others time and again."""
    with contextlib.suppress(DatabaseError):
        release(ids)
        first = Callback.objects.filter(pk=ids[0], next_try_at__isnull=False)
        first.update(next_try_at=clock.now() + ATTEMPT_TIMEOUT)


def _process_guarded(pk: int, accounts: dict[int, Account]) -> None:
    """Process one row; an error in it must not stop the others."""
    try:
        _process_one(pk, accounts)
    except Exception as error:
        if not concerns_row(error):
            raise
        # The text of the error may quote the callback, so only its type is logged.
        logger.error("Callback %s could not be read: %s", pk, type(error).__name__)


def _process_one(pk: int, accounts: dict[int, Account]) -> None:
    row = Callback.objects.defer("outcomes").get(pk=pk)
    if row.problem == FAULT:
        return
    account = accounts.get(row.account_id) or accounts.setdefault(row.account_id, row.account)
    client = account.client
    if client is None or not issubclass(client, ReceivesCallbacks):
        _set_state(row, State.UNRECOGNISED, problem=NO_CLIENT)
        return
    request = CallbackRequest(row.method, row.query, bytes(row.body), row.content_type)
    events = client.parse_callback(request)
    results = [
        _publish_event(ReceivedEvent(account, event, row.received_at, row.pk, position))
        for position, event in enumerate(events)
    ]
    processed = [one for one in results if one is not None]
    if len(processed) == len(events):
        _save_result(row, processed)


def _publish_event(received: ReceivedEvent) -> ProcessedEvent | None:
    """Publish one event in a transaction of its own.

    A thousand reports in one request must neither lock all rows nor undo each other.
    Returns None if a subscriber failed; the next attempt publishes the event again.
    """
    try:
        with transaction.atomic():
            return ProcessedEvent.of(received.event, publish(received))
    except Exception as error:
        if not concerns_row(error):
            raise
        logger.error(
            "Event %s of callback %s could not be applied: %s",
            received.position,
            received.callback_id,
            type(error).__name__,
        )
        return None


def _save_result(row: Callback, processed: Sequence[ProcessedEvent]) -> None:
    first = processed[0]
    match = next((each for one in processed for each in one.matches), None)
    _set_state(
        row,
        _most_urgent([one.state for one in processed]),
        try_again=any(one.may_match_later for one in processed),
        kind=_kind_of(first.event),
        says=reported_state(first.event),
        words=_storable_words(first.event.words),
        subject=match.subject if match else "",
        matched_by=match.matched_by if match else "",
        problem=next((one.problem for one in processed if one.problem), ""),
        events=len(processed),
        outcomes=[_outcome(one) for one in processed],
    )


def _set_state(row: Callback, state: State, *, try_again: bool = False, **changes: object) -> None:
    next_try = next_retry_at(row.tries, row.account_id) if try_again else None
    # A result of another process, or of staff who had the row processed again, is kept.
    CALLBACK_STATES.set(row, state, next_try_at=next_try, failures=0, **changes)


_MOST_URGENT_FIRST: Final = (
    State.UNMATCHED,
    State.UNRECOGNISED,
    State.CONFLICT,
    State.APPLIED,
)


def _most_urgent(states: Sequence[State]) -> State:
    """The state of a request with several reports: that of the one that most needs attention."""
    return min(states, key=_MOST_URGENT_FIRST.index)


def _kind_of(event: Event) -> str:
    if isinstance(event, DeliveryReported):
        return "delivery"
    return "verification" if isinstance(event, VerificationReported) else ""


def reported_state(event: Event) -> str:
    """The state that an event reports, in the portal's own word; empty if unknown."""
    if isinstance(event, DeliveryReported):
        return event.state.value
    if isinstance(event, VerificationReported):
        return "succeeded" if event.succeeded else "failed"
    return ""


def _storable_words(words: str) -> str:
    return truncate(storable(words), MAX_WORDS)


def _outcome(one: ProcessedEvent) -> dict[str, str]:
    match = one.matches[0] if one.matches else None
    return {
        "state": one.state.value,
        "kind": _kind_of(one.event),
        "says": reported_state(one.event),
        "words": _storable_words(one.event.words),
        "problem": one.problem,
        "subject": match.subject if match else "",
        "other": match.other if match else "",
        "matched_by": match.matched_by if match else "",
    }


def _update_last_use(rows: QuerySet[Callback]) -> None:
    """Record when each address was last used. Done here so that receiving a callback remains a
    single statement."""
    used = rows.exclude(token=None).order_by().values_list("token_id")
    for token_id, at in used.annotate(newest=Max("last_at")):
        token = CallbackToken.objects.filter(pk=token_id)
        token.filter(Q(last_used_at=None) | Q(last_used_at__lt=at)).update(last_used_at=at)
