"""Error pages for staff, each with a reference that is also in the log."""

from __future__ import annotations

import logging
import sys
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from axes.helpers import get_cool_off
from django.conf import settings
from django.contrib import admin
from django.contrib.auth.models import Permission, User
from django.core.exceptions import RequestDataTooBig
from django.db import DatabaseError, InterfaceError, OperationalError, ProgrammingError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.translation import gettext as _

from core import request_reference
from core.admin.export_slots import ExportRefused, OwnExportRuns
from core.admin.pages import NeedsPermission
from core.people import person_name
from core.punctuation import listed
from core.uploads import UploadTooLarge
from providers.engine.database_errors import concerns_row

from .log.filters import hide_tokens
from .rights.delegation import grantors
from .rights.roles import permission_label

logger = logging.getLogger(__name__)
MEGABYTE: Final = 1024 * 1024
RETRY_SECONDS: Final = 15
PEOPLE_NAMED: Final = 3
WRONG_ADDRESS: Final = ("Origin checking failed", "Referer checking failed")
"""The beginnings of Django's reasons for a form from another address (`django.middleware.csrf`)."""
MAX_ORIGIN: Final = 200


def error_page(
    request: HttpRequest, name: str, status: int, context: dict[str, Any] | None = None
) -> HttpResponse:
    """An error page, with the navigation if the user is signed in."""
    signed_in = hasattr(request, "user") and admin.site.has_permission(request)
    values = {
        **admin.site.each_context(request),
        "signed_in": signed_in,
        "frame": "admin/base_site.html" if signed_in else "portal/outside.html",
        "is_nav_sidebar_enabled": signed_in,
        "reference": request_reference.current(),
        "trail": [],
        **(context or {}),
    }
    logger.info("Error page %s with status %s", name, status)
    return render(request, f"errors/{name}.html", values, status=status)


def not_allowed(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """403, with the permissions that the user lacks and the people who can grant them."""
    names = exception.permissions if isinstance(exception, NeedsPermission) else ()
    if not names:
        names = _missing_permission(request)
    words = listed(_permission_label(name) for name in names)
    people = _common_grantors(names)[:PEOPLE_NAMED]
    named = listed(person_name(person) for person in people)
    for_superusers = not names and _is_for_superusers(request)
    context = {"permission": words, "grantors": named, "for_superusers": for_superusers}
    return error_page(request, "403", 403, context)


def _common_grantors(names: Sequence[str]) -> list[User]:
    """Staff who can grant every one of these permissions."""
    found = [grantors(name) for name in names]
    return [person for person in found[0] if all(person in one for one in found)] if found else []


def _permission_label(name: str) -> str:
    label, _, codename = name.partition(".")
    found = Permission.objects.filter(content_type__app_label=label, codename=codename).first()
    return permission_label(found) if found else name


def _missing_permission(request: HttpRequest) -> tuple[str, ...]:
    """The permission that one of Django admin's own pages requires; none if no permission helps."""
    match = request.resolver_match
    opts = getattr(_model_admin(request), "opts", None)
    if match is None or opts is None or _is_for_superusers(request):
        return ()
    action = (match.url_name or "").rsplit("_", 1)[-1]
    action = {"add": "add", "delete": "delete"}.get(action, "view")
    if request.method == "POST" and action == "view":
        action = "change"
    # Of a page that nobody may use, such as one that would delete messages, there is none.
    name = f"{action}_{opts.model_name}"
    exists = action in opts.default_permissions
    return (f"{opts.app_label}.{name}",) if exists else ()


def _is_for_superusers(request: HttpRequest) -> bool:
    return bool(getattr(_model_admin(request), "is_for_superusers", False))


def _model_admin(request: HttpRequest) -> Any:
    match = request.resolver_match
    return getattr(match.func, "model_admin", None) if match else None


def not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    return error_page(request, "404", 404)


def form_too_old(request: HttpRequest, reason: str = "") -> HttpResponse:
    """Django's view for a form that it refuses. `reason` says which of its checks failed."""
    logger.warning("A form was refused: %s", reason)
    context = {"again": request.get_full_path()}
    if not reason.startswith(WRONG_ADDRESS):
        return error_page(request, "form_too_old", 403, context)
    origin = str(request.META.get("HTTP_ORIGIN") or request.META.get("HTTP_REFERER") or "")
    context |= {"origin": origin[:MAX_ORIGIN], "expected": settings.PUBLIC_ADDRESS}
    return error_page(request, "wrong_address", 403, context)


def bad_request(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    if isinstance(exception, RequestDataTooBig):
        limit = settings.DATA_UPLOAD_MAX_MEMORY_SIZE // MEGABYTE
        if isinstance(exception, UploadTooLarge):
            limit = settings.BATCH_MEGABYTES
        return error_page(request, "413", 413, {"limit": limit})
    return error_page(request, "400", 400)


def too_many_requests(request: HttpRequest, until: datetime) -> HttpResponse:
    """For the portal's own rate limits. axes has its own page."""
    return error_page(request, "429", 429, {"until": until})


def busy(request: HttpRequest) -> HttpResponse:
    """Too much of one kind at once. Uses no database, so that many such answers cost little."""
    logger.warning("The portal was too busy for %s", hide_tokens(request.path))
    return _page_without_database("busy", 503)


def export_refused(error: ExportRefused) -> HttpResponse:
    """An export that was not begun, with what to do about it. Without navigation, to cost little:
    who is refused tries again."""
    heading = _("Too many exports are running.")
    text = _("Other people are exporting lists. Try again in a minute.")
    if isinstance(error, OwnExportRuns):
        heading = _("An export of yours is still running.")
        text = _("Wait until it has been downloaded, then export the next list.")
    context = {"heading": heading, "text": text}
    return _page_without_database("export_refused", 429, context)


def locked(
    request: HttpRequest, _response: HttpResponse | None = None, _credentials: Any = None
) -> HttpResponse:
    """Sign-in is locked after too many failures."""
    until = timezone.now() + (get_cool_off(request) or timedelta())
    context = {**admin.site.each_context(request), "until": until}
    return render(request, settings.AXES_LOCKOUT_TEMPLATE, context, status=429)


def server_error(request: HttpRequest) -> HttpResponse:
    """An internal error. This page must render whatever is broken."""
    error = sys.exc_info()[1]
    if _database_is_unreachable(error):
        return _page_without_database("503", 503)
    if not hasattr(request, "user"):
        # It failed before anybody was asked who they are, so the frame cannot be made.
        return _page_without_database("500", 500)
    try:
        return error_page(request, "500", 500)
    except Exception:
        logger.exception("The error page itself failed.")
        return _page_without_database("500", 500)


def _database_is_unreachable(error: BaseException | None) -> bool:
    """Whether the database is unreachable, or takes nothing, for example because it is read-only.

    SQLite raises the same exception for a missing table, which waiting does not fix.
    """
    if not isinstance(error, DatabaseError | InterfaceError) or concerns_row(error):
        return False
    if isinstance(error, OperationalError):
        return "no such" not in str(error) and "no column" not in str(error)
    return not isinstance(error, ProgrammingError)


def _page_without_database(
    name: str, status: int, context: dict[str, Any] | None = None
) -> HttpResponse:
    """An error page that needs no database, so it shows no navigation."""
    values = {
        "frame": "portal/bare.html",
        "signed_in": False,
        "reference": request_reference.current(),
    }
    page = render_to_string(f"errors/{name}.html", {**values, **(context or {})})
    response = HttpResponse(page, status=status)
    response["Retry-After"] = str(RETRY_SECONDS)
    return response
