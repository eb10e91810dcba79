"""Labels for the states of a message.

Some labels are derived from more than the state. They are derived here, so that filters, exports
and pages agree."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from core.admin.labels import Role, StateLabel, register_states
from core.fixed_moment import fixed_or
from providers import clock
from providers.gateway.registry import clients
from providers.gateway.vocabulary import SmsKind
from providers.models import Account

from ..models import Message
from ..on_hold import ON_HOLD, is_on_hold, not_on_hold, on_hold, on_hold_parts
from ..states import MessageState

S = MessageState

NO_REPORTS = "submitted_no_reports"
REPORT_OVERDUE = "submitted_no_report"
MARKED_SENT = "submitted_marked"

SMS_KINDS: dict[str, Any] = {
    SmsKind.TRANSACTIONAL: pgettext_lazy("choice", "Transactional"),
    SmsKind.MARKETING: pgettext_lazy("choice", "Marketing"),
}
"""The kinds of a text by the provider's letter (HAORUI, `sms_type`)."""

LABELS = {
    S.SCHEDULED: StateLabel(
        pgettext_lazy("state", "Scheduled"),
        Role.INFO,
        "calendar_clock",
        _("Will be sent at the scheduled time."),
    ),
    S.HELD: StateLabel(
        _("Needs confirmation"),
        Role.WARNING,
        "front_hand",
        _("Needs a decision: approval is required, or it waited too long."),
    ),
    ON_HOLD: StateLabel(
        _("On hold"),
        Role.WARNING,
        "front_hand",
        _("It was waiting when a hold began and may have been sent earlier. A manager decides."),
    ),
    S.QUEUED: StateLabel(
        pgettext_lazy("state", "Waiting"),
        Role.INFO,
        "schedule",
        _("Not submitted to the provider yet."),
    ),
    S.CLAIMED: StateLabel(
        pgettext_lazy("state", "Waiting"),
        Role.INFO,
        "schedule",
        _("Being prepared; not submitted to the provider yet."),
    ),
    S.SENDING: StateLabel(
        pgettext_lazy("state", "Sending"), Role.INFO, "send", _("Being submitted to the provider.")
    ),
    S.SUBMITTED: StateLabel(
        _("Accepted, waiting for report"),
        Role.INFO,
        "outbound",
        _("Accepted by the provider; no delivery report yet."),
    ),
    NO_REPORTS: StateLabel(
        _("Accepted (no reports)"),
        Role.NEUTRAL,
        "check",
        _("Final known state: this provider sends no delivery reports."),
    ),
    REPORT_OVERDUE: StateLabel(
        _("No report"),
        Role.WARNING,
        "hourglass_disabled",
        _("No delivery report arrived within the waiting period."),
    ),
    MARKED_SENT: StateLabel(
        _("Sent (set by hand)"),
        Role.NEUTRAL,
        "how_to_reg",
        _("Confirmed as sent by a staff member."),
    ),
    S.IN_TRANSIT: StateLabel(
        _("In transit"),
        Role.INFO,
        "outbound",
        _("The network has accepted it; no delivery report yet."),
    ),
    S.DELIVERED: StateLabel(
        pgettext_lazy("state", "Delivered"),
        Role.SUCCESS,
        "done_all",
        _("The network reported delivery."),
    ),
    S.UNDELIVERED: StateLabel(
        _("Not delivered"),
        Role.DANGER,
        "sms_failed",
        _("Accepted but not delivered; usually charged."),
    ),
    S.EXPIRED: StateLabel(
        _("Expired before delivery"),
        Role.DANGER,
        "timer_off",
        _("The phone could not be reached in time."),
    ),
    S.REJECTED: StateLabel(
        _("Rejected by the network"),
        Role.DANGER,
        "block",
        _("Accepted by the provider, rejected by the network; usually charged."),
    ),
    S.REFUSED: StateLabel(
        pgettext_lazy("state", "Refused"),
        Role.DANGER,
        "block",
        _("The provider did not accept it."),
    ),
    S.UNKNOWN: StateLabel(
        _("Outcome unknown"),
        Role.WARNING,
        "help",
        _("It may or may not have been sent. The portal never resends it automatically."),
    ),
    S.NOT_SENT: StateLabel(
        _("Not sent"),
        Role.NEUTRAL,
        "person_off",
        _(
            "Never sent: the provider could not be reached, the time limit passed, or a"
            " staff member confirmed it."
        ),
    ),
    S.CANCELLED: StateLabel(
        pgettext_lazy("state", "Cancelled"),
        Role.NEUTRAL,
        "cancel",
        _("Cancelled before it was submitted."),
    ),
}


def register() -> None:
    register_states("message", {str(value): label for value, label in LABELS.items()})


def gives_reports(account: Account) -> bool:
    client = account.client
    return client is not None and client.reports_delivery


def shown_state(message: Message) -> str:
    """Return the key of the message's label."""
    if is_on_hold(message):
        return ON_HOLD
    if message.state != S.SUBMITTED:
        return message.state
    if message.settled_at is not None and message.reported_at is None:
        return MARKED_SENT
    if not gives_reports(message.account):
        return NO_REPORTS
    since = message.answered_at or message.handed_over_at
    if since and clock.now() - since > _report_wait():
        return REPORT_OVERDUE
    return message.state


def _report_wait() -> timedelta:
    return timedelta(hours=settings.REPORT_HOURS)


def where_shown(shown: str) -> Q:
    """Select the messages whose label is `shown`, for filters."""
    match shown:
        case "submitted" | "submitted_no_reports" | "submitted_no_report":
            return _unsettled(shown) & Q(account__in=_accounts_of(shown))
        case "submitted_marked":
            return Q(state=S.SUBMITTED, reported_at=None) & Q(settled_at__isnull=False)
        case "on_hold":
            return on_hold()
        case "queued":
            return Q(state__in=(S.QUEUED, S.CLAIMED)) & not_on_hold()
        case "held" | "scheduled":
            return Q(state=shown) & not_on_hold()
        case _:
            return Q(state=shown)


def shown_parts(shown: str) -> list[Q]:
    """`where_shown` as disjoint conditions, each of which an index serves."""
    match shown:
        case "submitted" | "submitted_no_reports" | "submitted_no_report":
            unsettled = _unsettled(shown)
            return [unsettled & Q(account=pk) for pk in _accounts_of(shown)]
        case "on_hold":
            return on_hold_parts()
        case "queued":
            return [Q(state=state) & not_on_hold() for state in (S.QUEUED, S.CLAIMED)]
        case _:
            return [where_shown(shown)]


def _unsettled(shown: str) -> Q:
    """Accepted messages without a final result, apart from which accounts they belong to."""
    unsettled = Q(state=S.SUBMITTED) & (Q(settled_at=None) | ~Q(reported_at=None))
    if shown == NO_REPORTS:
        return unsettled
    oldest = fixed_or(clock.now()) - _report_wait()
    overdue = Q(answered_at__lte=oldest) | Q(answered_at=None, handed_over_at__lte=oldest)
    return unsettled & (overdue if shown == REPORT_OVERDUE else ~overdue)


def _accounts_of(shown: str) -> list[int]:
    """The accounts whose provider sends delivery reports, or the others."""
    reporting = shown != NO_REPORTS
    reported = {key for key, client in clients().items() if client.reports_delivery}
    known = Account.objects.order_by("pk").values_list("pk", "provider")
    return [pk for pk, provider in known if (provider in reported) == reporting]
