"""The form that starts a batch, now or at a time."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from django import forms
from django.utils import timezone
from django.utils.translation import gettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminTextInputWidget

from core.local_time import missing_time_text, moments_at
from core.times import full_time
from providers import clock

MAX_SCHEDULE_AHEAD: Final = timedelta(days=90)


DAY_FORMATS: Final = ("%Y-%m-%d", "%Y/%m/%d", "%Y.%m.%d", "%Y年%m月%d日")
CLOCK_FORMATS: Final = ("%H:%M", "%H.%M", "%H：%M", "%H%M", "%H:%M:%S")


class StartForm(forms.Form):
    """The fields are the portal's own: a browser writes dates and hours as its country does."""

    error_css_class = "has-error"

    occurrences: Sequence[tuple[str, str]] = ()
    """The two moments of a time that occurs twice on that day, for the person to choose."""
    when = forms.ChoiceField(
        choices=[("now", pgettext_lazy("choice", "Now")), ("later", _("Scheduled for"))],
        initial="now",
    )
    day = forms.DateField(
        label=pgettext_lazy("field", "Date"),
        required=False,
        input_formats=DAY_FORMATS,
        help_text=_("Year-month-day, such as 2026-03-31."),
        widget=UnfoldAdminTextInputWidget({"autocomplete": "off", "maxlength": 20}),
        error_messages={"invalid": _("Enter the date as year-month-day, such as 2026-03-31.")},
    )
    clock = forms.TimeField(
        label=pgettext_lazy("field", "Time"),
        required=False,
        input_formats=CLOCK_FORMATS,
        help_text=_("24 hours, such as 09:30 or 18:00."),
        widget=UnfoldAdminTextInputWidget({"autocomplete": "off", "maxlength": 20}),
        error_messages={"invalid": _("Enter the time from 00:00 to 23:59, such as 18:00.")},
    )
    occurrence = forms.CharField(required=False, max_length=40)
    """Of a time that occurs twice: the chosen moment, as its button submits it."""
    confirmed = forms.CharField(required=False, max_length=24)
    seen = forms.CharField(required=False, max_length=64)
    """Fingerprint of the findings on the page, so that staff start only what they have seen."""
    ask = forms.BooleanField(required=False)
    """The page said that a second person must agree, and the button asks for that."""
    why = forms.CharField(label=pgettext_lazy("field", "Reason"), required=False, max_length=200)
    """Why approval is requested, for the person who decides."""

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        cleaned["at"] = None
        if cleaned.get("when") != "later":
            # These fields are not shown then.
            self.errors.pop("day", None)
            self.errors.pop("clock", None)
            return cleaned
        if self.errors:
            return cleaned
        if not cleaned.get("day"):
            self.add_error("day", gettext("Enter a date."))
        if not cleaned.get("clock"):
            self.add_error("clock", gettext("Enter a time."))
        if self.errors:
            return cleaned
        at = self._moment(datetime.combine(cleaned["day"], cleaned["clock"]))
        if at is None:
            return cleaned
        now = clock.now()
        if at <= now:
            self.add_error("clock", gettext("This time has passed. Choose a later time."))
        if at > now + MAX_SCHEDULE_AHEAD:
            self.add_error("day", gettext("Choose a time within 90 days."))
        cleaned["at"] = at
        return cleaned

    @property
    def proposed_day(self) -> str:
        """The typed day, or today."""
        return str(self["day"].value() or timezone.localdate().isoformat())

    def _moment(self, local: datetime) -> datetime | None:
        """The moment that is meant, or None with an error beside the time."""
        moments = moments_at(local)
        if not moments:
            self.add_error("clock", missing_time_text(local))
            return None
        if len(moments) == 1:
            return moments[0]
        self.occurrences = [(one.isoformat(), full_time(one)) for one in moments]
        chosen = [one for one in moments if one.isoformat() == self.cleaned_data["occurrence"]]
        if not chosen:
            self.add_error("clock", gettext("This time occurs twice on that day. Choose one."))
            return None
        return chosen[0]
