"""The sentences of acts on alerts. None of them has an address."""

from __future__ import annotations

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from core.act_sentences import Area, describe

from ..kinds import BY_KEY


def _title(key: object) -> object:
    kind = BY_KEY.get(str(key))
    return kind.title if kind else key


def register() -> None:
    shown = {"kind": _title}
    rules: dict[str, tuple[Promise, ...]] = {
        "add": (_("Added an alert rule: %(kind)s"), _("Added an alert rule")),
        "change": (_("Changed an alert rule: %(kind)s"), _("Changed an alert rule")),
        "remove": (_("Removed an alert rule: %(kind)s"), _("Removed an alert rule")),
        "on": (_("Switched an alert rule on: %(kind)s"), _("Switched an alert rule on")),
        "off": (_("Switched an alert rule off: %(kind)s"), _("Switched an alert rule off")),
        "mute": (
            _("Muted an alert rule: %(kind)s, hours: %(hours)s"),
            _("Muted an alert rule: %(kind)s"),
            _("Muted an alert rule"),
        ),
        "unmute": (_("Unmuted an alert rule: %(kind)s"), _("Unmuted an alert rule")),
    }
    for verb, texts in rules.items():
        describe(f"alert_rule.{verb}", Area.OTHER, *texts, shown=shown)
    describe("alert_receiver.add", Area.OTHER, _("Added a receiver of alerts"))
    describe("alert_receiver.change", Area.OTHER, _("Changed a receiver of alerts"))
    describe("alert_receiver.remove", Area.OTHER, _("Removed a receiver of alerts"))
    describe("alert_receiver.test", Area.OTHER, _("Sent a test to a receiver of alerts"))
    describe(
        "alerts.mute", Area.OTHER, _("Muted all alerts, hours: %(hours)s"), _("Muted all alerts")
    )
    describe("alerts.unmute", Area.OTHER, _("Unmuted all alerts"))
    describe("alerts.ping", Area.OTHER, _("Changed the address of the ping"))
    describe("alerts.ping_off", Area.OTHER, _("Switched the ping off"))
