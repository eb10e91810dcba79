"""The labels of the states of an export, and why one was stopped."""

from __future__ import annotations

from typing import Final

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from core.admin.export_jobs.limits import Reason, State
from core.admin.labels import Role, StateLabel, register_states

LABELS: Final = {
    State.WAITING: StateLabel(
        pgettext_lazy("export", "Waiting"),
        Role.INFO,
        "schedule",
        _("The file has not been started."),
    ),
    State.RUNNING: StateLabel(
        pgettext_lazy("export", "In progress"), Role.INFO, "sync", _("The file is being written.")
    ),
    State.READY: StateLabel(
        pgettext_lazy("export", "Ready"),
        Role.SUCCESS,
        "download",
        _("The file is complete. Only you can download it."),
    ),
    State.CANCELLED: StateLabel(
        pgettext_lazy("export", "Cancelled"),
        Role.NEUTRAL,
        "cancel",
        _("You cancelled it. What was written has been deleted."),
    ),
    State.STOPPED: StateLabel(
        pgettext_lazy("export", "Stopped"),
        Role.DANGER,
        "error",
        _("The file could not be completed. What was written has been deleted."),
    ),
    State.ENDED: StateLabel(
        pgettext_lazy("export", "Deleted"), Role.NEUTRAL, "delete", _("The file has been deleted.")
    ),
}
REASONS: Final[dict[str, Promise]] = {
    Reason.RIGHTS: _("Your permissions changed while it was written. Ask for it again."),
    Reason.SPACE: _(
        "The file is larger than the space that the portal keeps for you. Narrow the list, or"
        " delete other files."
    ),
    Reason.ERROR: _("Writing it failed several times. Ask for it again, or tell an administrator."),
    Reason.LIST: _("The list no longer has these filters. Export it from the list again."),
}


def register() -> None:
    register_states("export", {str(value): label for value, label in LABELS.items()})
