"""Reading what was stored: the client understands it, the apps above apply it.

Each row is read in a transaction of its own, and reading it again changes nothing that it
has changed before. An attempt is written down before it is made, so a row that takes its
worker with it is told from those that only waited beside it.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from django.db import transaction
from django.db.models import F, Max, Q, QuerySet
from django.utils import timezone

from core.redaction import storable, truncate

from ..engine.work_source import DATABASE_AWAY
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

logger = logging.getLogger(__name__)

CHUNK: Final = 100
LINGER: Final = 2.0
"""Seconds that a digest goes on looking after it has found nothing more to do."""
LONGEST_RUN: Final = 30.0
"""Seconds; the queue's other work waits for a place as long."""
PAUSE: Final = 0.1
RENEW_EVERY: Final = 5.0
"""Seconds between two renewals of the lease."""
UNFINISHED: Final = timedelta(seconds=60)
"""After so long an attempt that left no result is taken for one that killed its worker."""
MOST_ATTEMPTS: Final = 3
SECONDS: Final = (1, 60, 300, 900, 1800, 3600, 7200, 14400, 28800, 43200)
RETRIES: Final = tuple(timedelta(seconds=seconds) for seconds in SECONDS)
"""When what matches nothing is tried again, each after the try before: about 28 hours."""
WORDS_KEPT: Final = 500
"""Bytes of the provider's own words, in lists."""

FAULT: Final = "portal_fault"
NO_CLIENT: Final = "no_client"
State = Callback.State


@dataclass(frozen=True, slots=True)
class Digested:
    """One event of a callback, and who it was for."""

    event: Event
    heard: Sequence[Match]

    @property
    def may_match_later(self) -> bool:
        """It names something that nobody knows yet."""
        return not self.heard and bool(self.event.reference or self.event.provider_id)

    @property
    def state(self) -> State:
        if isinstance(self.event, Unrecognised):
            return State.UNRECOGNISED
        if not self.heard:
            return State.UNMATCHED
        conflict = any(heard.effect == Effect.CONFLICT for heard in self.heard)
        return State.CONFLICT if conflict else State.APPLIED


class Turn:
    """One digest's time: how long it may go on, and the lease that it keeps meanwhile."""

    def __init__(self, keep_lease: Callable[[], bool] = lambda: True) -> None:
        self._keep_lease = keep_lease
        self._kept_at = time.monotonic()
        self._until = self._kept_at + LONGEST_RUN
        self._is_lost = False

    @property
    def is_over(self) -> bool:
        """Its time has come, or somebody else has the lease. Asked between two rows."""
        now = time.monotonic()
        if now - self._kept_at > RENEW_EVERY:
            self._is_lost = self._is_lost or not self._keep_lease()
            self._kept_at = now
        return self._is_lost or now > self._until

    @property
    def leaves_work(self) -> bool:
        return not self._is_lost


def run(keep_lease: Callable[[], bool]) -> bool:
    """Digest what is due, and stay a little for what comes meanwhile. True: there is more."""
    turn = Turn(keep_lease)
    quiet_since = time.monotonic()
    while not turn.is_over:
        if digest_due(turn):
            quiet_since = time.monotonic()
        elif time.monotonic() - quiet_since > LINGER:
            return False
        else:
            time.sleep(PAUSE)
    return turn.leaves_work


def digest_due(turn: Turn | None = None) -> int:
    """One chunk of what is due; returns how many rows were taken up."""
    due = Callback.objects.filter(next_try_at__lte=timezone.now())
    ids = list(due.filter(failures=0).order_by("next_try_at", "pk").values_list("pk")[:CHUNK])
    # One at a time, so that what killed a worker before takes nothing with it.
    ids = ids or list(due.filter(failures__gt=0).order_by("next_try_at").values_list("pk")[:1])
    return digest([pk for (pk,) in ids], turn)


def digest(ids: Sequence[int], turn: Turn | None = None) -> int:
    """Read these rows, whatever their state. Returns how many were taken up."""
    if not ids:
        return 0
    turn = turn or Turn()
    rows = Callback.objects.filter(pk__in=ids)
    CALLBACK_STATES.move(
        rows.filter(failures__gte=MOST_ATTEMPTS),
        State.UNRECOGNISED,
        problem=FAULT,
        next_try_at=None,
    )
    now = timezone.now()
    rows.filter(failures__lt=MOST_ATTEMPTS).update(
        tries=F("tries") + 1,
        failures=F("failures") + 1,
        tried_at=now,
        next_try_at=now + UNFINISHED,
    )
    accounts: dict[int, Account] = {}
    for position, pk in enumerate(ids):
        if turn.is_over:
            _give_back(ids[position:])
            break
        _digest_guarded(pk, accounts)
    _note_use(rows)
    return len(ids)


def _give_back(ids: Sequence[int]) -> None:
    """Taken up, but not begun."""
    rows = Callback.objects.filter(pk__in=ids).exclude(problem=FAULT)
    rows.update(tries=F("tries") - 1, failures=F("failures") - 1, next_try_at=timezone.now())


