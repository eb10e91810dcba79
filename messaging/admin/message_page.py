"""Content of a message's page, its live part and its row in the list."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from django.contrib.auth.models import AnonymousUser, User
from django.http import HttpRequest
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from core.admin.live import poll_interval
from core.admin.pages import new_form_token
from core.admin.protocols import ModelPages
from core.admin.reasons import REVEAL_REASONS
from core.countries import country_name
from core.masking import linked_number, number_url, shown_number
from core.visibility import may_reveal, may_see_whole
from providers.engine.leases import is_engine_alive
from providers.error_texts import own_words
from providers.gateway.vocabulary import Encoding
from providers.journal import subject_link
from providers.models import Account

from ..crossed_ids import reports_of_others, twins_of
from ..models import Message
from ..on_hold import is_on_hold
from ..presentation.explanations import explanation_of, is_doubtful, known_facts, title_of
from ..presentation.labels import gives_reports, shown_state
from ..presentation.next_steps import next_steps
from ..presentation.timeline import timeline
from ..presentation.visibility import shown_text
from ..settle_outcome import REPEATABLE, SETTLE_REASONS, can_repeat
from ..states import REPORTS, WAITING, MessageState
from .send_form import unavailable_reason

S = MessageState


def context_of(admin: ModelPages, request: HttpRequest, message: Message) -> dict[str, Any]:
    """Build the template context of the page and of its live part."""
    user = request.user
    whole = may_see_whole(message, user)
    words = own_words(message.reason, message.words)
    return {
        "shown_state": shown_state(message),
        "explanation": explanation_of(message, user),
        "next_steps": next_steps(message, user, lambda: _other_accounts(message)),
        "is_doubtful": is_doubtful(message),
        "known": known_facts(message) if message.state == S.UNKNOWN else [],
        "whole": whole,
        "number": shown_number(message.recipient, whole=whole),
        "number_url": number_url(message.recipient),
        "text": shown_text(message, whole=whole),
        "country": country_name(message.country),
        "encoding": {Encoding.GSM7: "GSM-7", Encoding.UCS2: "Unicode"}.get(
            Encoding(message.encoding) if message.encoding else None  # type: ignore[arg-type]
        ),
        "lines": timeline(
            message,
            with_calls=user.has_perm("providers.view_apicall"),
            with_callbacks=user.has_perm("providers.view_callback"),
        ),
        # The provider's words on an accepted message add nothing to the report.
        "own_words": "" if message.state in (S.SUBMITTED, *REPORTS) else words,
        "stored_words": words,
        "twins": twins_of(message) if message.conflict else [],
        "crossed": reports_of_others(message) if message.conflict else [],
        "poll_every": _poll_every(message),
        "asleep": message.state == S.QUEUED and not is_on_hold(message) and not is_engine_alive(),
        "zone": timezone.get_current_timezone_name(),
        "live_url": admin.object_url(message, "live"),
        "may": _allowed_actions(message, user),
        "belongs_to": subject_link(message.belongs_to),
        "urls": {
            name: admin.object_url(message, name)
            for name in ("cancel", "release", "settle", "again", "reveal")
        },
        **_dialogs(message, user),
    }


def _other_accounts(message: Message) -> list[Account]:
    """The accounts that could send this text to this country now."""
    others = Account.objects.exclude(pk=message.account_id).prefetch_related("credentials")
    return [
        one
        for one in others.order_by("name")
        if not unavailable_reason(one) and message.country in one.allowed_countries
    ]


def _dialogs(message: Message, user: User | AnonymousUser) -> dict[str, Any]:
    """Build the dialogs. They are outside the live part, so they exist before it needs them."""
    can = user.has_perm
    again = (
        _("The recipient may receive it twice, and it may be charged twice.")
        if message.state in (*WAITING, S.UNKNOWN, S.SUBMITTED)
        else _("This sends a new message, which is charged again.")
    )
    accept = (
        _("Send again despite a possible duplicate")
        if message.state == S.UNKNOWN
        else _("Send again")
    )
    has, has_not, console = SETTLE_REASONS.items()
    return {
        "may_settle": can("messaging.resolve_message"),
        "may_repeat": can("messaging.send_message") and can_repeat(message),
        "settle_dialogs": [
            {"outcome": "sent", "title": _("Mark as sent"), "reasons": [has, console]},
            {"outcome": "not_sent", "title": _("Mark as not sent"), "reasons": [has_not, console]},
        ],
        "reveal_reasons": list(REVEAL_REASONS.items()),
        "again_warning": again,
        "again_button": accept,
        "form_token": new_form_token(),
    }


def _poll_every(message: Message) -> int | None:
    """Return the seconds until the page polls again; None if nothing can change any more."""
    if message.state not in WAITING | {S.SUBMITTED, S.IN_TRANSIT, S.UNKNOWN}:
        return None
    if message.state == S.SUBMITTED and not gives_reports(message.account):
        return None
    return poll_interval(message.created_at)


def _allowed_actions(message: Message, user: User | AnonymousUser) -> dict[str, bool]:
    """Return which actions this person may take on the message now."""
    can = user.has_perm
    free = not is_on_hold(message)
    return {
        "reveal": may_reveal(Message, user),
        "settle": message.state == S.UNKNOWN and can("messaging.resolve_message"),
        "release": message.state == S.HELD and free and can("messaging.send_message"),
        "cancel": message.state in (S.QUEUED, S.HELD, S.SCHEDULED)
        and free
        and can("messaging.cancel_message"),
        "again": message.state in REPEATABLE
        and can_repeat(message)
        and can("messaging.send_message")
        and (message.state != S.UNKNOWN or can("messaging.resolve_message")),
        "send": can("messaging.send_message"),
    }


Column = Callable[[Message], SafeString]
LONGEST_LINE: Final = 200
"""Characters of a text in the list, more than the widest screen shows."""


def recipient_column(reader: User | AnonymousUser) -> Column:
    """Build the list's column of numbers and texts, masked for this reader."""

    def recipient(message: Message) -> SafeString:
        whole = may_see_whole(message, reader)
        return format_html(
            '{} <bdi class="one-line" dir="auto">{}</bdi>',
            linked_number(message.recipient, whole=whole),
            line_of(message, whole=whole)[:LONGEST_LINE],
        )

    recipient.short_description = _("Recipient / text")  # type: ignore[attr-defined]
    return recipient


def line_of(message: Message, *, whole: bool) -> str:
    """Return the text, or the reason of a message that failed."""
    if message.state in (S.REFUSED, S.NOT_SENT) and message.reason and not message.settled_at:
        return title_of(message)
    return shown_text(message, whole=whole)
