"""List and pages of code sessions."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, ClassVar, Final

from django.contrib import admin
from django.db.models import Prefetch, QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from core.admin.buttons import EmptyState
from core.admin.exact_search import keys_of
from core.admin.labels import state_label
from core.admin.live import Cells
from core.admin.read_only import TrackedAdmin
from core.countries import country_name
from core.masking import data, linked_number, plain_number
from core.people import person_name
from core.times import duration, when
from core.visibility import may_see_whole
from messaging.find_messages import find_messages
from messaging.presentation.labels import shown_state as message_state
from providers.admin.account_cell import AccountCell

from .. import conversion, sessions
from ..models import SentCode, Session
from ..presentation.dashboard import attention_items
from ..presentation.labels import shown_state
from . import filters
from .actions import CancelPage, CheckPage, ResendPage, RevealPage
from .export import EXPORT
from .figures import FiguresPage
from .send_page import SendCodePage, preview
from .session_page import context_of, live_context

OF_MESSAGES: Final = tuple(
    f"message__{name}"
    for name in (
        "account",
        "answered_at",
        "batch",
        "handed_over_at",
        "hold",
        "reported_at",
        "settled_at",
        "state",
    )
)
"""What the state of an SMS is shown by (`messaging.presentation.labels.shown_state`)."""


@admin.register(Session)
class SessionAdmin(AccountCell, TrackedAdmin):
    detail_template = "otp/session.html"
    live_template = "otp/live.html"
    primary_page = ("otp.send_code", _("Send code"), "send", "password")
    list_export = EXPORT
    list_title = pgettext_lazy("title", "Codes")
    list_display = ("state_", "account_", "sms", "tries", "took", "sender", "time")
    other_columns = ("country_", "verified_", "ended_")
    indexed_pairs = (frozenset({"account", "shown"}),)
    few_rows_by = ("alarm",)
    sortable_by = ("time",)
    list_filter = filters.FILTERS
    search_fields = ("public_id",)
    search_help_text = _("Full phone number, our reference or provider ID")
    ordering = ("-created_at", "-pk")
    list_before_template = "otp/list_head.html"
    pages = (
        ("send/", "send", SendCodePage),
        ("send/preview/", "preview", preview),
        ("figures/", "figures", FiguresPage),
        ("changes/", "changes", "changes"),
        ("<str:object_id>/live/", "live", "live"),
        ("<str:object_id>/check/", "check", CheckPage),
        ("<str:object_id>/again/", "again", ResendPage),
        ("<str:object_id>/cancel/", "cancel", CancelPage),
        ("<str:object_id>/reveal/", "reveal", RevealPage),
    )

    class Media:
        css: ClassVar = {"all": ("portal/otp.css",)}

    def get_queryset(self, request: HttpRequest) -> QuerySet[Session]:
        rows: QuerySet[Session] = super().get_queryset(request)
        codes = SentCode.objects.select_related("message").prefetch_related("message__account")
        codes = codes.only("session", "serial", *OF_MESSAGES).order_by("serial")
        prefetched = Prefetch("codes", queryset=codes, to_attr="all_codes")
        return rows.select_related("account", "created_by").prefetch_related(prefetched)

    # --- the list ------------------------------------------------------------

    @admin.display(description=pgettext_lazy("column", "State"), ordering="state")
    def state_(self, session: Session) -> SafeString:
        return state_label("session", shown_state(session))

    @admin.display(description=_("SMS state"))
    def sms(self, session: Session) -> SafeString:
        codes: list[SentCode] = session.all_codes  # type: ignore[attr-defined]
        return state_label("message", message_state(codes[-1].message)) if codes else SafeString("")

    @admin.display(description=_("Time to verify"))
    def took(self, session: Session) -> str:
        if session.verified_at is None or session.sent_at is None:
            return ""
        return duration(max((session.verified_at - session.sent_at).total_seconds(), 0))

    @admin.display(description=_("Sent by"), ordering="created_by")
    def sender(self, session: Session) -> SafeString:
        return data(person_name(session.created_by))

    def reader_columns(self, request: HttpRequest) -> list[Any]:
        return [number_column(request)]

    def find_ids(self, term: str) -> list[int]:
        """Find by the session's own id or an id of one of its messages."""
        codes = SentCode.objects.filter(message__in=find_messages(term))
        return keys_of(
            Session.objects.filter(public_id=term[:24]),
            Session.objects.filter(pk__in=list(codes.order_by().values_list("session", flat=True))),
        )

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        answer = super().changelist_view(request, extra_context)
        context = getattr(answer, "context_data", None)
        if context and "cl" in context:
            listed = context["cl"]
            context["funnel"] = conversion.funnel_of(*listed.parts())
            context["alarms"] = list(attention_items(request))
            context["period"] = filters.period_of(listed)
            context["query"] = listed.get_query_string()
        return answer

    def live_cells(self, request: HttpRequest) -> Cells:
        return self._cells

    def _cells(self, session: Session) -> dict[str, str]:
        return {
            "state_": self.state_(session),
            "sms": self.sms(session),
            "tries": str(session.tries),
            "took": self.took(session),
        }

    @admin.display(description=pgettext_lazy("column", "Country/region"))
    def country_(self, session: Session) -> str:
        return country_name(session.country)

    @admin.display(description=_("Verified at"))
    def verified_(self, session: Session) -> SafeString:
        return when(session.verified_at)

    @admin.display(description=_("Ended at"))
    def ended_(self, session: Session) -> SafeString:
        return when(session.ended_at)

    def get_empty_state(self, request: HttpRequest) -> EmptyState:
        return EmptyState(_("No codes sent yet."), self.get_list_primary(request), "pin")

    # --- one session ---------------------------------------------------------

    def get_detail_title(self, request: HttpRequest, obj: Session) -> str:
        return plain_number(obj.recipient, whole=may_see_whole(obj, request.user))

    def get_detail_context(self, request: HttpRequest, obj: Session) -> Mapping[str, Any]:
        self._expire(obj)
        return context_of(self, request, obj)

    def get_live_context(self, request: HttpRequest, obj: Session) -> dict[str, Any]:
        self._expire(obj)
        return {**live_context(self, request, obj), "fetched": True}

    def _expire(self, session: Session) -> None:
        """Expire the session if it is due, because no sweep may have done so yet."""
        sessions.expire(Session.objects.filter(pk=session.pk))
        session.refresh_from_db()


def number_column(request: HttpRequest) -> Callable[[Session], SafeString]:
    """The list's number column, masked for this reader."""

    def number(session: Session) -> SafeString:
        return linked_number(session.recipient, whole=may_see_whole(session, request.user))

    number.short_description = pgettext_lazy("column", "Number")  # type: ignore[attr-defined]
    return number
