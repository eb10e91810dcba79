"""What staff do with a batch: check, confirm, pause, continue, cancel, send again."""

from __future__ import annotations

import hashlib
import json
from datetime import datetime, timedelta
from typing import Any, Final

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from core.admin.actions import ObjectAction
from core.admin.buttons import Crumb
from core.admin.exports import Column, export, format_of
from core.admin.pages import current_user
from providers.daily_limits import LimitReached
from providers.limit_texts import limit_text

from ..batches import create, lifecycle, resend
from ..batches.duplicates import earlier_like, overlap_of
from ..models import Batch, StagedRow
from ..presentation import row_texts
from .batch_forms import CheckAgainForm
from .batch_page import estimate_of, may_see_whole

FURTHEST: Final = timedelta(days=90)


class BatchAction(ObjectAction[Batch]):
    permission_required = "messaging.bulk_message"

    def done_or_late(self, batch: Batch, done: bool, log: str, said: str) -> HttpResponse:
        if done:
            self.log(batch, log)
            messages.success(self.request, said)
        else:
            messages.warning(self.request, gettext("Nothing was changed: it has moved on."))
        return self.back_to(batch)


class CheckPage(BatchAction):
    """Read it again with another column or another text."""

    def post(self, request: HttpRequest, object_id: str) -> HttpResponse:
        batch = self.find(object_id)
        form = CheckAgainForm(request.POST, batch=batch)
        if not form.is_valid():
            for problem in (problem for field in form.errors.values() for problem in field):
                messages.error(request, str(problem))
            return self.back_to(batch)
        if not create.check_again(batch, **form.cleaned_data):
            messages.warning(request, _("Nothing was changed: it has moved on."))
        return self.back_to(batch)


class StartForm(forms.Form):
    when = forms.ChoiceField(choices=[("now", _("Now")), ("later", _("On"))], initial="now")
    day = forms.DateField(label=_("Day"), required=False)
    clock = forms.TimeField(label=_("Time"), required=False)
    confirmed = forms.CharField(required=False, max_length=24)
    seen = forms.CharField(required=False, max_length=64)
    """Which check_summary stood on the page: nobody starts what they have not had before them."""

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        cleaned["at"] = None
        if cleaned.get("when") != "later" or self.errors:
            return cleaned
        if not cleaned.get("day"):
            self.add_error("day", gettext("Enter the day."))
        if not cleaned.get("clock"):
            self.add_error("clock", gettext("Enter the time."))
        if self.errors:
            return cleaned
        at = timezone.make_aware(datetime.combine(cleaned["day"], cleaned["clock"]))
        now = timezone.now()
        if at <= now:
            self.add_error("day", gettext("This time is over. Choose a later one."))
        if at > now + FURTHEST:
            self.add_error("day", gettext("Choose a time within 90 days."))
        cleaned["at"] = at
        return cleaned


def fingerprint(batch: Batch) -> str:
    check_summary = json.dumps(batch.check_summary, sort_keys=True)
    return hashlib.sha256(check_summary.encode()).hexdigest()


def _knows(confirmed: str, batch: Batch) -> bool:
    """Whether staff have seen what went out already, and want it all the same."""
    earlier = earlier_like(batch)
    if earlier is not None:
        return confirmed == earlier.public_id
    overlap = overlap_of(batch)
    known = int(confirmed) if confirmed.isascii() and confirmed.isdigit() else 0
    return overlap is None or overlap.count <= known


