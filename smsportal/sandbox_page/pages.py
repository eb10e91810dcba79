"""The sandbox page: the phones with what arrived on them, reports on request, and faults.

Nothing here is secret: the numbers and texts went to the sandbox alone, so every reader of the page
sees them whole.
"""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Final

from django.conf import settings
from django.contrib import messages
from django.core.cache import cache
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.shortcuts import render
from django.urls import URLPattern, path, reverse
from django.utils.translation import pgettext_lazy
from django.views.generic import TemplateView
from unfold.sites import UnfoldAdminSite

from core.admin.pages import NeedsPermission, Page, fragment
from sandbox.credentials import PRACTICE
from sandbox.remote import Remote, RemoteError

from ..log.filters import hide_tokens
from .acts import ACTIONS, REPORT_SECONDS, rows_of
from .phones import phones_context
from .texts import call_label, error_text, fault_label

ACT_PERMISSION: Final = "providers.check_account"
MAX_ENTRIES: Final = 50
MAX_PHONES: Final = 40
TIMEOUT: Final = 2.0


class SandboxPage(Page, TemplateView):
    title = pgettext_lazy("title", "Sandbox")
    permission_required = "providers.view_account"
    template_name = "portal/practice.html"

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        require_sandbox()
        return super().dispatch(request, *args, **kwargs)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return {**super().get_context_data(**kwargs), **sandbox_context(self.request)}

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if not request.user.has_perm(ACT_PERMISSION):
            raise NeedsPermission(ACT_PERMISSION)
        action = ACTIONS.get(request.POST.get("act", ""))
        notice = problem = None
        try:
            with sandbox() as remote:
                notice = action(remote, request.POST) if action else None
        except RemoteError as error:
            problem = error_text(error)
        except ValueError as error:
            problem = str(error)
        cache.delete("sandbox-faults")
        entry = _entry(request.POST)
        if request.headers.get("HX-Request"):
            told = {"notice": problem or notice, "is_problem": bool(problem), "acted_entry": entry}
            return render(
                request, "portal/practice_phones.html", {**_phones(request, entry), **told}
            )
        if problem:
            messages.error(request, problem)
        elif notice:
            messages.success(request, notice)
        back = reverse("admin:practice")
        return HttpResponseRedirect(f"{back}?entry={entry}#phone" if entry else back)


@fragment("providers.view_account")
def sandbox_log(request: HttpRequest) -> HttpResponse:
    require_sandbox()
    return render(request, "portal/practice_book.html", _book())


@fragment("providers.view_account")
def sandbox_phones(request: HttpRequest) -> HttpResponse:
    require_sandbox()
    return render(request, "portal/practice_phones.html", _phones(request, _entry(request.GET)))


def require_sandbox() -> None:
    """Raise `Http404` in a portal without a sandbox."""
    if not settings.SANDBOX_URL:
        raise Http404


def sandbox() -> Remote:
    return Remote(settings.SANDBOX_URL, timeout=TIMEOUT)


def sandbox_context(request: HttpRequest) -> dict[str, Any]:
    """The context of the page; `unreachable` and `address` if the sandbox does not answer."""
    try:
        with sandbox() as remote:
            state = remote.state()
    except RemoteError:
        return {"unreachable": True, "address": settings.SANDBOX_URL}
    providers = rows_of(state, "providers")
    return {
        "providers": [_provider_context(one) for one in providers],
        "reports_mode": _reports_mode(providers),
        "balances": [
            {
                "name": one["name"],
                "label": one["label"],
                "balance": Decimal(str(account["balance"])),
            }
            for one in providers
            for account in one["accounts"]
            if account["label"] == PRACTICE and "balance" in account
        ],
        "report_seconds": int(REPORT_SECONDS),
        "faults": [
            {"id": one["id"], "word": fault_label(one["id"], one["label"])}
            for one in rows_of(state, "faults")
        ],
        "active": [_active_context(one, providers) for one in rows_of(state, "active")],
        **_phones(request, _entry(request.GET)),
        **_book(),
    }


def _phones(request: HttpRequest, entry: int) -> dict[str, Any]:
    try:
        with sandbox() as remote:
            providers = rows_of(remote.state(), "providers")
            phones = phones_context(remote.phones(entry, MAX_PHONES), providers)
    except RemoteError:
        return {"unreachable": True, "address": settings.SANDBOX_URL}
    may_act = request.user.has_perm(ACT_PERMISSION)
    return {**phones, "may_act": may_act, "chosen_entry": entry}


def _book() -> dict[str, Any]:
    """The newest requests and pushes, and apart from them those that merely read."""
    try:
        with sandbox() as remote:
            labels = {one["name"]: one["label"] for one in rows_of(remote.state(), "providers")}
            entries = remote.entries(limit=MAX_ENTRIES, polls="without")
            polls = remote.entries(limit=MAX_ENTRIES, polls="only")
    except RemoteError:
        return {"unreachable": True, "address": settings.SANDBOX_URL}
    return {
        "entries": [_entry_context(entry, labels) for entry in reversed(entries)],
        "polls": [_entry_context(entry, labels) for entry in reversed(polls)],
    }


def _entry(values: QueryDict) -> int:
    """The entry of the book by which a phone is chosen. Addresses hold no numbers of phones."""
    text = values.get("entry", "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 16 else 0


def _provider_context(provider: dict[str, Any]) -> dict[str, Any]:
    name = provider["name"]
    operations = [one for one in provider["operations"] if one not in provider["polls"]]
    return {
        **provider,
        "calls": [
            {"value": f"{name}:{operation}", "word": call_label(name, operation)}
            for operation in (*operations, *provider["polls"])
        ],
    }


def _active_context(active: dict[str, Any], providers: list[dict[str, Any]]) -> dict[str, Any]:
    provider, operation = active["provider"] or "", active["operation"] or ""
    label = next((one["label"] for one in providers if one["name"] == provider), "")
    return {
        **active,
        "word": fault_label(active["fault"], active["label"]),
        "provider_label": label,
        "operation_label": call_label(provider, operation) if operation else "",
    }


def _entry_context(entry: dict[str, Any], labels: dict[str, str]) -> dict[str, Any]:
    provider = entry["provider"]
    return {
        **entry,
        "time": datetime.fromtimestamp(entry["at"], tz=UTC),
        "provider_label": labels.get(provider, provider),
        "operation_label": call_label(provider, entry["operation"]),
        "fields": [
            (name, hide_tokens(str(value))) for name, value in (entry.get("fields") or {}).items()
        ],
        "fault_word": fault_label(entry.get("fault") or "", entry.get("fault") or ""),
    }


def _reports_mode(providers: list[dict[str, Any]]) -> str:
    settings_now = [one["settings"] for one in providers]
    if not any(one.get("report_delay") is not None for one in settings_now):
        return "wait"
    return "mix" if any(one.get("mixed") for one in settings_now) else "alone"


def sandbox_urls(site: UnfoldAdminSite) -> list[URLPattern]:
    return [
        path("practice/", site.admin_view(SandboxPage.as_view()), name="practice"),
        path("practice/book/", sandbox_log, name="practice_book"),
        path("practice/phones/", sandbox_phones, name="practice_phones"),
    ]
