"""The labels of the states of an erasure."""

from __future__ import annotations

from typing import Final

from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from core.admin.labels import Role, StateLabel, register_states

from ..states import ErasureState

LABELS: Final = {
    ErasureState.WAITING: StateLabel(
        pgettext_lazy("erasure", "Waiting"),
        Role.INFO,
        "schedule",
        _("The portal will continue automatically."),
    ),
    ErasureState.RUNNING: StateLabel(
        pgettext_lazy("erasure", "In progress"),
        Role.INFO,
        "sync",
        _("The number is being searched for and erased."),
    ),
    ErasureState.UNDER_WAY: StateLabel(
        pgettext_lazy("erasure", "Waits for something under way"),
        Role.WARNING,
        "hourglass_top",
        _("Something with this number has not ended. The portal looks again every 10 minutes."),
    ),
    ErasureState.DONE: StateLabel(
        pgettext_lazy("erasure", "Erased"),
        Role.SUCCESS,
        "check_circle",
        _("The last search of all tables found the number nowhere."),
    ),
    ErasureState.STOPPED: StateLabel(
        pgettext_lazy("erasure", "Stopped"),
        Role.NEUTRAL,
        "cancel",
        _("What was erased before stays erased. The rest was left."),
    ),
}


def register() -> None:
    register_states("erasure", {str(value): label for value, label in LABELS.items()})
