"""The page on which people see their notices."""

from __future__ import annotations

from functools import cache
from typing import Any, Final

from django.contrib.auth.models import User
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from django.utils.functional import SimpleLazyObject
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import pgettext_lazy
from django.views.generic import TemplateView
from unfold.sites import UnfoldAdminSite

from core import notices
from core.admin.pages import Page, current_user
from core.models import Notice
from core.stored_texts import show

from ..rights.roles import roles_text

MOST_COUNTED: Final = 99


def own_context(request: HttpRequest) -> dict[str, Any]:
    """What every page says of its reader: the roles, and how many notices are unread.

    One query reads both, where the first of them is shown.
    """

    @cache
    def facts() -> tuple[str, str]:
        user = request.user
        if not isinstance(user, User):
            return "", ""
        rows = User.objects.filter(pk=user.pk).order_by("groups__pk")
        found = list(rows.values_list("groups__name", notices.unread_of_row()))
        count = (found[0][1] if found else 0) or 0
        words = "" if not count else str(count) if count <= MOST_COUNTED else f"{MOST_COUNTED}+"
        return roles_text([name for name, _count in found if name], user), words

    return {
        "own_roles": SimpleLazyObject(lambda: facts()[0]),
        "unread_notices": SimpleLazyObject(lambda: facts()[1]),
    }


class NoticesPage(Page, TemplateView):
    title = pgettext_lazy("title", "Notifications")
    template_name = "portal/notices.html"
    http_method_names = ["get", "post"]

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        found = [(one, show(one.text)) for one in notices.newest_of(current_user(self.request))]
        return {**super().get_context_data(**kwargs), "notices": found}

    def post(self, request: HttpRequest) -> HttpResponse:
        """Mark all as read."""
        notices.mark_read(notices.unread_of(current_user(request)))
        return HttpResponseRedirect(reverse("admin:notices"))


def open_notice(request: HttpRequest, pk: int) -> HttpResponse:
    """Mark one of one's own notices as read, and go where it leads."""
    own = Notice.objects.filter(user=current_user(request), pk=pk)
    notice = own.first()
    if notice is None or not url_has_allowed_host_and_scheme(notice.url, allowed_hosts=None):
        raise Http404
    notices.mark_read(own)
    return HttpResponseRedirect(notice.url)


def notices_urls(site: UnfoldAdminSite) -> list[URLPattern]:
    return [
        path("notices/", site.admin_view(NoticesPage.as_view()), name="notices"),
        path("notices/<int:pk>/", site.admin_view(open_notice), name="open_notice"),
    ]
