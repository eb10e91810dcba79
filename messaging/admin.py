"""The pages about messages."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from core.admin import live
from core.admin.base import ReadOnlyAdmin
from core.admin.buttons import Button, EmptyState
from core.admin.exports import export_buttons
from core.admin.labels import state_label
from core.admin.pages import fragment
from core.admin.timeline import person_name
from core.phone import search_key
from core.times import when

from . import (
    bulk,
    do_not_send_pages,  # noqa: F401
    exporting,
    filters,
    message_page,
    tabs,
)
from .actions import CancelPage, ReleasePage, RevealPage, SendAgainPage, SettlePage
from .batches import admin as batches_admin  # noqa: F401 - registers its pages
from .labels import shown_state
from .models import Message
from .send_page import SendPage, preview
from .visibility import may_see_whole, plain_number


@admin.register(Message)
class MessageAdmin(ReadOnlyAdmin):
    detail_template = "messaging/message.html"
    list_title = _("Messages")
    list_display = ("state_", "account", "kind_", "segments", "sender", "time")
    list_filter = filters.FILTERS
    actions = (
        bulk.cancel_waiting,
        bulk.send_again_as_batch,
        bulk.mark_sent,
        bulk.mark_not_sent,
    )
    search_fields = ("reference",)
    search_help_text = _("A whole number, our reference, or the provider's id")
    ordering = ("-created_at", "-pk")
    pages = (
        ("send/", "send", SendPage),
        ("send/preview/", "preview", preview),
        ("changes/", "changes", "changes"),
        ("export/", "export", "export"),
        ("<str:object_id>/live/", "live", "live"),
        ("<str:object_id>/cancel/", "cancel", CancelPage),
        ("<str:object_id>/release/", "release", ReleasePage),
        ("<str:object_id>/settle/", "settle", SettlePage),
        ("<str:object_id>/again/", "again", SendAgainPage),
        ("<str:object_id>/reveal/", "reveal", RevealPage),
    )

    class Media:
        css: ClassVar = {"all": ("portal/messaging.css",)}
        js: ClassVar = ("portal/live_list.js",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Message]:
        rows: QuerySet[Message] = super().get_queryset(request)
        return rows.select_related("account", "created_by")

    # --- the list ------------------------------------------------------------

    @admin.display(description=_("State"), ordering="state")
    def state_(self, message: Message) -> SafeString:
        return state_label("message", shown_state(message))

    @admin.display(description=_("Kind"), ordering="kind")
    def kind_(self, message: Message) -> str:
        return message.sms_kind or str(message.get_kind_display())

    @admin.display(description=_("Sent by"), ordering="created_by")
    def sender(self, message: Message) -> str:
        return person_name(message.created_by)

    @admin.display(description=_("Time"), ordering="created_at")
    def time(self, message: Message) -> SafeString:
        return when(message.created_at)

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        only = self._only_hit(request)
        if only is not None:
            return HttpResponseRedirect(self.object_url(only))
        context = {
            "tab_list": tabs.tab_list(request),
            "exports": self._exports(request),
            **(extra_context or {}),
        }
        return super().changelist_view(request, context)

    def _exports(self, request: HttpRequest) -> list[Button]:
        if not request.user.has_perm(exporting.PERMISSION):
            return []
        return export_buttons(request, reverse(self.url_name("export")))

    def export(self, request: HttpRequest) -> HttpResponseBase:
        return exporting.messages_as_file(self, request)

    def _only_hit(self, request: HttpRequest) -> Message | None:
        """The message that a whole id names; searching for it is opening it."""
        term = request.GET.get("q", "").strip()
        if request.method != "GET" or not term or "\x00" in term:
            return None
        named = Q(reference=term.lower()) | Q(public_id=term) | Q(provider_id=term)
        found = list(self.get_queryset(request).filter(named)[:2])
        return found[0] if len(found) == 1 else None

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        may = request.user.has_perm
        return {
            name: described
            for name, described in super().get_actions(request).items()
            if name in bulk.ACTIONS and may(bulk.ACTIONS[name].permission)
        }

    def get_list_display(self, request: HttpRequest) -> list[Any]:
        # What a reader sees of a number depends on who reads, so the column is made anew.
        state, *rest = self.list_display
        return [state, message_page.recipient_column(request.user), *rest]

    def get_list_display_links(self, request: HttpRequest, list_display: Any) -> list[Any]:
        return list(list_display[:2])

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Message], search_term: str
    ) -> tuple[QuerySet[Message], bool]:
        term = search_term.strip()
        if not term:
            return queryset, False
        found = Q(reference=term[:32].lower()) | Q(public_id=term[:24]) | Q(provider_id=term[:200])
        number = search_key(term)
        if number:
            found |= Q(recipient=number)
        if len(term) >= 3 and request.user.has_perm("messaging.reveal_message"):
            found |= Q(kind=Message.Kind.TEXT, text__icontains=term[:200])
        return queryset.filter(found), False

    def get_list_primary(self, request: HttpRequest) -> Button | None:
        if not request.user.has_perm("messaging.send_message"):
            return None
        return Button(_("Send SMS"), reverse(self.url_name("send")), "send")

    def get_empty_state(self, request: HttpRequest) -> EmptyState:
        return EmptyState(_("No SMS sent yet."), self.get_list_primary(request), "sms")

    @fragment("messaging.view_message")
    def changes(self, request: HttpRequest) -> HttpResponse:
        return live.changes(self, request, lambda message: {"state_": self.state_(message)})

    # --- one message ---------------------------------------------------------

    def get_detail_title(self, request: HttpRequest, obj: Message) -> str:
        return plain_number(obj, whole=may_see_whole(obj, request.user))

    def get_detail_context(self, request: HttpRequest, obj: Message) -> Mapping[str, Any]:
        return message_page.context_of(self, request, obj)

    @fragment("messaging.view_message")
    def live(self, request: HttpRequest, object_id: str) -> HttpResponse:
        message = self.get_or_404(request, object_id)
        context = message_page.context_of(self, request, message)
        return render(request, "messaging/live.html", {"object": message, **context})
