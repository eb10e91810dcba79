"""The confirm page of a batch, from which staff start or schedule it."""

from __future__ import annotations

from datetime import datetime
from typing import Final
from urllib.parse import urlencode

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext, ngettext, pgettext
from django.utils.translation import gettext_lazy as _

from core.admin.buttons import Crumb
from core.admin.pages import current_user, require
from core.times import full_time
from core.visibility import may_see_whole
from providers.approvals.rules import ApprovalNeeded
from providers.daily_limits import LimitReached
from providers.limit_texts import concerns_recipient, limit_text

from .. import log_texts, queue_message
from ..batches import lifecycle
from ..batches.duplicates import overlap_of, recent_duplicate
from ..models import Batch
from .actions import ON_HOLD_TEXT
from .batch_actions import CHECKED_AGAIN, BatchAction
from .batch_approval import approval_context, is_asked, request_approval
from .batch_check import reading_context
from .batch_page import context_of, estimate_of, fingerprint, preview_of
from .start_form import StartForm
from .trial_send import TrialForm, trial_context

START: Final = {"when": "now", "day": "", "clock": ""}
"""What the form for the start holds at first."""


def _typed(values: QueryDict) -> dict[str, str]:
    """What was typed about the start in the other form of the page."""
    return {name: values.get(name, usual)[:20] for name, usual in START.items()}


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


def _not_ready_text(batch: Batch) -> str:
    if batch.state in (lifecycle.B.AWAITING_APPROVAL, lifecycle.B.REJECTED):
        return gettext(
            "No change: the batch waits for approval, or was rejected. Nothing was sent."
        )
    return gettext("This batch has already started. Nothing was sent twice.")


class ConfirmPage(BatchAction):
    """Shows the estimate and the warnings, and starts or schedules the batch."""

    http_method_names = ["get", "post"]

    def get(self, request: HttpRequest, object_id: str) -> HttpResponse:
        batch = self.find(object_id)
        if batch.state == lifecycle.B.READING and batch.source == Batch.Source.AGAIN:
            return self._wait(batch)
        if batch.state != lifecycle.B.READY or batch.is_on_hold or not batch.good:
            return self.back_to(batch)
        if not batch.is_accepted:
            messages.warning(request, _("Tick each warning before you continue."))
            return self.back_to(batch)
        return self._page(batch, StartForm(initial=_typed(request.GET)))

    def post(self, request: HttpRequest, object_id: str) -> HttpResponse:
        batch = self.find(object_id)
        if batch.is_on_hold:
            messages.warning(request, ON_HOLD_TEXT)
            return self.back_to(batch)
        if batch.state != lifecycle.B.READY:
            messages.warning(request, str(_not_ready_text(batch)))
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
        return self._start_as_typed(batch, form)

    def _start_as_typed(self, batch: Batch, form: StartForm) -> HttpResponse:
        """Start or schedule it, or request approval; the page again if it may do neither."""
        at = form.cleaned_data["at"]
        if form.cleaned_data["ask"]:
            if not is_asked(form, batch, current_user(self.request)):
                return self._page(batch, form)
            if request_approval(self.request, batch, at, form.cleaned_data["why"]):
                return self.back_to(batch)
            return self.report_result(batch, False, log_texts.BATCH_STARTED, "")
        try:
            return self._start(batch, at)
        except LimitReached as limit:
            form.add_error(None, limit_text(limit))
            return self._page(batch, form)
        except ApprovalNeeded:
            # The page says which limit is passed, and offers to request approval.
            return self._page(batch, form)

    def _wait(self, batch: Batch) -> HttpResponse:
        """The page while recipients are read. It opens this address again once they are."""
        admin = self.model_admin
        context = {
            **admin.admin_site.each_context(self.request),
            "object": batch,
            "title": str(batch),
            "trail": [admin.list_crumb(), Crumb(str(batch))],
            **context_of(admin, self.request, batch),
        }
        return render(self.request, "messaging/batches/batch.html", context)

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

    def _page(
        self, batch: Batch, form: StartForm, test_form: TrialForm | None = None
    ) -> HttpResponse:
        index = test_form.row if test_form else 0
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
            "urls": {
                name: self.model_admin.object_url(batch, name)
                for name in ("row", "test", "confirm")
            },
            "preview": preview_of(batch, index, self.request.user),
            **trial_context(self.request, batch, test_form),
            "seen": fingerprint(batch),
            **reading_context(batch, whole=may_see_whole(batch, self.request.user)),
            "zone": timezone.get_current_timezone_name(),
            **estimate_of(batch, self.request.user),
            **approval_context(self.request, batch, form),
        }
        return render(self.request, "messaging/batches/confirm.html", context)


class TrialPage(ConfirmPage):
    """Sends a test of the batch, and shows the confirm page again."""

    http_method_names = ["get", "post"]

    def get(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return self._back_to_confirm(self.find(object_id))

    def _back_to_confirm(self, batch: Batch) -> HttpResponse:
        """The confirm page with what was typed there."""
        typed = _typed(self.request.POST)
        query = urlencode({name: value for name, value in typed.items() if value != START[name]})
        url = self.model_admin.object_url(batch, "confirm")
        return HttpResponseRedirect(f"{url}?{query}" if query else url)

    def post(self, request: HttpRequest, object_id: str) -> HttpResponse:
        require(request, "messaging.send_message")
        batch = self.find(object_id)
        if batch.state != lifecycle.B.READY or batch.is_on_hold or not batch.is_accepted:
            messages.warning(request, _("No change: the batch is already in another state."))
            return self.back_to(batch)
        by = current_user(request)
        form = TrialForm(request.POST, batch=batch, reader=by)
        start = StartForm(initial=_typed(request.POST))
        if not form.is_valid():
            return self._page(batch, start, form)
        token = form.cleaned_data["form_token"]
        if form.needs_confirmation and not queue_message.was_sent(token, by):
            return self._page(batch, start, form)
        try:
            message, created = queue_message.queue(form.draft, by=by, form_token=token)
        except LimitReached as limit:
            form.add_error("recipient" if concerns_recipient(limit) else None, limit_text(limit))
            return self._page(batch, start, form)
        if created:
            self.log(batch, log_texts.BATCH_TESTED.store(id=message.public_id))
            messages.success(request, _("The test is on its way. Its state is shown below."))
        else:
            messages.warning(
                request,
                _("This test was already submitted at %(time)s. Nothing was sent twice.")
                % {"time": full_time(message.created_at)},
            )
        return self._back_to_confirm(batch)
