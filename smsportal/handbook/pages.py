"""The pages of the handbook, its search and its pictures, for every member of staff."""

from __future__ import annotations

from typing import Any, Final

from django.http import Http404, HttpRequest, HttpResponse
from django.urls import URLPattern, path, reverse
from django.utils.safestring import mark_safe
from django.utils.translation import pgettext_lazy
from django.views.decorators.http import require_safe
from django.views.generic import TemplateView
from unfold.sites import UnfoldAdminSite

from core.admin.buttons import Crumb
from core.admin.pages import Page
from core.admin.too_long import length_problem

from . import shelf
from .explained import shelf_language

TITLE: Final = pgettext_lazy("title", "Handbook")
MAX_SEARCHED: Final = 100
"""Characters of a search."""


class HandbookPage(Page, TemplateView):
    """The list of pages, and what a search found in them."""

    title = TITLE
    template_name = "portal/handbook.html"
    http_method_names = ["get"]

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        language = shelf_language()
        searched = self.request.GET.get("q", "").strip()
        too_long = length_problem(searched, MAX_SEARCHED)
        leaves = shelf.leaves(language).values()
        return {
            **super().get_context_data(**kwargs),
            "shelf": [
                (title, [leaf for leaf in leaves if leaf.part == part])
                for part, title in shelf.PARTS.items()
            ],
            "searched": searched,
            "too_long": too_long,
            "hits": shelf.find(searched, language) if searched and not too_long else [],
        }


class LeafPage(HandbookPage):
    """One page of the handbook."""

    template_name = "portal/handbook_page.html"

    def setup(self, request: HttpRequest, *args: Any, **kwargs: Any) -> None:
        super().setup(request, *args, **kwargs)
        name = f"{kwargs['part']}/{kwargs['name']}"
        leaf = shelf.leaves(shelf_language()).get(name)
        if leaf is None:
            raise Http404
        self.leaf = leaf

    def get_title(self) -> str:
        return self.leaf.title

    def get_trail(self) -> list[Crumb]:
        return [Crumb(TITLE, reverse("admin:handbook")), Crumb(self.leaf.title)]

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        html = shelf.html_of(self.leaf.name, shelf_language())
        return {
            **super().get_context_data(**kwargs),
            "leaf": self.leaf,
            # From our own files; raw HTML in them is escaped (`markdown.py`).
            "html": mark_safe(html),  # noqa: S308
        }


@require_safe
def picture(_request: HttpRequest, language: str, name: str) -> HttpResponse:
    found = shelf.pictures().get(f"{language}/{name}")
    if found is None:
        raise Http404
    return HttpResponse(found.read_bytes(), content_type="image/png")


def handbook_urls(site: UnfoldAdminSite) -> list[URLPattern]:
    view = site.admin_view
    return [
        path("handbook/", view(HandbookPage.as_view()), name="handbook"),
        path(
            "handbook/pictures/<str:language>/<slug:name>/", view(picture), name="handbook_picture"
        ),
        path("handbook/<slug:part>/<slug:name>/", view(LeafPage.as_view()), name="handbook_page"),
    ]
