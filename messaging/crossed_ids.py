"""Ids of a provider that name two messages: found, flagged on both, and listed for their pages.

A provider gives each message an id of its own. If it gives one id twice, or its report names one
message by our reference and another by that id, then one of them may be told the other's fate. The
other one may get its id only after the report.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, Final

from django.db.models import Exists, OuterRef, QuerySet

from core.redaction import storable
from providers.events import ReceivedEvent

from .models import Message, Report

NO_ID: Final = "no_id"
"""The warning on a message whose provider wrote a placeholder instead of an id."""
MAX_LISTED: Final = 10


def flag_shared_ids(pks: Collection[int]) -> None:
    """Flag those of these messages whose id another message of the account has, and the others."""
    named = Message.objects.filter(pk__in=pks).exclude(provider_id="")
    # The exclude() is needed for SQLite, which would not use the partial index otherwise.
    twins = (
        Message.objects.filter(account=OuterRef("account"), provider_id=OuterRef("provider_id"))
        .exclude(provider_id="")
        .exclude(pk=OuterRef("pk"))
    )
    shared = named.filter(Exists(twins)).order_by()
    # Once for each id: a provider may give every message the same one.
    by_id = {
        (message.account_id, message.provider_id): message
        for message in shared.only("account_id", "provider_id", "warnings")
        if NO_ID not in message.warnings
    }
    for message in by_id.values():
        with_shared_id(message).filter(conflict=False).update(conflict=True)
    _flag_named_earlier(pks)


def _flag_named_earlier(pks: Collection[int]) -> None:
    """Flag those of these messages whose id a report named beside another message, and those."""
    ids = Message.objects.filter(pk__in=pks).exclude(provider_id="").values("provider_id")
    reports = _reports_naming(ids).order_by()
    # Asked first, because it takes half the time and almost never finds anything.
    if not reports.exists():
        return
    for report in list(reports.order_by("pk").select_related("message")):
        named = Message.objects.filter(
            pk__in=pks, account=report.message.account_id, provider_id=report.named_id
        ).exclude(pk=report.message_id)
        message = named.order_by("pk").first()
        if message is not None and NO_ID not in message.warnings:
            Report.objects.filter(pk=report.pk).update(other=message)
            Message.objects.filter(pk__in=(message.pk, report.message_id)).update(conflict=True)


def _reports_naming(ids: Any) -> QuerySet[Report]:
    """Reports with one of these ids, which belonged to no message when they came."""
    return Report.objects.filter(named_id__isnull=False, named_id__in=ids, other=None)


def with_shared_id(message: Message) -> QuerySet[Message]:
    """The messages of an account with the same id of the provider, this one included."""
    same = Message.objects.filter(account=message.account_id, provider_id=message.provider_id)
    return same.exclude(provider_id="")


def message_named_beside(received: ReceivedEvent, message: Message) -> Message | None:
    """The other message that an event names by the provider's id, and its row lock.

    None if both ids name `message`, or if the provider's id names nothing else.
    """
    provider_id = storable(received.event.provider_id)[:200]
    if not provider_id or provider_id == message.provider_id:
        return None
    of_account = (
        Message.objects.filter(account=received.account.pk)
        .exclude(pk=message.pk)
        .select_for_update(of=("self",))
        .order_by("pk")
    )
    # SQLite proves only so that its index of ids serves the question.
    named = of_account.filter(provider_id=provider_id).exclude(provider_id="").first()
    if named is not None:
        return named
    earlier = _reports_naming([provider_id]).values("message")
    return of_account.filter(pk__in=earlier).first()


def id_to_remember(received: ReceivedEvent, message: Message, other: Message | None) -> str | None:
    """The id in an event that is neither the message's own nor, so far, another one's."""
    provider_id = storable(received.event.provider_id)[:200]
    if other is not None or not provider_id or provider_id == message.provider_id:
        return None
    return provider_id


def twins_of(message: Message) -> list[Message]:
    """The other messages with this message's id, oldest first."""
    if not message.provider_id or NO_ID in message.warnings:
        return []
    return list(with_shared_id(message).exclude(pk=message.pk).order_by("pk")[:MAX_LISTED])


def is_crossed(message: Message) -> bool:
    """Whether an id of the provider names this message and another one."""
    return message.conflict and bool(twins_of(message) or reports_of_others(message))


def reports_of_others(message: Message) -> list[Message]:
    """The other messages that a report names beside this one, oldest first."""
    reported = Message.objects.filter(reports__other=message)
    beside = Message.objects.filter(other_reports__message=message)
    pks = {*reported.values_list("pk", flat=True), *beside.values_list("pk", flat=True)}
    return list(Message.objects.filter(pk__in=pks).order_by("pk")[:MAX_LISTED])
