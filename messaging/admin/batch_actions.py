"""Actions on one batch: check, confirm, pause, continue, cancel, resend, report."""

from __future__ import annotations

from typing import Final
from urllib.parse import urlencode

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.shortcuts import render
from django.utils.translation import gettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _

from core.acts import record_act
from core.admin.actions import ObjectAction
from core.admin.buttons import Crumb
from core.admin.export_slots import claim_slot
from core.admin.exports import Column, export, requested_format
from core.admin.pages import current_user
from core.stored_texts import Stored, StoredText
from core.visibility import may_export_whole
from providers.approvals.rules import ApprovalNeeded
from providers.daily_limits import LimitReached
from providers.limit_texts import limit_text

from .. import log_texts
from ..batches import create, lifecycle, resend
from ..models import Batch, StagedRow
from ..presentation import row_texts
from .actions import ON_HOLD_TEXT
from .batch_approval import request_approval
from .batch_page import context_of, fingerprint
from .recheck_form import RecheckForm

CHECKED_AGAIN: Final = _(
    "This batch has been checked again since you opened it. Review it before sending."
)
LONGEST_ID: Final = 40


class BatchAction(ObjectAction[Batch]):
    permission_required = "messaging.bulk_message"

    def report_result(
        self, batch: Batch, done: bool, logged: StoredText | Stored, success_text: str
    ) -> HttpResponse:
        if done:
            self.log(batch, logged.store() if isinstance(logged, StoredText) else logged)
            messages.success(self.request, success_text)
        elif batch.is_on_hold:
            messages.warning(self.request, ON_HOLD_TEXT)
        else:
            messages.warning(
                self.request, gettext("No change: the batch is already in another state.")
            )
        return self.back_to(batch)


class CheckPage(BatchAction):
    """Reads the batch again in another way, or with another text."""

    def post(self, request: HttpRequest, object_id: str) -> HttpResponse:
        batch = self.find(object_id)
        form = RecheckForm(request.POST, batch=batch)
        if not form.is_valid():
            return self._page(batch, form)
        again = create.recheck(
            batch,
            text=form.cleaned_data["text"],
            number_column=form.column,
            choices=form.choices,
            by=current_user(request),
        )
        if again:
            self.log(batch, log_texts.BATCH_CHECKED_AGAIN.store())
        else:
            messages.warning(request, _("No change: the batch is already in another state."))
        return self.back_to(batch)

    def _page(self, batch: Batch, form: RecheckForm) -> HttpResponse:
        """The check page with what was typed, and what is wrong beside its field."""
        context = {
            **self.model_admin.admin_site.each_context(self.request),
            "object": batch,
            "title": str(batch),
            "trail": [self.model_admin.list_crumb(), Crumb(str(batch))],
            **context_of(self.model_admin, self.request, batch),
            "form": form,
            "check_form": form,
        }
        return render(self.request, "messaging/batches/batch.html", context)


class AcceptPage(BatchAction):
    """Records that staff confirmed each warning, and goes on to the confirm page."""

    def post(self, request: HttpRequest, object_id: str) -> HttpResponse:
        batch = self.find(object_id)
        ticked = request.POST.getlist("warning")
        if batch.state != lifecycle.B.READY or request.POST.get("seen") != fingerprint(batch):
            messages.warning(request, CHECKED_AGAIN)
            return self.back_to(batch)
        if not lifecycle.accept_warnings(batch, ticked):
            messages.warning(request, _("Tick each warning before you continue."))
            query = urlencode([("warning", one) for one in ticked if len(one) <= LONGEST_ID])
            return HttpResponseRedirect(f"{self.model_admin.object_url(batch)}?{query}")
        self.log(batch, log_texts.WARNINGS_CONFIRMED.store())
        return HttpResponseRedirect(self.model_admin.object_url(batch, "confirm"))


class PausePage(BatchAction):
    def post(self, request: HttpRequest, object_id: str) -> HttpResponse:
        batch = self.find(object_id)
        success_text = gettext("Paused. Messages already being submitted will still go out.")
        done = lifecycle.pause(batch, current_user(request))
        return self.report_result(batch, done, log_texts.BATCH_PAUSED, success_text)