class ConfirmPage(BatchAction):
    """What it will come to, and the one button that starts it."""

    http_method_names = ["get", "post"]

    def get(self, request: HttpRequest, object_id: str) -> HttpResponse:
        batch = self.find(object_id)
        if batch.state != lifecycle.B.READY or not batch.good:
            return self.back_to(batch)
        return self._page(batch, StartForm())

    def post(self, request: HttpRequest, object_id: str) -> HttpResponse:
        batch = self.find(object_id)
        if batch.state != lifecycle.B.READY:
            messages.warning(request, _("This batch was already started; nothing was sent twice."))
            return self.back_to(batch)
        form = StartForm(request.POST)
        if not form.is_valid():
            return self._page(batch, form)
        if form.cleaned_data["seen"] != fingerprint(batch):
            form.add_error(
                None, gettext("This batch was checked again meanwhile. Look at it anew.")
            )
            return self._page(batch, form)
        if not _knows(form.cleaned_data["confirmed"], batch):
            return self._page(batch, form)
        try:
            return self._go(batch, form.cleaned_data["at"])
        except LimitReached as limit:
            form.add_error(None, limit_text(limit))
            return self._page(batch, form)

    def _go(self, batch: Batch, at: datetime | None) -> HttpResponse:
        by = current_user(self.request)
        if at is not None:
            said = gettext("Scheduled.")
            return self.done_or_late(batch, lifecycle.schedule(batch, by, at), "Scheduled", said)
        said = ngettext(
            "%(count)d message is on its way.", "%(count)d messages are on their way.", batch.good
        ) % {"count": batch.good}
        return self.done_or_late(batch, lifecycle.start(batch, by), "Started", said)

    def _page(self, batch: Batch, form: StartForm) -> HttpResponse:
        context = {
            **self.model_admin.admin_site.each_context(self.request),
            "title": gettext("Confirm"),
            "trail": [
                self.model_admin.list_crumb(),
                Crumb(str(batch), self.model_admin.object_url(batch)),
                Crumb(gettext("Confirm")),
            ],
            "batch": batch,
            "form": form,
            "back": self.model_admin.object_url(batch),
            "seen": fingerprint(batch),
            "zone": timezone.get_current_timezone_name(),
            **estimate_of(batch),
        }
        return render(self.request, "messaging/batches/confirm.html", context)


class PausePage(BatchAction):
    def post(self, request: HttpRequest, object_id: str) -> HttpResponse:
        batch = self.find(object_id)
        said = gettext("Paused. The few calls that are under way end.")
        return self.done_or_late(
            batch, lifecycle.pause(batch, current_user(request)), "Paused", said
        )


class ContinuePage(BatchAction):
    def post(self, request: HttpRequest, object_id: str) -> HttpResponse:
        batch = self.find(object_id)
        try:
            done = lifecycle.go_on(batch, current_user(request))
        except LimitReached as limit:
            messages.error(request, limit_text(limit))
            return self.back_to(batch)
        return self.done_or_late(batch, done, "Continued", gettext("It goes on."))


class UnschedulePage(BatchAction):
    def post(self, request: HttpRequest, object_id: str) -> HttpResponse:
        batch = self.find(object_id)
        said = gettext("It will not start by itself any more.")
        return self.done_or_late(batch, lifecycle.unschedule(batch), "Not scheduled any more", said)


class CancelBatchPage(BatchAction):
    def post(self, request: HttpRequest, object_id: str) -> HttpResponse:
        batch = self.find(object_id)
        done = lifecycle.cancel(batch, current_user(request))
        said = gettext("Cancelled. What is out stays out; the rest will not be sent.")
        return self.done_or_late(batch, done, "Cancelled", said)


class AgainPage(BatchAction):
    """A new batch of what was not delivered; it is checked and confirmed like any other."""

    def post(self, request: HttpRequest, object_id: str) -> HttpResponse:
        batch = self.find(object_id)
        token = request.POST.get("form_token", "")[:64]
        if not token or batch.state not in (lifecycle.B.FINISHED, lifecycle.B.CANCELLED):
            messages.warning(request, _("Wait until this batch is over."))
            return self.back_to(batch)
        made = resend.of_batch(batch, current_user(request), token)
        self.log(batch, f"Sent again as {made.public_id}")
        return self.back_to(made)


class ReportPage(BatchAction):
    """The rows that cannot be sent, to mend the file by."""

    http_method_names = ["get"]

    def get(self, request: HttpRequest, object_id: str) -> HttpResponseBase:
        batch = self.find(object_id)
        whole = may_see_whole(batch, request.user) or request.user.has_perm(
            "messaging.reveal_message"
        )
        format_ = format_of(request)
        rows = StagedRow.objects.filter(batch=batch).exclude(verdict=StagedRow.Verdict.GOOD)
        self.log(batch, "Report downloaded")
        columns = (
            Column(_("Row"), lambda row: row.number),
            Column(_("In the file"), lambda row: row_texts.shown_typed(row, whole=whole)),
            Column(_("Found"), lambda row: row.get_verdict_display()),
            Column(_("Why"), lambda row: row_texts.problem_text(row, batch.account, whole=whole)),
        )
        return export("batch-report", columns, rows.order_by("pk").iterator(), format_)
