"""The portal's admin site, and its pages that belong to no model."""

from __future__ import annotations

from functools import lru_cache
from http import HTTPStatus
from typing import Any, Final

from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, URLResolver, path, reverse
from django.utils.functional import SimpleLazyObject
from django.utils.module_loading import import_string
from django.utils.translation import pgettext_lazy
from unfold.sites import UnfoldAdminSite

from .handbook.explained import handbook_context
from .own_pages.my_notices import own_context
from .version import portal_version

MAX_SEARCHED: Final = 200
"""Characters of a search."""
MAX_FOUND: Final = 100


@lru_cache(maxsize=1000)
def _names_a_function(value: str) -> bool:
    try:
        import_string(value)
    except ImportError:
        return False
    return True


class PortalSite(UnfoldAdminSite):
    index_title = pgettext_lazy("title", "Dashboard")
    index_template = "portal/dashboard.html"
    login_template = "registration/sign_in.html"
    empty_value_display = ""
    enable_nav_sidebar = True

    def get_urls(self) -> list[URLPattern | URLResolver]:
        from alerts.admin.urls import alerts_urls
        from core.admin.own_list_page import own_list_urls
        from figures.admin.urls import figures_urls
        from lookup.admin.urls import lookup_urls
        from privacy.admin.urls import privacy_urls
        from providers.admin.approvals import approvals_urls
        from providers.admin.hold_pages import hold_urls

        from .frame.banners import banner_zone
        from .handbook.pages import handbook_urls
        from .hosts.page import hosts_urls
        from .money_words import money_words_urls
        from .overview.hand_over import hand_over_urls
        from .overview.my_day import my_day
        from .own_pages.my_exports import my_exports_urls
        from .own_pages.my_notices import notices_urls
        from .own_pages.my_settings import my_settings_urls
        from .people.approval_limits import approval_limits_urls
        from .sandbox_page.pages import sandbox_urls
        from .sign_in.factor_rules import factor_rules_urls

        custom = [
            path("banner/", banner_zone, name="banner"),
            path("my-day/", my_day, name="my_day"),
            *sandbox_urls(self),
            *my_settings_urls(self),
            *money_words_urls(self),
            *my_exports_urls(self),
            *own_list_urls(self),
            *notices_urls(self),
            *hand_over_urls(self),
            *factor_rules_urls(self),
            *handbook_urls(self),
            # Before a request of this name.
            *approval_limits_urls(self),
            *approvals_urls(self),
        ]
        ours = [*hold_urls(self), *hosts_urls(self), *figures_urls(self), *lookup_urls(self)]
        return [*custom, *ours, *alerts_urls(self), *privacy_urls(self), *super().get_urls()]

    def each_context(self, request: HttpRequest) -> dict[str, Any]:
        context: dict[str, Any] = super().each_context(request)
        from .sign_in.local_accounts import may_change_password

        own = {
            "may_change_password": may_change_password(request.user),
            "portal_version": portal_version(),
        }
        return {**context, **own_context(request), **handbook_context(request), **own}

    def get_sidebar_list(self, request: HttpRequest) -> list[dict[str, Any]]:
        from .frame.sidebar import navigation

        return navigation(request)

    def _get_value(self, value: Any, *args: Any) -> Any:
        """The theme looks for a module of the name of each title and colour, on every page."""
        if isinstance(value, str) and not _names_a_function(value):
            return value
        return super()._get_value(value, *args)

    def _get_colors(self, *_: Any) -> None:
        """They stand in a style sheet."""

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
        from .overview.dashboard import dashboard_context

        answer: HttpResponse = super().index(
            request, {**dashboard_context(request), **(extra_context or {})}
        )
        return answer

    def login(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """The first step of signing in. Whoever is in already goes on."""
        from .sign_in.password_step import PasswordStep

        if request.method == "GET" and self.has_permission(request):
            return HttpResponseRedirect(reverse("admin:index"))
        context = {
            **self.each_context(request),
            "app_path": request.get_full_path(),
            "username": request.user.get_username(),
            **(extra_context or {}),
        }
        request.current_app = self.name
        answer: HttpResponse = PasswordStep.as_view(extra_context=context)(request)
        return answer

    def password_change(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        from core.acts import record_act
        from core.admin.pages import current_user

        from .errors import too_many_requests
        from .sign_in.events import password_was_changed
        from .sign_in.local_accounts import may_change_password
        from .sign_in.password_rules import forget_guesses, guesses_end, note_guess

        if request.user.is_authenticated and not may_change_password(request.user):
            raise Http404
        if request.method != "POST" or not request.user.is_authenticated:
            return self._password_form(request, extra_context)
        person = current_user(request)
        if until := guesses_end(person):
            return too_many_requests(request, until)
        with transaction.atomic():
            answer = self._password_form(request, extra_context)
            is_changed = answer.status_code == HTTPStatus.FOUND
            if is_changed:
                record_act("staff.password", by=person, subject=f"user:{person.pk}")
                password_was_changed(request, person)
        if is_changed:
            forget_guesses(person)
        elif "old_password" in answer.context_data["form"].errors:  # type: ignore[attr-defined]
            note_guess(person)
        return answer

    def logout(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Who came from the identity provider is told that it may still know the browser."""
        from .sign_in.authentication_records import came_over_provider
        from .sign_in.oidc.directory import provider_in_use

        over_provider = provider_in_use() is not None and came_over_provider(request)
        answer: HttpResponse = super().logout(request, extra_context)
        if over_provider and answer.status_code == HTTPStatus.FOUND:
            answer.headers["Location"] = reverse("oidc_signed_out")
        return answer

    def _password_form(
        self, request: HttpRequest, extra_context: dict[str, Any] | None
    ) -> HttpResponse:
        answer: HttpResponse = super().password_change(request, extra_context)
        return answer