class ContinuePage(BatchAction):
    def post(self, request: HttpRequest, object_id: str) -> HttpResponse:
        batch = self.find(object_id)
        try:
            done = lifecycle.resume(batch, current_user(request))
        except LimitReached as limit:
            messages.error(request, limit_text(limit))
            return self.back_to(batch)
        except ApprovalNeeded:
            # It was paused before its start, and is beyond a limit by now.
            if request_approval(request, batch, None):
                return self.back_to(batch)
            done = False
        success_text = gettext("Sending resumed.")
        return self.report_result(batch, done, _continued(batch), success_text)


def _continued(batch: Batch) -> StoredText | Stored:
    """What the log says; `batch` is as it was before. Its row no longer knows who paused it."""
    if batch.paused_at is None or batch.paused_by_id is not None:
        return log_texts.BATCH_CONTINUED
    return log_texts.BATCH_CONTINUED_AFTER.store(
        paused_at=batch.paused_at.isoformat(), reason=batch.reason
    )


class UnschedulePage(BatchAction):
    def post(self, request: HttpRequest, object_id: str) -> HttpResponse:
        batch = self.find(object_id)
        success_text = gettext("Schedule removed. The batch will not start automatically.")
        done = lifecycle.unschedule(batch)
        return self.report_result(batch, done, log_texts.BATCH_UNSCHEDULED, success_text)


class CancelBatchPage(BatchAction):
    def post(self, request: HttpRequest, object_id: str) -> HttpResponse:
        batch = self.find(object_id)
        done = lifecycle.cancel(batch, current_user(request))
        success_text = (
            gettext(
                "Cancelled. Nothing more will be sent; waiting messages end with an unknown"
                " outcome."
            )
            if batch.is_on_hold
            else gettext(
                "Cancelled. Messages already sent cannot be recalled; the rest will not be sent."
            )
        )
        return self.report_result(batch, done, log_texts.BATCH_CANCELLED, success_text)


class ResendPage(BatchAction):
    """Creates a batch of the undelivered messages; it is checked and confirmed like any other."""

    def post(self, request: HttpRequest, object_id: str) -> HttpResponse:
        batch = self.find(object_id)
        token = request.POST.get("form_token", "")[:64]
        if not token or batch.state not in (lifecycle.B.FINISHED, lifecycle.B.CANCELLED):
            messages.warning(request, _("Wait until this batch has finished."))
            return self.back_to(batch)
        resent = resend.resend_batch(batch, current_user(request), token)
        self.log(batch, log_texts.BATCH_SENT_AGAIN.store(id=resent.public_id))
        # The confirm page waits until its recipients are read.
        return HttpResponseRedirect(self.model_admin.object_url(resent, "confirm"))


class ReportPage(BatchAction):
    """Downloads the rows that cannot be sent, so that staff can correct the file."""

    http_method_names = ["get"]

    def get(self, request: HttpRequest, object_id: str) -> HttpResponseBase:
        batch = self.find(object_id)
        whole = may_export_whole(batch, request.user)
        format_ = requested_format(request)
        rows = StagedRow.objects.filter(batch=batch).exclude(verdict=StagedRow.Verdict.GOOD)
        slot = claim_slot(request)
        self.log(batch, log_texts.REPORT_DOWNLOADED.store(), is_act=False)
        record_act(
            "export",
            by=current_user(request),
            subject=f"batch:{batch.pk}",
            rows=StagedRow._meta.label_lower,
            count=rows.count(),
            whole=whole,
        )
        columns = (
            Column(pgettext_lazy("column", "Row"), lambda row: row.number),
            Column(_("Value in file"), lambda row: row_texts.typed_text(row, whole=whole)),
            Column(pgettext_lazy("column", "Result"), lambda row: row.get_verdict_display()),
            Column(
                pgettext_lazy("column", "Reason"),
                lambda row: row_texts.problem_text(row, batch.account, whole=whole),
            ),
        )
        return export("batch-report", columns, rows.order_by("pk").iterator(), format_, slot)
