"""Codes as what a hold keeps. They are sent only while the customer can still use them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from django.db.models import Exists, OuterRef, Q, QuerySet
from django.db.models.functions import Now
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import pgettext_lazy

from core.stored_texts import StoredText, declare
from messaging import held_messages
from messaging.messages_on_hold import MessagesOnHold, senders_text, settled_facts
from messaging.models import Message
from messaging.states import MessageState
from providers import clock
from providers.hold.holdable import held_accounts
from providers.models import Account, Hold

from .models import SentCode, Session
from .states import OPEN


class CodesOnHold(MessagesOnHold):
    name: ClassVar[str] = "codes"
    title: ClassVar[StoredText] = declare("held.codes", pgettext_lazy("hold", "Codes"))
    rows_of_kind: ClassVar[Q] = Q(batch=None) & ~Q(kind=Message.Kind.TEXT)
    icon: ClassVar[str] = "pin"

    def hold(self, hold: Hold) -> int:
        """Open sessions lose their fallback account: it may have sent its code before."""
        sessions = Session.objects.filter(state__in=sorted(OPEN), fallback__in=held_accounts())
        sessions.update(fallback=None)
        return super().hold(hold)

    def settle_known(self, hold: Hold) -> int:
        return end_expired()

    def _sendable(self, messages: QuerySet[Message]) -> QuerySet[Message]:
        return messages.filter(Exists(_usable_codes()))

    def _facts(
        self, kept: QuerySet[Message], waiting: QuerySet[Message], account: Account
    ) -> Iterator[str | Promise]:
        yield from settled_facts(kept)
        gone = kept.filter(state=MessageState.UNKNOWN).count()
        if gone:
            text = _("Ended as unknown: %(count)s. Send new codes if customers ask.")
            yield text % {"count": f"{gone:,}"}
        if waiting.exists():
            yield _(
                "No answer and no report on record. A correct code confirms that the"
                " message was sent."
            )
            yield senders_text(waiting)


def _usable_codes() -> QuerySet[SentCode]:
    """Subquery: the code of the outer message, if a customer could still use it."""
    newer = SentCode.objects.filter(session=OuterRef("session"), serial__gt=OuterRef("serial"))
    return SentCode.objects.filter(
        ~Exists(newer),
        message=OuterRef("pk"),
        session__state__in=sorted(OPEN),
        session__expires_at__gt=Now(),
    )


def end_expired() -> int:
    """End as unknown the codes on hold that are no longer usable. Returns their number."""
    if not clock.is_settled():
        return 0
    held = Message.objects.filter(
        CodesOnHold.rows_of_kind, state=MessageState.HELD, hold__isnull=False
    )
    return held_messages.give_up(held.filter(~Exists(_usable_codes())))
