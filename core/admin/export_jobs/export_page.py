"""The page behind the export buttons of a list."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import pgettext_lazy
from django.views.generic import TemplateView

from ..actions import export_filters, log_export
from ..changelist import open_changelist
from ..export_slots import MOST_ROWS, ExportSlot, claim_slot
from ..exports import export, requested_format
from ..list_export import ListExport
from ..list_pages import Count, counted
from ..pages import NeedsPermission, Page, current_user
from ..protocols import ModelPages
from .ask import ask, filter_words
from .limits import KEPT_FOR, AskRefused
from .list_request import list_query, list_request


class ExportPage(Page, TemplateView):
    """GET downloads a short list, and offers a job for a longer one. POST adds the job."""

    title = pgettext_lazy("title", "Export")
    template_name = "portal/export_ask.html"
    http_method_names = ["get", "post"]
    model_admin: ModelPages

    @property
    def declared(self) -> ListExport:
        found = self.model_admin.list_export
        if found is None:
            raise NeedsPermission
        return found

    def has_permission(self) -> bool:
        allowed = self.request.user.has_perm(self.declared.permission)
        return allowed and self.model_admin.has_view_permission(self.request)

    def get_permission_required(self) -> tuple[str, ...]:
        opts = self.model_admin.opts
        return (self.declared.permission, f"{opts.app_label}.view_{opts.model_name}")

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        format_ = requested_format(request)
        slot = claim_slot(request)
        try:
            listed = self._listed(request)
            count = counted(*open_changelist(self.model_admin, listed).parts())
        except BaseException:
            slot.release()
            raise
        if count <= MOST_ROWS:
            return self._download(request, listed, slot, count)
        slot.release()
        context = {
            "count": str(count),
            "most": f"{MOST_ROWS:,}",
            "days": KEPT_FOR.days,
            "format": format_.upper(),
            "list_title": self.model_admin.get_list_title(),
            "filters": filter_words(self.model_admin, listed),
            "list_url": f"{listed.path}?{list_query(request)}",
        }
        return self.render_to_response(self.get_context_data(**context))

    def post(self, request: HttpRequest) -> HttpResponse:
        format_ = requested_format(request)
        listed = self._listed(request)
        open_changelist(self.model_admin, listed)
        words = filter_words(self.model_admin, listed)
        person = current_user(request)
        try:
            ask(self.model_admin, self.declared, person, list_query(request), format_, words)
        except AskRefused as refused:
            messages.error(request, str(refused))
        else:
            text = _("Your export has been added. Its file will be here when it is ready.")
            messages.success(request, text)
        return HttpResponseRedirect(reverse("admin:my_exports"))

    def _listed(self, request: HttpRequest) -> HttpRequest:
        reader = current_user(request)
        return list_request(self.model_admin, reader, list_query(request), original=request)

    def _download(
        self, request: HttpRequest, listed: HttpRequest, slot: ExportSlot, count: Count
    ) -> HttpResponseBase:
        format_ = requested_format(request)
        changelist = open_changelist(self.model_admin, listed)
        logged = self.declared.logged.store(
            format=format_.upper(), count=int(count), filters=export_filters(listed)
        )
        log_export(listed, self.model_admin.model, logged, count=int(count))
        rows = list(changelist.apply_select_related(changelist.queryset)[:MOST_ROWS])
        self.model_admin.prepare_rows(rows)
        columns = self.declared.columns(current_user(request))
        return export(self.declared.name, columns, rows, format_, slot)
