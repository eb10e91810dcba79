"""Context of a session's page and of its live fragment."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.contrib.auth.models import AnonymousUser, User
from django.http import HttpRequest
from django.utils import timezone

from core.admin.live import poll_interval
from core.admin.pages import new_form_token
from core.admin.protocols import ModelPages
from core.admin.reasons import REVEAL_REASONS
from core.countries import country_name
from core.masking import number_url, shown_number
from core.punctuation import with_detail
from core.visibility import may_reveal, may_see_whole
from messaging.models import Message
from messaging.on_hold import ON_HOLD
from messaging.presentation.explanations import is_doubtful
from messaging.presentation.labels import shown_state as message_state
from providers.engine.leases import is_engine_alive
from providers.models import Account

from .. import limits
from ..models import Session
from ..presentation import status_texts
from ..presentation.labels import shown_state
from ..presentation.timeline import timeline
from ..routes import channels_to, preview_text, route_for_resend, unavailable_reason
from ..states import OPEN, UNDER_WAY, SessionState
from .send_page import accounts_for_codes

S = SessionState


def context_of(admin: ModelPages, request: HttpRequest, session: Session) -> dict[str, Any]:
    user = request.user
    whole = may_see_whole(session, user)
    return {
        "object": session,
        "whole": whole,
        "number": shown_number(session.recipient, whole=whole),
        "number_url": number_url(session.recipient),
        "country": country_name(session.country),
        "zone": timezone.get_current_timezone_name(),
        "others": resend_routes(session) if user.has_perm("otp.send_code") else [],
        "reveal_reasons": list(REVEAL_REASONS.items()),
        **live_context(admin, request, session),
    }


def live_context(admin: ModelPages, request: HttpRequest, session: Session) -> dict[str, Any]:
    """Context of the part that changes while the page is open."""
    user = request.user
    code = session.newest_code()
    last = session.attempts.select_related("sent_code").last()
    shown = shown_state(session)
    is_open = shown in OPEN or shown == ON_HOLD
    waiting = last is not None and last.state in UNDER_WAY
    # If the answer to the last try was lost it may still arrive, so this is not the end yet.
    no_tries = is_open and not waiting and session.tries_left <= 0
    names = ("live", "check", "again", "cancel", "reveal")
    return {
        "object": session,
        "code": code,
        "shown_state": shown,
        "is_open": is_open,
        "waiting": waiting,
        "time_left": session.seconds_left,
        "tries_left": status_texts.tries_left(session),
        "desk_open": is_open and not no_tries,
        "message_state": message_state(code.message),
        "verdict": status_texts.verdict(session, last, code, user),
        "sending": status_texts.sending_status(session, code, user),
        "is_doubtful": is_doubtful(code.message) or no_tries,
        "end": status_texts.out_of_tries()
        if no_tries
        else status_texts.end_status(session, code, user),
        "evidence": "" if waiting else status_texts.evidence_text(session),
        "customer_hint": status_texts.customer_hint(session, code),
        "gap": limits.gap_left(session.recipient) if is_open else 0,
        "lines": timeline(session, with_messages=user.has_perm("messaging.view_message")),
        "poll_every": _poll_every(session, is_open=is_open, waiting=waiting),
        "asleep": (waiting or shown == S.PENDING) and not is_engine_alive(),
        "may": _permissions(user),
        "urls": {name: admin.object_url(session, name) for name in names},
        "check_token": new_form_token(),
        "again_token": new_form_token(),
    }


def _poll_every(session: Session, *, is_open: bool, waiting: bool) -> int | None:
    """Seconds until the page polls again; None once nothing can change any more."""
    if not is_open:
        return None
    return 1 if waiting else poll_interval(session.created_at)


@dataclass(frozen=True, slots=True)
class ResendRoute:
    """Another route for a new code. `value` is what its button submits."""

    value: str
    label: str
    text: str
    """The text of the SMS, with dots for the code; empty if the provider writes it."""


def resend_routes(session: Session) -> list[ResendRoute]:
    """Routes over all other accounts that can send there now, and other channels of this one."""
    last = session.newest_code().message
    return [
        _resend_route(last, account, session.text, channel)
        for account in accounts_for_codes()
        if not unavailable_reason(account, session.country)
        for channel in channels_to(account, session.country) or [""]
        if (account.pk, channel) != (last.account_id, last.channel)
    ]


def _resend_route(last: Message, account: Account, text: str, channel: str) -> ResendRoute:
    route = route_for_resend(last, account, text, channel)
    return ResendRoute(
        value=f"{account.public_id}:{channel}" if channel else account.public_id,
        label=with_detail(account.name, channel) if channel else account.name,
        text=preview_text(route),
    )


def _permissions(user: User | AnonymousUser) -> dict[str, bool]:
    can = user.has_perm
    return {
        "send": can("otp.send_code"),
        "check": can("otp.check_code"),
        "cancel": can("otp.cancel_code"),
        "reveal": may_reveal(Session, user),
    }
