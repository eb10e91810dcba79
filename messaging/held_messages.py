"""Put single messages on hold, and decide what becomes of them.

Whether such a message has been sent since is not known. So it is sent again only if a person
releases it; otherwise it ends as unknown, which a report can still settle.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Final

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import F, QuerySet
from django.db.models.functions import Greatest

from providers import clock
from providers.engine.wake import wake_engine
from providers.hold.holdable import FROM_BEFORE
from providers.models import Hold

from . import do_not_send, listeners
from .models import Message
from .recipients import InvalidRecipient, require_account_takes
from .states import MESSAGE_STATES, MessageState

S = MessageState
CHUNK: Final = 1_000
"""Rows per statement, so that no other writer waits long for the database."""


def hold_rows(messages: QuerySet[Message], hold: Hold) -> int:
    """Put those of these messages that wait on hold. Returns their number.

    One statement covers queued and claimed messages: one that a loop claims at this moment would
    slip between two. A message in flight only points to the hold. If its call turns out not to
    have been made, it is not sent again (`rejoin`).
    """
    moved = MESSAGE_STATES.move(
        messages,
        S.HELD,
        sources=(S.QUEUED, S.CLAIMED, S.SCHEDULED),
        hold=hold,
        reason=FROM_BEFORE,
        claim=None,
        claimed_at=None,
    )
    # These needed a go-ahead before. Their reason stays, so that the page can say so.
    joined = messages.filter(state=S.HELD).exclude(hold=hold).update(hold=hold)
    messages.filter(state=S.SENDING).update(hold=hold)
    return moved + joined


def rejoin() -> None:
    """Put messages on hold again that were in flight when it began and were not sent after all.

    If their hold has ended meanwhile, they need a go-ahead.
    """
    back = Message.objects.filter(state=S.QUEUED, batch=None)
    MESSAGE_STATES.move(
        back.filter(hold__in=Hold.objects.filter(ended_at=None)),
        S.HELD,
        sources=(S.QUEUED,),
        reason=FROM_BEFORE,
    )
    MESSAGE_STATES.move(
        back.filter(hold__in=Hold.objects.exclude(ended_at=None)),
        S.HELD,
        sources=(S.QUEUED,),
        reason=FROM_BEFORE,
        hold=None,
    )


def undecided(hold: Hold) -> QuerySet[Message]:
    """The single messages that still wait for a decision."""
    return Message.objects.filter(hold=hold, state__in=(S.HELD, S.QUEUED), batch=None)


def release(messages: QuerySet[Message]) -> int:
    """Queue those of these messages on hold that may be sent now. Returns their number.

    What a new message to the same recipient must pass, they must pass, too. The others stay on
    hold. Those that were scheduled for later are still sent then.
    """
    done = 0
    for pks in _chunks(messages):
        with transaction.atomic():
            sendable = _sendable_keys(pks)
            later = Greatest("not_before", clock.now())
            moved = MESSAGE_STATES.move(
                Message.objects.filter(pk__in=sendable, hold__isnull=False),
                S.QUEUED,
                sources=(S.HELD,),
                hold=None,
                released_from=F("hold"),
                reason="",
                queued_at=later,
                not_before=later,
            )
            if moved:
                wake_engine()
                listeners.notify(listeners.owners_of(Message.objects.filter(pk__in=sendable)))
            done += moved
    return done


def _sendable_keys(pks: Collection[int]) -> list[int]:
    rows = Message.objects.filter(pk__in=pks).select_related("account")
    messages = list(rows.only("recipient", "country", "account"))
    listed = do_not_send.listed_numbers([message.recipient for message in messages])
    return [
        message.pk
        for message in messages
        if message.recipient not in listed and _account_takes(message)
    ]


def _account_takes(message: Message) -> bool:
    try:
        require_account_takes(message.account, message.recipient, message.country)
    except InvalidRecipient:
        return False
    return True


def give_up(messages: QuerySet[Message], by: User | None = None) -> int:
    """End those of these messages that are on hold as unknown. Returns their number."""
    return sum(_give_up(pks, by) for pks in _chunks(messages))


def _give_up(pks: Collection[int], by: User | None) -> int:
    with transaction.atomic():
        rows = Message.objects.filter(pk__in=pks)
        moved = MESSAGE_STATES.move(
            rows.filter(hold__isnull=False),
            S.UNKNOWN,
            sources=(S.HELD,),
            reason=FROM_BEFORE,
            ended_at=clock.now(),
            ended_by_id=by.pk if by else None,
            code="",
        )
        listeners.notify(listeners.owners_of(rows))
    return moved


def _chunks(messages: QuerySet[Message]) -> Iterator[list[int]]:
    """The keys of those on hold. Rows that stay on hold are not found twice."""
    last = 0
    held = messages.filter(state=S.HELD, hold__isnull=False).order_by("pk")
    while pks := list(held.filter(pk__gt=last).values_list("pk", flat=True)[:CHUNK]):
        yield pks
        last = pks[-1]
