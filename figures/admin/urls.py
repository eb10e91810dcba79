"""Addresses of the pages of figures."""

from __future__ import annotations

from django.urls import URLPattern, path
from unfold.sites import UnfoldAdminSite

from .figures_page import FiguresPage, figures_export
from .scoreboard_page import ScoreboardPage


def figures_urls(site: UnfoldAdminSite) -> list[URLPattern]:
    view = site.admin_view
    return [
        path("figures/", view(FiguresPage.as_view()), name="figures"),
        path("figures/export/", view(figures_export), name="figures_export"),
        path("scoreboard/", view(ScoreboardPage.as_view()), name="scoreboard"),
    ]
