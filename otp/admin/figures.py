"""Figures of the filtered sessions by account, country and hour."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.utils.formats import date_format
from django.utils.translation import pgettext_lazy
from django.views.generic import TemplateView

from core.admin.changelist import open_changelist
from core.admin.pages import ObjectPage
from core.countries import country_name

from ..conversion import MAX_ROWS, funnel_of, tables_of
from ..models import Session
from .filters import period_of


class FiguresPage(ObjectPage[Session], TemplateView):
    title = pgettext_lazy("title", "Figures")
    permission_required = "otp.view_session"
    template_name = "otp/figures.html"
    http_method_names = ["get"]

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        return self.render_to_response(self.get_context_data())

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        shown = open_changelist(self.model_admin, self.request)
        rows = shown.queryset
        tables = tables_of(rows)
        named = [
            (
                pgettext_lazy("column", "Account"),
                [(line.key, line.funnel) for line in tables["account"]],
            ),
            (
                pgettext_lazy("column", "Country/region"),
                [(country_name(line.key), line.funnel) for line in tables["country"]],
            ),
            (
                pgettext_lazy("column", "Hour"),
                [(date_format(line.key, "Y-m-d H:i"), line.funnel) for line in tables["hour"]],
            ),
        ]
        return super().get_context_data(
            funnel=funnel_of(rows),
            period=period_of(shown),
            tables=named,
            most=MAX_ROWS,
            query=self.request.GET.urlencode(),
            **kwargs,
        )
