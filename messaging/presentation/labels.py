"""Labels for the states of a message.

Some labels are derived from more than the state. They are derived here, so that filters, exports
and pages agree."""

from __future__ import annotations

from datetime import timedelta

from django.conf import settings
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from core.admin.labels import Role, StateLabel, register_states
from providers import clock
from providers.gateway.registry import clients
from providers.models import Account

from ..models import Message
from ..on_hold import ON_HOLD, is_on_hold, not_on_hold, on_hold
from ..states import MessageState

S = MessageState

NO_REPORTS = "submitted_no_reports"
REPORT_OVERDUE = "submitted_no_report"
MARKED_SENT = "submitted_marked"

LABELS = {
    S.SCHEDULED: StateLabel(
        _("Scheduled"), Role.INFO, "calendar_clock", _("Goes out at the set time.")
    ),
    S.HELD: StateLabel(
        _("Needs a go-ahead"),
        Role.WARNING,
        "front_hand",
        _("Waits for a person: approval, or it waited too long."),
    ),
    ON_HOLD: StateLabel(
        _("On hold"),
        Role.WARNING,
        "front_hand",
        _("It waited when a hold began and may have been sent before. A manager decides."),
    ),
    S.QUEUED: StateLabel(_("Waiting"), Role.INFO, "schedule", _("Not handed over yet.")),
    S.CLAIMED: StateLabel(_("Waiting"), Role.INFO, "schedule", _("Taken up, not handed over yet.")),
    S.SENDING: StateLabel(
        _("Sending"), Role.INFO, "send", _("The call to the provider is under way.")
    ),
    S.SUBMITTED: StateLabel(
        _("Accepted, waiting for report"),
        Role.INFO,
        "outbound",
        _("The provider took it; delivery is not reported yet."),
    ),
    NO_REPORTS: StateLabel(
        _("Accepted (no reports)"),
        Role.NEUTRAL,
        "check",
        _("Last thing that can be known: this provider sends no reports."),
    ),
    REPORT_OVERDUE: StateLabel(
        _("No report"),
        Role.WARNING,
        "hourglass_disabled",
        _("Nothing was reported in all the time that it is waited for."),
    ),
    MARKED_SENT: StateLabel(
        _("Sent (marked)"), Role.NEUTRAL, "how_to_reg", _("A person found that it went out.")
    ),
    S.IN_TRANSIT: StateLabel(
        _("On its way"),
        Role.INFO,
        "outbound",
        _("The network has it; arrival is not reported yet."),
    ),
    S.DELIVERED: StateLabel(
        _("Delivered"), Role.SUCCESS, "done_all", _("The network reports arrival.")
    ),
    S.UNDELIVERED: StateLabel(
        _("Not delivered"),
        Role.DANGER,
        "sms_failed",
        _("Accepted, but did not arrive; usually charged."),
    ),
    S.EXPIRED: StateLabel(
        _("Expired on the way"), Role.DANGER, "timer_off", _("The phone was not reached in time.")
    ),
    S.REJECTED: StateLabel(
        _("Rejected on the way"),
        Role.DANGER,
        "block",
        _("Accepted by the provider, rejected by the network; usually charged."),
    ),
    S.REFUSED: StateLabel(_("Refused"), Role.DANGER, "block", _("The provider did not take it.")),
    S.UNKNOWN: StateLabel(
        _("Outcome unknown"),
        Role.WARNING,
        "help",
        _("It may or may not have been sent; never repeated by itself."),
    ),
    S.NOT_SENT: StateLabel(
        _("Not sent"),
        Role.NEUTRAL,
        "person_off",
        _(
            "It never went out: the provider could not be reached, it was too late, or a"
            " person found so."
        ),
    ),
    S.CANCELLED: StateLabel(
        _("Cancelled"), Role.NEUTRAL, "cancel", _("Stopped before it was handed over.")
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
    without_reports = [key for key, client in clients().items() if not client.reports_delivery]
    oldest = clock.now() - _report_wait()
    overdue = Q(answered_at__lte=oldest) | Q(answered_at=None, handed_over_at__lte=oldest)
    unsettled = Q(state=S.SUBMITTED) & (Q(settled_at=None) | ~Q(reported_at=None))
    match shown:
        case "submitted":
            return unsettled & ~Q(account__provider__in=without_reports) & ~overdue
        case "submitted_no_reports":
            return unsettled & Q(account__provider__in=without_reports)
        case "submitted_no_report":
            return unsettled & ~Q(account__provider__in=without_reports) & overdue
        case "submitted_marked":
            return Q(state=S.SUBMITTED, reported_at=None) & ~Q(settled_at=None)
        case "on_hold":
            return on_hold()
        case "queued":
            return Q(state__in=(S.QUEUED, S.CLAIMED)) & not_on_hold()
        case "held" | "scheduled":
            return Q(state=shown) & not_on_hold()
        case _:
            return Q(state=shown)
