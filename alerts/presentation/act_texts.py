"""The sentences of acts on alerts. None of them has an address."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from core.act_sentences import Area, describe

from ..kinds import BY_KEY


def _title(key: object) -> object:
    kind = BY_KEY.get(str(key))
    return kind.title if kind else key


def register() -> None:
    shown = {"kind": _title}
    rules = {
        "alert_rule.add": _("Added an alert rule: %(kind)s"),
        "alert_rule.change": _("Changed an alert rule: %(kind)s"),
        "alert_rule.remove": _("Removed an alert rule: %(kind)s"),
        "alert_rule.on": _("Switched an alert rule on: %(kind)s"),
        "alert_rule.off": _("Switched an alert rule off: %(kind)s"),
        "alert_rule.mute": _("Muted an alert rule: %(kind)s, hours: %(hours)s"),
    }
    for what, text in rules.items():
        describe(what, Area.OTHER, text, shown=shown)
    describe("alert_receiver.add", Area.OTHER, _("Added a receiver of alerts"))
    describe("alert_receiver.change", Area.OTHER, _("Changed a receiver of alerts"))
    describe("alert_receiver.remove", Area.OTHER, _("Removed a receiver of alerts"))
    describe("alert_receiver.test", Area.OTHER, _("Sent a test to a receiver of alerts"))
    describe("alerts.mute", Area.OTHER, _("Muted all alerts, hours: %(hours)s"))
    describe("alerts.ping", Area.OTHER, _("Changed the address of the ping"))
    describe("alerts.ping_off", Area.OTHER, _("Switched the ping off"))
