"""The page of a person's exports: how far each is, and its file."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.shortcuts import render
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy
from django.views.decorators.http import require_GET, require_POST
from django.views.generic import TemplateView
from unfold.sites import UnfoldAdminSite

from core.admin.export_jobs import ask, end, stored_file
from core.admin.export_jobs.limits import (
    KEPT_FOR,
    MOST_BYTES,
    MOST_FILES,
    OPEN,
    AskRefused,
    State,
    jobs_of,
)
from core.admin.exports import Format
from core.admin.pages import NeedsPermission, Page, current_user, fragment
from core.models import ExportJob

from ..export_labels import REASONS

EXPORT_PERMISSIONS: Final = (
    "messaging.export_message",
    "otp.export_session",
    "rentals.export_order",
    "rentals.export_transaction",
    "core.export_list",
)
MOST_SHOWN: Final = 50


@dataclass(frozen=True, slots=True)
class ExportLine:
    """One export as the page shows it."""

    job: ExportJob
    title: str
    waits_for_own: bool
    """Whether an earlier one of the same person is not finished."""
    missing: Sequence[str]
    """The permissions for the file that the person no longer has."""

    @property
    def is_open(self) -> bool:
        return self.job.state in OPEN

    @property
    def is_ready(self) -> bool:
        return self.job.state == State.READY

    @property
    def format(self) -> str:
        return self.job.format.upper()

    @property
    def percent(self) -> int | None:
        """None: not known yet."""
        if not self.job.expected:
            return None
        return min(99, 100 * self.job.rows // self.job.expected)

    @property
    def progress(self) -> str:
        job = self.job
        values = {"rows": f"{job.rows:,}", "expected": f"{max(job.expected or 0, job.rows):,}"}
        if self.is_open and job.expected is not None:
            return _("%(rows)s of about %(expected)s rows") % values
        return _("%(rows)s rows") % values if job.rows or self.is_ready else ""

    @property
    def reason(self) -> str:
        return str(REASONS.get(self.job.reason, ""))

    @property
    def urls(self) -> dict[str, str]:
        return {
            name: reverse(f"admin:my_exports_{name}", args=[self.job.public_id])
            for name in ("file", "cancel", "again")
        }


class MyExportsPage(Page, TemplateView):
    title = pgettext_lazy("title", "My exports")
    template_name = "portal/my_exports.html"
    http_method_names = ["get"]

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(**live_context(self.request), **kwargs)


def live_context(request: HttpRequest) -> dict[str, Any]:
    person = current_user(request)
    lines = []
    earlier_open = False
    for job in reversed(jobs_of(person)[:MOST_SHOWN]):
        admin = ask.admin_of(job.rows_of)
        missing = stored_file.rights_needed(job, person) if job.state == State.READY else ()
        title = admin.get_list_title() if admin is not None else job.rows_of
        lines.append(ExportLine(job, title, earlier_open and job.state in OPEN, missing))
        earlier_open = earlier_open or job.state in OPEN
    return {
        "lines": lines[::-1],
        "poll_every": 2 if earlier_open else None,
        "days": KEPT_FOR.days,
        "most_files": MOST_FILES,
        "most_bytes": MOST_BYTES,
    }


@fragment()
def live(request: HttpRequest) -> HttpResponse:
    return render(request, "portal/my_exports_live.html", live_context(request))


def new_files(request: HttpRequest) -> int:
    """How many files are ready that the person has not downloaded yet."""
    return jobs_of(current_user(request)).filter(state=State.READY, downloads=0).count()


def _own(request: HttpRequest, public_id: str) -> ExportJob:
    """Raises `Http404` for the export of anybody else."""
    found = jobs_of(current_user(request)).filter(public_id=public_id[:24]).first()
    if found is None:
        raise Http404
    return found


@require_GET
def download(request: HttpRequest, public_id: str) -> HttpResponseBase:
    try:
        return stored_file.download(request, _own(request, public_id), current_user(request))
    except stored_file.NoFile:
        messages.warning(request, _("The file is no longer available. Ask for it again."))
        return _back()


@require_POST
def cancel(request: HttpRequest, public_id: str) -> HttpResponse:
    job = _own(request, public_id)
    was_ready = job.state == State.READY
    if end.cancel(job, current_user(request)):
        messages.success(
            request, _("The file was deleted.") if was_ready else _("Export cancelled.")
        )
    else:
        messages.info(request, gettext_lazy("No change: the export has already ended."))
    return _back()


@require_POST
def again(request: HttpRequest, public_id: str) -> HttpResponse:
    """Ask for the same list once more, as of now."""
    job = _own(request, public_id)
    admin, person = ask.admin_of(job.rows_of), current_user(request)
    declared = admin.list_export if admin is not None else None
    if admin is None or declared is None:
        raise Http404
    if not (request.user.has_perm(declared.permission) and admin.has_view_permission(request)):
        raise NeedsPermission(declared.permission)
    query = str(job.query.reveal()) if job.query else ""
    try:
        ask.ask(admin, declared, person, query, Format(job.format), job.filters)
    except AskRefused as refused:
        messages.error(request, str(refused))
    return _back()


def _back() -> HttpResponse:
    return HttpResponseRedirect(reverse("admin:my_exports"))


def my_exports_urls(site: UnfoldAdminSite) -> list[URLPattern]:
    view = site.admin_view
    return [
        path("my-exports/", view(MyExportsPage.as_view()), name="my_exports"),
        path("my-exports/live/", live, name="my_exports_live"),
        path("my-exports/<str:public_id>/file/", view(download), name="my_exports_file"),
        path("my-exports/<str:public_id>/cancel/", view(cancel), name="my_exports_cancel"),
        path("my-exports/<str:public_id>/again/", view(again), name="my_exports_again"),
    ]
