"""The page on which people see their notices."""

from __future__ import annotations

from typing import Any

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


def bell_context(request: HttpRequest) -> dict[str, Any]:
    """The number of unread notices, which is counted only where a page shows it."""
    return {"unread_notices": SimpleLazyObject(lambda: _unread(request))}


def _unread(request: HttpRequest) -> str:
    count = notices.count_unread(current_user(request))
    most = notices.MOST_COUNTED
    return "" if not count else str(count) if count <= most else f"{most}+"


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
