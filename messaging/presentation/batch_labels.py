"""Labels for the states of a batch."""

from __future__ import annotations

from django.db.models import Q
from django.utils.translation import gettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _

from core.admin.labels import Role, StateLabel, register_states
from core.money_lines import MoneyLine
from core.times import short_time
from providers.error_texts import Explanation

from ..batches.states import ENDED, BatchState
from ..models import Batch
from ..on_hold import ON_HOLD

B = BatchState
BLOCKED = "blocked"

LABELS = {
    B.READING: StateLabel(
        pgettext_lazy("batch", "Reading"), Role.INFO, "sync", _("Reading recipients.")
    ),
    B.UNREADABLE: StateLabel(
        _("Cannot be read"),
        Role.DANGER,
        "error",
        _("The file has a problem; nothing was sent."),
    ),
    B.READY: StateLabel(
        pgettext_lazy("batch", "Ready"), Role.INFO, "fact_check", _("Checked and ready to send.")
    ),
    B.AWAITING_APPROVAL: StateLabel(
        _("Waiting for approval"), Role.WARNING, "approval", _("A second person must agree.")
    ),
    B.REJECTED: StateLabel(
        pgettext_lazy("approval", "Rejected"),
        Role.DANGER,
        "block",
        _("A second person did not agree. Change it and request approval again."),
    ),
    B.SCHEDULED: StateLabel(
        pgettext_lazy("batch", "Scheduled"),
        Role.INFO,
        "calendar_clock",
        _("Starts at the set time."),
    ),
    B.SENDING: StateLabel(
        pgettext_lazy("batch", "Sending"), Role.INFO, "send", _("Messages are being sent.")
    ),
    B.PAUSED: StateLabel(
        pgettext_lazy("batch", "Paused"),
        Role.WARNING,
        "pause_circle",
        _("Sending is stopped until someone continues the batch."),
    ),
    ON_HOLD: StateLabel(
        _("On hold"),
        Role.WARNING,
        "front_hand",
        _("It is from before a hold and may have been sent then. A manager decides."),
    ),
    BLOCKED: StateLabel(
        _("Stopped: account paused"),
        Role.DANGER,
        "block",
        _("The account is paused; the remaining messages are waiting."),
    ),
    B.FINISHED: StateLabel(
        pgettext_lazy("batch", "Finished"),
        Role.NEUTRAL,
        "task_alt",
        _("All messages have been processed. See the figures for results."),
    ),
    B.CANCELLED: StateLabel(
        pgettext_lazy("batch", "Cancelled"),
        Role.NEUTRAL,
        "cancel",
        pgettext_lazy("batch", "The remaining messages were cancelled."),
    ),
}


def register() -> None:
    register_states("batch", {str(value): label for value, label in LABELS.items()})


def shown_state(batch: Batch) -> str:
    """Return the key of the batch's label: its state, `on_hold`, or `blocked` by a paused
    account."""
    if batch.is_on_hold:
        return ON_HOLD
    if batch.state == B.SENDING and batch.account.is_paused:
        return BLOCKED
    return batch.state


def explain_hold(batch: Batch) -> Explanation:
    began = short_time(batch.hold.started_at) if batch.hold else ""
    values = {"time": began}
    text = (
        gettext(
            "This database shows no start. It may have been started before the hold of %(time)s."
        )
        if batch.started_at is None
        else gettext(
            "This database shows it unfinished. The rest may have been sent before the hold of"
            " %(time)s."
        )
    )
    return Explanation(
        gettext("It is not known what of this batch was sent."),
        text % values,
        gettext("It continues only after a manager releases it."),
        MoneyLine.UNKNOWN,
    )


def where_shown(shown: str) -> Q:
    """Select the batches whose label is `shown`, for filters."""
    stopped = Q(account__paused_at__isnull=False)
    held = Q(hold__isnull=False) & ~Q(state__in=ENDED)
    if shown == ON_HOLD:
        return held
    if shown == BLOCKED:
        return Q(state=B.SENDING) & stopped & ~held
    if shown == B.SENDING:
        return Q(state=B.SENDING) & ~stopped & ~held
    return Q(state=shown) & ~held
