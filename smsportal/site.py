"""The portal's admin site, and its pages that belong to no model."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, URLResolver, path
from django.utils.functional import SimpleLazyObject
from django.utils.translation import pgettext_lazy
from unfold.sites import UnfoldAdminSite


class PortalSite(UnfoldAdminSite):
    index_title = pgettext_lazy("title", "Dashboard")
    index_template = "portal/dashboard.html"
    login_template = "registration/sign_in.html"
    empty_value_display = ""
    enable_nav_sidebar = True

    def get_urls(self) -> list[URLPattern | URLResolver]:
        from core.admin.changelist import cache_headers
        from providers.admin.hold_pages import hold_urls

        from .banners import banner_zone
        from .hosts_page import hosts_urls
        from .sandbox_pages import sandbox_urls

        cache_headers()
        custom = [path("banner/", banner_zone, name="banner"), *sandbox_urls(self)]
        return [*custom, *hold_urls(self), *hosts_urls(self), *super().get_urls()]

    def get_app_list(self, request: HttpRequest, app_label: str | None = None) -> Any:
        """The app list, built on first use.

        Django passes it to every page, but hardly any page renders it, because the portal has its
        own navigation.
        """
        build = super().get_app_list
        return SimpleLazyObject(lambda: build(request, app_label))

    def index(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        from .dashboard import dashboard_context

        answer: HttpResponse = super().index(
            request, {**dashboard_context(request), **(extra_context or {})}
        )
        return answer

    def search(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        # The theme does not validate the page number in the URL.
        query = request.GET.copy()
        query.pop("page", None)
        request.GET = query  # type: ignore[assignment]
        answer: HttpResponse = super().search(request, extra_context)
        return answer
