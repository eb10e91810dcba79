"""The sandbox page: shows what the sandbox received, and switches faults on and off."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, Final

from django.conf import settings
from django.contrib import messages
from django.core.cache import cache
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy
from django.views.generic import TemplateView
from unfold.sites import UnfoldAdminSite

from core.admin.pages import NeedsPermission, Page, fragment
from sandbox.remote import Remote, RemoteError

from .log_filters import hide_tokens
from .sandbox_texts import error_text, fault_label

ACT_PERMISSION: Final = "providers.check_account"
REVEAL_PERMISSION: Final = "messaging.reveal_message"
PERSONAL_FIELDS: Final = frozenset(
    {"phone", "phonenumber", "msisdn", "textmessage", "content", "code", "generated_code", "text"}
)
"""Fields of calls and reports that hold a phone number, a text or a code."""
MAX_ENTRIES: Final = 100
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
        try:
            with sandbox() as remote:
                notice = action(remote, request) if action else None
        except RemoteError as error:
            messages.error(request, error_text(error))
        else:
            if notice:
                messages.success(request, notice)
        cache.delete("sandbox-faults")
        return HttpResponseRedirect(reverse("admin:practice"))


@fragment("providers.view_account")
def sandbox_log(request: HttpRequest) -> HttpResponse:
    require_sandbox()
    return render(request, "portal/practice_book.html", sandbox_context(request))


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
            state, entries = remote.state(), remote.entries(limit=MAX_ENTRIES)
    except RemoteError:
        return {"unreachable": True, "address": settings.SANDBOX_URL}
    whole = request.user.has_perm(REVEAL_PERMISSION)
    words = {one["name"]: one["report_words"] for one in _rows(state, "providers")}
    labels = {one["name"]: one["label"] for one in _rows(state, "providers")}
    return {
        "may_act": request.user.has_perm(ACT_PERMISSION),
        "providers": _rows(state, "providers"),
        "faults": [
            {"id": one["id"], "word": fault_label(one["id"], one["label"])}
            for one in _rows(state, "faults")
        ],
        "active": [
            {
                **one,
                "word": fault_label(one["fault"], one["label"]),
                "provider_label": labels.get(one["provider"], ""),
            }
            for one in _rows(state, "active")
        ],
        "entries": [_entry_context(entry, labels, words, whole) for entry in reversed(entries)],
    }


def _rows(state: dict[str, object], name: str) -> list[dict[str, Any]]:
    rows = state.get(name)
    return rows if isinstance(rows, list) else []


def _entry_context(
    entry: dict[str, Any], labels: dict[str, str], words: dict[str, list[str]], whole: bool
) -> dict[str, Any]:
    """One entry of the log. `whole` shows numbers, texts and codes."""
    fields = entry.get("fields") or {}
    provider, operation = entry["provider"], entry["operation"]
    is_call = entry["kind"] == "call"
    placed = bool(is_call and entry.get("accepted") and entry.get("message_id"))
    return {
        **entry,
        "time": datetime.fromtimestamp(entry["at"], tz=UTC),
        "provider_label": labels.get(provider, provider),
        "fields": _shown_fields(fields, whole),
        "fault_word": fault_label(entry.get("fault") or "", entry.get("fault") or ""),
        "report_words": words.get(provider, []) if placed else [],
        "takes_sms": placed and provider == "gosms" and operation == "create_order",
    }


def _shown_fields(fields: dict[str, Any], whole: bool) -> list[tuple[str, str]]:
    """The fields to show. Callback tokens are always hidden."""
    return [
        (name, hide_tokens(str(value)))
        for name, value in fields.items()
        if whole or name.lower() not in PERSONAL_FIELDS
    ]


def _set_fault(remote: Remote, request: HttpRequest) -> Any:
    provider = request.POST.get("provider") or None
    calls = None if request.POST.get("calls") == "all" else 1
    remote.fault(request.POST.get("fault", ""), provider=provider, calls=calls)
    return _("Fault turned on.")


def _clear_faults(remote: Remote, request: HttpRequest) -> Any:
    remote.clear_faults()
    return _("All faults turned off.")


def _report(remote: Remote, request: HttpRequest) -> Any:
    post = request.POST
    remote.report(post.get("provider", ""), post.get("message_id", ""), post.get("word", ""))
    return _("Report sent.")


def _deliver(remote: Remote, request: HttpRequest) -> Any:
    post = request.POST
    remote.deliver_sms(post.get("message_id", ""), post.get("text", ""))
    return _("The SMS was delivered to the number.")


ACTIONS: Final[dict[str, Callable[[Remote, HttpRequest], Any]]] = {
    "fault": _set_fault,
    "clear": _clear_faults,
    "report": _report,
    "sms": _deliver,
}


def sandbox_urls(site: UnfoldAdminSite) -> list[URLPattern]:
    return [
        path("practice/", site.admin_view(SandboxPage.as_view()), name="practice"),
        path("practice/book/", sandbox_log, name="practice_book"),
    ]
