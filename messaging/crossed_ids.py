"""Ids of a provider that name two messages: found, flagged on both, and listed for their pages.

A provider gives each message an id of its own. If it gives one id twice, or its report names one
message by our reference and another by that id, then one of them may be told the other's fate.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

from django.db.models import Exists, OuterRef, QuerySet

from core.redaction import storable
from providers.events import ReceivedEvent

from .models import Message

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
    shared = named.filter(Exists(twins)).only("account_id", "provider_id", "warnings")
    for message in shared:
        if NO_ID not in message.warnings:
            with_shared_id(message).update(conflict=True)


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
    named = Message.objects.filter(account=received.account.pk, provider_id=provider_id)
    named = named.exclude(provider_id="")
    return named.exclude(pk=message.pk).select_for_update(of=("self",)).order_by("pk").first()


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
