"""Labels of the states of accounts and callbacks, of outcomes and of operations."""

from __future__ import annotations

from typing import Final

from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from core.admin.labels import Role, StateLabel, register_states

ACCOUNT: Final = {
    "active": StateLabel(
        pgettext_lazy("state", "Active"), Role.SUCCESS, "check_circle", _("Ready to use.")
    ),
    "paused": StateLabel(
        pgettext_lazy("state", "Paused"),
        Role.DANGER,
        "pause_circle",
        _("Sending is stopped; see the reason."),
    ),
    "waiting": StateLabel(
        _("Rate limited"), Role.WARNING, "timer", _("The provider asked to slow down.")
    ),
    "low": StateLabel(
        _("Low balance"), Role.WARNING, "account_balance_wallet", _("Below your threshold.")
    ),
    "unchecked": StateLabel(
        _("Not checked"), Role.NEUTRAL, "rule", _("Connection not checked yet.")
    ),
}
CALLBACK: Final = {
    "received": StateLabel(
        _("Not processed yet"), Role.INFO, "inbox", _("Received; will be processed shortly.")
    ),
    "applied": StateLabel(
        pgettext_lazy("callback", "Applied"),
        Role.SUCCESS,
        "check_circle",
        _("The state was updated or confirmed."),
    ),
    "unmatched": StateLabel(
        pgettext_lazy("callback", "Unmatched"),
        Role.WARNING,
        "link_off",
        _("No matching message. Retried for one day, then left to staff."),
    ),
    "unrecognised": StateLabel(
        pgettext_lazy("callback", "Unrecognised"),
        Role.WARNING,
        "indeterminate_question_box",
        _("Contains an unknown status or format."),
    ),
    "conflict": StateLabel(
        pgettext_lazy("callback", "Conflict"),
        Role.WARNING,
        "sync_problem",
        _("Contradicts the known state; not applied."),
    ),
}
HOST: Final = {
    "running": StateLabel(
        pgettext_lazy("host", "Running"),
        Role.SUCCESS,
        "check_circle",
        pgettext_lazy("host", "Reporting."),
    ),
    "silent": StateLabel(
        pgettext_lazy("host", "Not seen"),
        Role.WARNING,
        "signal_disconnected",
        _("No longer reporting, and no stop was reported."),
    ),
    "stopped": StateLabel(
        pgettext_lazy("host", "Stopped"),
        Role.NEUTRAL,
        "stop_circle",
        _("Stopped normally."),
    ),
}

OUTCOME: Final = {
    "done": StateLabel(
        pgettext_lazy("call", "Done"),
        Role.SUCCESS,
        "check_circle",
        _("The provider carried it out."),
    ),
    "not_done": StateLabel(
        _("Not done"), Role.NEUTRAL, "do_not_disturb_on", _("It was certainly not carried out.")
    ),
    "refused": StateLabel(
        pgettext_lazy("call", "Refused"), Role.DANGER, "block", _("The provider refused.")
    ),
    "unknown": StateLabel(
        pgettext_lazy("call", "Unknown"),
        Role.WARNING,
        "help",
        _("It may or may not have been carried out."),
    ),
}

OPERATIONS: Final = {
    "send_text": _("Send SMS"),
    "send_code": _("Send code"),
    "start_code": _("Send code"),
    "check_code": _("Check code"),
    "place_order": _("Rent a number"),
    "fetch_order": _("Get order"),
    "cancel_order": _("Cancel order"),
    "list_orders": _("List orders"),
    "list_transactions": _("List transactions"),
    "fetch_balance": _("Read balance"),
    "fetch_profile": _("Read profile"),
}
"""Keyed by the method of a capability. An operation without a label is shown by its name."""
FREE_OPERATIONS: Final = frozenset(
    {"fetch_order", "list_orders", "list_transactions", "fetch_balance", "fetch_profile"}
)


def operation_label(operation: str) -> str:
    return str(OPERATIONS.get(operation, operation))


def register() -> None:
    register_states("account", ACCOUNT)
    register_states("callback", CALLBACK)
    register_states("api_call", OUTCOME)
    register_states("host", HOST)
