"""The permissions of this app, and what they allow in words."""

from __future__ import annotations

from typing import Final

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

VIEW_ALERTS: Final = "alerts.view_alerts"
SET_ALERTS: Final = "alerts.set_alerts"
ALERTS: Final = (VIEW_ALERTS, SET_ALERTS)
LABELS: Final[dict[str, Promise]] = {
    "view_alerts": _("See alert rules and sent alerts"),
    "set_alerts": _("Set up alerts and their receivers"),
}
