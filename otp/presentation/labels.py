"""Labels for the states of a code session, shared by lists, filters and exports."""

from __future__ import annotations

from django.db.models import Exists, OuterRef, Q, QuerySet
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from core.admin.labels import Role, StateLabel, register_states
from messaging.models import Message
from messaging.on_hold import ON_HOLD, is_on_hold, on_hold

from ..models import SentCode, Session
from ..states import OPEN, SessionState

S = SessionState

LABELS = {
    S.PENDING: StateLabel(
        pgettext_lazy("state", "Sending"),
        Role.INFO,
        "schedule_send",
        _("The SMS is being submitted to the provider."),
    ),
    ON_HOLD: StateLabel(
        _("On hold"),
        Role.WARNING,
        "front_hand",
        _("The SMS waited when a hold began and may have been sent before."),
    ),
    S.SEND_UNKNOWN: StateLabel(
        _("Send outcome unknown"),
        Role.WARNING,
        "help",
        _("It is not known whether the SMS was sent."),
    ),
    S.SENT: StateLabel(
        _("Waiting for the code"),
        Role.INFO,
        "pin",
        _("Sent. Waiting for the customer to read out the code."),
    ),
    S.CHECK_UNKNOWN: StateLabel(
        _("Check result unknown"),
        Role.WARNING,
        "help",
        _("The provider's answer to the check was not received."),
    ),
    S.VERIFIED: StateLabel(
        pgettext_lazy("state", "Verified"),
        Role.SUCCESS,
        "how_to_reg",
        _("The correct code was given in time."),
    ),
    S.FAILED: StateLabel(
        pgettext_lazy("code session", "Failed"),
        Role.DANGER,
        "gpp_bad",
        _("No tries left, or the SMS was not sent."),
    ),
    S.EXPIRED: StateLabel(
        pgettext_lazy("state", "Expired"),
        Role.NEUTRAL,
        "timer_off",
        _("The code is no longer valid."),
    ),
    S.CANCELLED: StateLabel(
        pgettext_lazy("state", "Cancelled"),
        Role.NEUTRAL,
        "cancel",
        _("Cancelled by staff. The code no longer works."),
    ),
}


def register() -> None:
    register_states("session", {str(value): label for value, label in LABELS.items()})


def shown_state(session: Session) -> str:
    """The state to display. A session that is due shows as expired even before it is updated."""
    if session.state in OPEN and session.seconds_left <= 0:
        return S.EXPIRED
    if session.state == S.PENDING and is_on_hold(_newest_message(session)):
        return ON_HOLD
    return session.state


def _newest_message(session: Session) -> Message:
    listed: list[SentCode] | None = getattr(session, "all_codes", None)
    return listed[-1].message if listed else session.newest_code().message


def where_shown(shown: str) -> Q:
    """Filter for the sessions that are displayed with the state `shown`."""
    due = Q(state__in=sorted(OPEN), expires_at__lte=Now())
    if shown == S.EXPIRED:
        return Q(state=S.EXPIRED) | due
    held = Q(Exists(_codes_on_hold()), state=S.PENDING)
    if shown == ON_HOLD:
        return held & ~due
    if shown == S.PENDING:
        return Q(state=shown) & ~due & ~held
    return Q(state=shown) & ~due if shown in OPEN else Q(state=shown)


def shown_parts(shown: str) -> list[Q]:
    """`where_shown` as disjoint conditions, each of which an index serves."""
    if shown != S.EXPIRED:
        return [where_shown(shown)]
    due = [Q(state=state, expires_at__lte=Now()) for state in sorted(OPEN)]
    return [Q(state=S.EXPIRED), *due]


def _codes_on_hold() -> QuerySet[SentCode]:
    newer = SentCode.objects.filter(session=OuterRef("session"), serial__gt=OuterRef("serial"))
    held = Message.objects.filter(on_hold(), pk=OuterRef("message"))
    return SentCode.objects.filter(~Exists(newer), Exists(held), session=OuterRef("pk"))
