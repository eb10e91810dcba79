"""The list "All decisions": what people asked a second person for, and what came of it."""

from __future__ import annotations

from typing import Any, Final

from django.contrib import admin
from django.contrib.auth.models import User
from django.db.models import Model, Q, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from core.admin.buttons import Crumb, EmptyState
from core.admin.filters import AnyOfFilter, LocalTimeFilter, RelatedFilter
from core.admin.labels import label_for, state_label, states_of
from core.admin.list_export import Column, ListExport
from core.admin.read_only import ReadOnlyAdmin
from core.admin.word_search import WordSearch
from core.masking import data
from core.people import person_name
from core.punctuation import label_text, separated, with_detail
from core.stored_texts import show
from core.times import when

from ..approvals.kinds import kind_of
from ..approvals.rules import PERMISSION
from ..models import Approval
from ..presentation.approval_texts import stored_lines
from ..states import ApprovalState
from .call_filters import AccountFilter

KIND_NAMES: Final[dict[str, Promise]] = {
    "batch": pgettext_lazy("approval", "Batch"),
    "order": pgettext_lazy("approval", "Rented numbers"),
}
ALL: Final = _("All decisions")


class DecisionFilter(AnyOfFilter):
    title = pgettext_lazy("field", "State")
    parameter_name = "state"
    field_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        labels = states_of("approval")
        return [(key, str(one.word)) for key, one in labels.items() if key != ApprovalState.WAITING]


class KindFilter(AnyOfFilter):
    title = pgettext_lazy("field", "Type")
    parameter_name = "kind"
    field_name = "kind"
    words = KIND_NAMES


def decision_columns(_reader: User) -> list[Column]:
    return [
        Column(_("Requested at"), lambda one: one.asked_at),
        Column(_("Requested by"), lambda one: person_name(one.asked_by)),
        Column(pgettext_lazy("column", "Type"), kind_text),
        Column(pgettext_lazy("column", "What"), lambda one: show(one.title)),
        Column(pgettext_lazy("column", "Account"), lambda one: one.account.name),
        Column(pgettext_lazy("column", "Size"), lambda one: one.count),
        Column(pgettext_lazy("column", "Cost"), lambda one: one.cost),
        Column(pgettext_lazy("column", "Start"), lambda one: one.starts_at),
        Column(_("Limits passed"), limits_text),
        Column(_("Reason of the request"), lambda one: one.why),
        Column(pgettext_lazy("column", "State"), lambda one: label_for("approval", one.state).word),
        Column(_("Decided by"), lambda one: person_name(one.decided_by) if one.decided_by else ""),
        Column(_("Decided at"), lambda one: one.decided_at),
        Column(_("Reason of the decision"), lambda one: show(one.comment)),
        Column(_("Digest of what was shown"), lambda one: one.digest),
        Column(pgettext_lazy("column", "Id"), lambda one: one.public_id),
    ]


def kind_text(approval: Approval) -> str:
    return str(KIND_NAMES.get(approval.kind, approval.kind))


def limits_text(approval: Approval) -> str:
    return separated(label_text(one.name, one.text) for one in stored_lines(approval))


@admin.register(Approval)
class ApprovalAdmin(WordSearch, ReadOnlyAdmin):
    list_title = ALL
    list_display = ("asked", "what", "size", "asker", "state_", "decided", "reason")
    list_display_links = ("asked", "what")
    list_select_related = ("account", "asked_by", "decided_by")
    list_filter = (
        DecisionFilter,
        KindFilter,
        ("asked_by", RelatedFilter),
        ("decided_by", RelatedFilter),
        AccountFilter,
        ("asked_at", LocalTimeFilter),
    )
    list_export = ListExport("approvals", decision_columns)
    time_field = "asked_at"
    sortable_by = ("asked",)
    search_fields = ("pk",)
    search_help_text = _("Name, reason, username or id")
    ordering = ("-asked_at", "-pk")
    actions = ()

    def has_module_permission(self, request: HttpRequest) -> bool:
        return self.has_view_permission(request)

    def has_view_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return request.user.has_perm(PERMISSION) or super().has_view_permission(request, obj)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Approval]:
        rows: QuerySet[Approval] = super().get_queryset(request)
        return rows.exclude(state=ApprovalState.WAITING)

    def object_url(self, obj: Model, name: str = "change") -> str:
        """Each request has one page, whether it waits or was decided."""
        if name != "change" or not isinstance(obj, Approval):
            return super().object_url(obj, name)
        return reverse("admin:approval", args=[obj.public_id])

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        answer = super().changeform_view(request, object_id, form_url, extra_context)
        found = self.get_object(request, object_id) if object_id else None
        return answer if found is None else HttpResponseRedirect(self.object_url(found))

    def list_crumb(self) -> Crumb:
        return Crumb(str(ALL), reverse(self.url_name("changelist")))

    def search_rows(self, rows: QuerySet[Any], term: str) -> QuerySet[Any]:
        people = Q(asked_by__username=term) | Q(decided_by__username=term)
        words = Q(title__icontains=term) | Q(why__icontains=term) | Q(comment__icontains=term)
        return rows.filter(Q(public_id=term) | people | words)

    def get_empty_state(self, request: HttpRequest) -> EmptyState:
        return EmptyState(_("Nothing has been decided yet."), icon="approval")

    @admin.display(description=_("Requested at"), ordering="asked_at")
    def asked(self, one: Approval) -> SafeString:
        return when(one.asked_at)

    @admin.display(description=pgettext_lazy("column", "What"))
    def what(self, one: Approval) -> str:
        return with_detail(data(show(one.title)), str(one.account.name))

    @admin.display(description=pgettext_lazy("column", "Size"))
    def size(self, one: Approval) -> str:
        return kind_of(one.kind).size_text(one.count)

    @admin.display(description=_("Requested by"))
    def asker(self, one: Approval) -> SafeString:
        return data(person_name(one.asked_by))

    @admin.display(description=pgettext_lazy("column", "State"))
    def state_(self, one: Approval) -> SafeString:
        return state_label("approval", one.state)

    @admin.display(description=pgettext_lazy("column", "Decided"))
    def decided(self, one: Approval) -> str:
        by = data(person_name(one.decided_by)) if one.decided_by else SafeString("")
        return with_detail(by, when(one.decided_at)) if by else when(one.decided_at)

    @admin.display(description=_("Reason of the decision"))
    def reason(self, one: Approval) -> SafeString:
        return data(show(one.comment))