def process_again(rows: QuerySet[Callback]) -> int:
    """Have these read anew, as if they had just come in; a person asks for it."""
    return CALLBACK_STATES.move(
        rows,
        State.RECEIVED,
        problem="",
        tries=0,
        failures=0,
        next_try_at=timezone.now(),
        tried_at=None,
    )


def _digest_guarded(pk: int, accounts: dict[int, Account]) -> None:
    """A row that cannot be read must not keep the others from it."""
    try:
        _digest_one(pk, accounts)
    except DATABASE_AWAY:
        raise
    except Exception as error:  # noqa: BLE001 - the next attempts will show whether it lasts
        # Its text may quote what was sent, so only its kind is logged.
        logger.error("Callback %s could not be read: %s", pk, type(error).__name__)


def _digest_one(pk: int, accounts: dict[int, Account]) -> None:
    row = Callback.objects.defer("outcomes").get(pk=pk)
    if row.problem == FAULT:
        return
    account = accounts.get(row.account_id) or accounts.setdefault(row.account_id, row.account)
    client = account.client
    if client is None or not issubclass(client, ReceivesCallbacks):
        _settle(row, State.UNRECOGNISED, problem=NO_CLIENT)
        return
    request = CallbackRequest(row.method, row.query, bytes(row.body), row.content_type)
    events = client.parse_callback(request)
    told = [
        _tell(ReceivedEvent(account, event, row.received_at, row.pk, position))
        for position, event in enumerate(events)
    ]
    digested = [one for one in told if one is not None]
    if len(digested) == len(events):
        _write_down(row, digested)


def _tell(news: ReceivedEvent) -> Digested | None:
    """One event, in a transaction of its own: a thousand reports in one request must neither
    hold everybody's rows nor undo each other. None where it failed; it is told again then."""
    try:
        with transaction.atomic():
            return Digested(news.event, publish(news))
    except DATABASE_AWAY:
        raise
    except Exception as error:  # noqa: BLE001
        logger.error(
            "Event %s of callback %s could not be applied: %s",
            news.position,
            news.callback_id,
            type(error).__name__,
        )
        return None


def _write_down(row: Callback, digested: Sequence[Digested]) -> None:
    first = digested[0]
    heard = next((each for one in digested for each in one.heard), None)
    _settle(
        row,
        _worst([one.state for one in digested]),
        look_again=any(one.may_match_later for one in digested),
        kind=_kind_of(first.event),
        says=says(first.event),
        words=_kept(first.event.words),
        subject=heard.subject if heard else "",
        matched_by=heard.matched_by if heard else "",
        problem=next((problem for one in digested if (problem := _problem_of(one.event))), ""),
        events=len(digested),
        outcomes=[_outcome(one) for one in digested],
    )


def _settle(row: Callback, state: State, *, look_again: bool = False, **changes: object) -> None:
    next_try = None
    if look_again and row.tries <= len(RETRIES):
        next_try = timezone.now() + RETRIES[max(row.tries, 1) - 1]
    # If another process settled the row meanwhile, or staff had it processed again, that stands.
    CALLBACK_STATES.set(row, state, next_try_at=next_try, failures=0, **changes)


_WORST_FIRST: Final = (State.UNMATCHED, State.UNRECOGNISED, State.CONFLICT, State.APPLIED)
"""Of several reports in one request the one that still needs somebody is shown."""


def _worst(states: Sequence[State]) -> State:
    return min(states, key=_WORST_FIRST.index)


def _kind_of(event: Event) -> str:
    if isinstance(event, DeliveryReported):
        return "delivery"
    return "verification" if isinstance(event, VerificationReported) else ""


def says(event: Event) -> str:
    """What an event says, in our words; empty where nobody knows."""
    if isinstance(event, DeliveryReported):
        return event.state.value
    if isinstance(event, VerificationReported):
        return "succeeded" if event.succeeded else "failed"
    return ""


def _problem_of(event: Event) -> str:
    return event.problem if isinstance(event, Unrecognised) else ""


def _kept(words: str) -> str:
    return truncate(storable(words), WORDS_KEPT)


def _outcome(one: Digested) -> dict[str, str]:
    heard = one.heard[0] if one.heard else None
    return {
        "state": one.state.value,
        "kind": _kind_of(one.event),
        "says": says(one.event),
        "words": _kept(one.event.words),
        "problem": _problem_of(one.event),
        "subject": heard.subject if heard else "",
        "matched_by": heard.matched_by if heard else "",
    }


def _note_use(rows: QuerySet[Callback]) -> None:
    """When each address was last used. Here, so that taking one in stays one statement."""
    used = rows.exclude(token=None).order_by().values_list("token_id")
    for token_id, at in used.annotate(newest=Max("last_at")):
        token = CallbackToken.objects.filter(pk=token_id)
        token.filter(Q(last_used_at=None) | Q(last_used_at__lt=at)).update(last_used_at=at)
