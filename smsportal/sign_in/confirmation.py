"""Ask again who somebody is, before what a thief of an open session would do first.

The page asks when it is opened, never when its form is sent: the library would keep the whole form
in the session meanwhile, secrets included. A page with more than that, which must not be closed to
those who want something else of it, shows a link for the part that needs it.
"""

from __future__ import annotations

from urllib.parse import urlencode, urlsplit

from allauth.account.adapter import get_adapter
from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse

from .authentication_records import is_confirmed
from .local_paths import is_local_path
from .settings import POST_SECONDS


def confirm_url(request: HttpRequest, path: str = "") -> str:
    """The page on which this person confirms who they are. It leads on to `path`, or back here."""
    methods = get_adapter().get_reauthentication_methods(request.user)
    if not methods:
        raise PermissionDenied
    path = path or (request.get_full_path() if request.method == "GET" else _page_before(request))
    return f"{methods[0]['url']}?{urlencode({'next': path})}"


def confirm_url_if_due(request: HttpRequest) -> str:
    """Where to confirm before the sensitive part of this page is used; "" if that was just done."""
    is_opened = request.method in ("GET", "HEAD")
    if is_confirmed(request, settings.CONFIRM_MINUTES * 60 if is_opened else POST_SECONDS):
        return ""
    return confirm_url(request, request.path)


def refuse_unconfirmed(request: HttpRequest) -> HttpResponse | None:
    """What to answer instead of the page; None if this person has just confirmed who they are."""
    from ..errors import error_page

    if request.method in ("GET", "HEAD"):
        if is_confirmed(request, settings.CONFIRM_MINUTES * 60):
            return None
        return HttpResponseRedirect(confirm_url(request))
    if is_confirmed(request):
        return None
    return error_page(request, "confirm_first", 403, {"confirm_url": confirm_url(request)})


def _page_before(request: HttpRequest) -> str:
    """The path of the page with the form."""
    parts = urlsplit(request.headers.get("Referer", ""))
    path = f"{parts.path}?{parts.query}" if parts.query else parts.path
    own = parts.netloc == request.get_host()
    return path if own and is_local_path(path) else reverse("admin:index")
