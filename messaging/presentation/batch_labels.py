"""Labels for the states of a batch."""

from __future__ import annotations

from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from core.admin.labels import Role, StateLabel, register_states

from ..batches.states import BatchState
from ..models import Batch

B = BatchState
BLOCKED = "blocked"

LABELS = {
    B.READING: StateLabel(_("Reading"), Role.INFO, "sync", _("The recipients are being read.")),
    B.UNREADABLE: StateLabel(
        _("Cannot be read"),
        Role.DANGER,
        "error",
        _("The file has a problem; nothing was sent."),
    ),
    B.READY: StateLabel(
        pgettext_lazy("batch", "Ready"), Role.INFO, "fact_check", _("Checked; waits for you.")
    ),
    B.SCHEDULED: StateLabel(
        _("Scheduled"), Role.INFO, "calendar_clock", _("Starts at the set time.")
    ),
    B.SENDING: StateLabel(
        pgettext_lazy("batch", "Sending"), Role.INFO, "send", _("Messages go out now.")
    ),
    B.PAUSED: StateLabel(
        pgettext_lazy("batch", "Paused"),
        Role.WARNING,
        "pause_circle",
        _("Nothing goes out until somebody continues it."),
    ),
    BLOCKED: StateLabel(
        _("Stopped by the account"),
        Role.DANGER,
        "block",
        _("The account is paused; the rest waits."),
    ),
    B.FINISHED: StateLabel(
        _("Finished"), Role.NEUTRAL, "task_alt", _("All have left; the figures say how it went.")
    ),
    B.CANCELLED: StateLabel(
        _("Cancelled"), Role.NEUTRAL, "cancel", pgettext_lazy("batch", "The rest was stopped.")
    ),
}


def register() -> None:
    register_states("batch", {str(value): label for value, label in LABELS.items()})


def shown_state(batch: Batch) -> str:
    """Return the key of the batch's label: its state, or `blocked` by a paused account."""
    if batch.state == B.SENDING and batch.account.is_paused:
        return BLOCKED
    return batch.state


def where_shown(shown: str) -> Q:
    """Select the batches whose label is `shown`, for filters."""
    stopped = Q(account__paused_at__isnull=False)
    if shown == BLOCKED:
        return Q(state=B.SENDING) & stopped
    if shown == B.SENDING:
        return Q(state=B.SENDING) & ~stopped
    return Q(state=shown)
