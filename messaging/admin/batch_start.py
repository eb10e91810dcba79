"""The confirm page of a batch, from which staff start or schedule it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext, ngettext, pgettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _

from core.admin.buttons import Crumb
from core.admin.pages import current_user
from core.local_time import missing_time_text, moments_at
from core.times import full_time
from core.visibility import may_see_whole
from providers import clock
from providers.daily_limits import LimitReached
from providers.limit_texts import limit_text

from .. import log_texts
from ..batches import lifecycle
from ..batches.duplicates import overlap_of, recent_duplicate
from ..models import Batch
from .actions import ON_HOLD_TEXT
from .batch_actions import CHECKED_AGAIN, BatchAction
from .batch_check import reading_context
from .batch_page import estimate_of, fingerprint

MAX_SCHEDULE_AHEAD: Final = timedelta(days=90)


class StartForm(forms.Form):
    occurrences: Sequence[tuple[str, str]] = ()
    """The two moments of a time that occurs twice on that day, for the person to choose."""
    when = forms.ChoiceField(
        choices=[("now", pgettext_lazy("choice", "Now")), ("later", _("Scheduled for"))],
        initial="now",
    )
    day = forms.DateField(label=pgettext_lazy("field", "Date"), required=False)
    clock = forms.TimeField(label=pgettext_lazy("field", "Time"), required=False)
    occurrence = forms.CharField(required=False, max_length=40)
    """Of a time that occurs twice: the chosen moment, as its button submits it."""
    confirmed = forms.CharField(required=False, max_length=24)
    seen = forms.CharField(required=False, max_length=64)
    """Fingerprint of the findings on the page, so that staff start only what they have seen."""

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        cleaned["at"] = None
        if cleaned.get("when") != "later" or self.errors:
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
            self.add_error("day", gettext("This time has passed. Choose a later time."))
        if at > now + MAX_SCHEDULE_AHEAD:
            self.add_error("day", gettext("Choose a time within 90 days."))
        cleaned["at"] = at
        return cleaned

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


def _is_confirmed(confirmed: str, batch: Batch) -> bool:
    """Whether staff confirmed the warning about what was sent already, if there is one.

    `confirmed` is the id of the earlier batch, or the number of recipients in the overlap.
    """
    earlier = recent_duplicate(batch)
    if earlier is not None:
        return confirmed == earlier.public_id
    overlap = overlap_of(batch)
    known = int(confirmed) if confirmed.isascii() and confirmed.isdigit() else 0
    return overlap is None or overlap.count <= known


class ConfirmPage(BatchAction):
    """Shows the estimate and the warnings, and starts or schedules the batch."""

    http_method_names = ["get", "post"]

    def get(self, request: HttpRequest, object_id: str) -> HttpResponse:
        batch = self.find(object_id)
        if batch.state != lifecycle.B.READY or batch.is_on_hold or not batch.good:
            return self.back_to(batch)
        if not batch.is_accepted:
            messages.warning(request, _("Tick each warning before you continue."))
            return self.back_to(batch)
        return self._page(batch, StartForm())

    def post(self, request: HttpRequest, object_id: str) -> HttpResponse:
        batch = self.find(object_id)
        if batch.is_on_hold:
            messages.warning(request, ON_HOLD_TEXT)
            return self.back_to(batch)
        if batch.state != lifecycle.B.READY:
            messages.warning(request, _("This batch has already started. Nothing was sent twice."))
            return self.back_to(batch)
        form = StartForm(request.POST)
        if not form.is_valid():
            return self._page(batch, form)
        if form.cleaned_data["seen"] != fingerprint(batch):
            form.add_error(None, CHECKED_AGAIN)
            return self._page(batch, form)
        if not batch.is_accepted:
            messages.warning(request, _("Tick each warning before you continue."))
            return self.back_to(batch)
        if not _is_confirmed(form.cleaned_data["confirmed"], batch):
            return self._page(batch, form)
        try:
            return self._start(batch, form.cleaned_data["at"])
        except LimitReached as limit:
            form.add_error(None, limit_text(limit))
            return self._page(batch, form)

    def _start(self, batch: Batch, at: datetime | None) -> HttpResponse:
        by = current_user(self.request)
        if at is not None:
            success_text = pgettext("notice", "Scheduled.")
            done = lifecycle.schedule(batch, by, at)
            return self.report_result(batch, done, log_texts.BATCH_SCHEDULED, success_text)
        success_text = ngettext(
            "%(count)d message is being sent.", "%(count)d messages are being sent.", batch.good
        ) % {"count": batch.good}
        done = lifecycle.start(batch, by)
        return self.report_result(batch, done, log_texts.BATCH_STARTED, success_text)

    def _page(self, batch: Batch, form: StartForm) -> HttpResponse:
        context = {
            **self.model_admin.admin_site.each_context(self.request),
            "title": pgettext("title", "Confirm"),
            "trail": [
                self.model_admin.list_crumb(),
                Crumb(str(batch), self.model_admin.object_url(batch)),
                Crumb(pgettext("title", "Confirm")),
            ],
            "batch": batch,
            "form": form,
            "back": self.model_admin.object_url(batch),
            "seen": fingerprint(batch),
            **reading_context(batch, whole=may_see_whole(batch, self.request.user)),
            "zone": timezone.get_current_timezone_name(),
            **estimate_of(batch),
        }
        return render(self.request, "messaging/batches/confirm.html", context)
