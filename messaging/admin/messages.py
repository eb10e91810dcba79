"""The list and the pages of messages."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any, ClassVar, Final

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from core.admin.buttons import EmptyState
from core.admin.exact_search import search_period
from core.admin.labels import state_label
from core.admin.live import Cells
from core.admin.read_only import TrackedAdmin
from core.countries import country_name
from core.masking import data, plain_number
from core.people import person_name
from core.visibility import may_reveal, may_see_whole
from providers.admin.account_cell import AccountCell

from ..find_messages import find_messages
from ..models import Message
from ..presentation.labels import SMS_KINDS, shown_state
from . import bulk_actions, export, filters, message_page, tabs
from .actions import CancelPage, ReleasePage, RevealPage, SendAgainPage, SettlePage
from .send_page import SendPage, preview

SHORTEST_TEXT: Final = 3
"""Characters of Latin text. Many Chinese words have two."""
TEXTS_OF: Final = timedelta(days=7)
"""The period whose texts a search reads."""


@admin.register(Message)
class MessageAdmin(AccountCell, TrackedAdmin):
    detail_template = "messaging/message.html"
    live_template = "messaging/live.html"
    primary_page = ("messaging.send_message", _("Send SMS"), "send", "send")
    list_export = export.EXPORT
    list_title = pgettext_lazy("title", "Messages")
    list_display = ("state_", "account_", "kind_", "segments", "sender", "time")
    other_columns = ("country_", "sender_id_", "provider_id_", "reference_")
    indexed_pairs = (frozenset({"account", "shown"}), frozenset({"batch", "shown"}))
    sortable_by = ("time",)
    list_filter = filters.FILTERS
    actions = (
        bulk_actions.cancel_waiting,
        bulk_actions.send_again_as_batch,
        bulk_actions.mark_sent,
        bulk_actions.mark_not_sent,
    )
    search_fields = ("reference",)
    search_help_text = _("Full phone number, our reference or provider ID")
    ordering = ("-created_at", "-pk")
    pages = (
        ("send/", "send", SendPage),
        ("send/preview/", "preview", preview),
        ("changes/", "changes", "changes"),
        ("<str:object_id>/live/", "live", "live"),
        ("<str:object_id>/cancel/", "cancel", CancelPage),
        ("<str:object_id>/release/", "release", ReleasePage),
        ("<str:object_id>/settle/", "settle", SettlePage),
        ("<str:object_id>/again/", "again", SendAgainPage),
        ("<str:object_id>/reveal/", "reveal", RevealPage),
    )

    class Media:
        css: ClassVar = {"all": ("portal/messaging.css",)}

    def get_queryset(self, request: HttpRequest) -> QuerySet[Message]:
        rows: QuerySet[Message] = super().get_queryset(request)
        # Of the batch only its hold matters.
        return rows.select_related("account", "created_by", "batch").defer(
            "batch__text", "batch__columns", "batch__values", "batch__reserved"
        )

    # --- the list ------------------------------------------------------------

    @admin.display(description=pgettext_lazy("column", "State"), ordering="state")
    def state_(self, message: Message) -> SafeString:
        return state_label("message", shown_state(message))

    @admin.display(description=pgettext_lazy("column", "Kind"), ordering="kind")
    def kind_(self, message: Message) -> str:
        if message.is_code:
            # One word: who made the code is on the message's page.
            return str(Message.Kind.OWN_CODE.label)
        if not message.sms_kind:
            return str(message.get_kind_display())
        return str(SMS_KINDS.get(message.sms_kind, message.sms_kind))

    @admin.display(description=_("Sent by"), ordering="created_by")
    def sender(self, message: Message) -> SafeString:
        return data(person_name(message.created_by))

    @admin.display(description=pgettext_lazy("column", "Country/region"))
    def country_(self, message: Message) -> str:
        return country_name(message.country)

    @admin.display(description=_("Sender ID"))
    def sender_id_(self, message: Message) -> SafeString:
        return data(message.sender_id)

    @admin.display(description=_("Provider's id"))
    def provider_id_(self, message: Message) -> SafeString:
        return data(message.provider_id)

    @admin.display(description=_("Our reference"))
    def reference_(self, message: Message) -> SafeString:
        return data(message.reference)

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        context = {
            "tab_list": tabs.tab_list(request),
            **(extra_context or {}),
        }
        return super().changelist_view(request, context)

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        may = request.user.has_perm
        return {
            name: described
            for name, described in super().get_actions(request).items()
            if name in bulk_actions.ACTIONS and may(bulk_actions.ACTIONS[name].permission)
        }

    def reader_columns(self, request: HttpRequest) -> list[Any]:
        return [message_page.recipient_column(request.user)]

    def find_ids(self, term: str) -> list[int]:
        return find_messages(term)

    def search_text(
        self, request: HttpRequest, rows: QuerySet[Message], term: str
    ) -> QuerySet[Message] | None:
        too_short = len(term) < SHORTEST_TEXT - (not term.isascii())
        if too_short or not may_reveal(Message, request.user):
            return None
        kind = Message.Kind.TEXT
        period = search_period(request, Message.objects.filter(kind=kind), "created_at", TEXTS_OF)
        texts = rows.filter(created_at__range=period, kind=kind)
        return texts.filter(text__icontains=term[:200])

    def get_empty_state(self, request: HttpRequest) -> EmptyState:
        return EmptyState(_("No SMS sent yet."), self.get_list_primary(request), "sms")

    def live_cells(self, request: HttpRequest) -> Cells:
        return lambda message: {"state_": self.state_(message)}

    # --- one message ---------------------------------------------------------

    def get_detail_title(self, request: HttpRequest, obj: Message) -> str:
        return plain_number(obj.recipient, whole=may_see_whole(obj, request.user))

    def get_detail_context(self, request: HttpRequest, obj: Message) -> Mapping[str, Any]:
        return message_page.context_of(self, request, obj)

    def get_live_context(self, request: HttpRequest, obj: Message) -> dict[str, Any]:
        return message_page.context_of(self, request, obj)
