"""The labels of the states of a sent alert."""

from __future__ import annotations

from typing import Final

from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from core.admin.labels import Role, StateLabel, register_states

from ..states import DeliveryState

LABELS: Final = {
    DeliveryState.WAITING: StateLabel(
        pgettext_lazy("alert", "Waiting"),
        Role.INFO,
        "schedule",
        _("It is sent within a minute, or tried again after a failure."),
    ),
    DeliveryState.SENDING: StateLabel(
        pgettext_lazy("alert", "Sending"), Role.INFO, "sync", _("It is being sent now.")
    ),
    DeliveryState.DELIVERED: StateLabel(
        pgettext_lazy("alert", "Delivered"),
        Role.SUCCESS,
        "check_circle",
        _("The server of the receiver accepted it. Whether anyone read it is not known."),
    ),
    DeliveryState.FAILED: StateLabel(
        pgettext_lazy("alert", "Failed"),
        Role.DANGER,
        "error",
        _("Every try failed. No one was notified."),
    ),
    DeliveryState.UNCLEAR: StateLabel(
        pgettext_lazy("alert", "Unclear"),
        Role.WARNING,
        "help",
        _("The portal stopped while it was being sent. It may have arrived."),
    ),
}


def register() -> None:
    register_states("alert", {str(value): label for value, label in LABELS.items()})
