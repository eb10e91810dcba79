"""The page of caps: how much may go out in a minute, an hour or 24 hours."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from django.contrib import admin
from django.contrib.admin import SimpleListFilter
from django.db.models import Model, Q, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from core.acts import record_act
from core.admin.base import PortalAdmin
from core.admin.buttons import EmptyState
from core.admin.pages import current_user
from core.masking import data
from core.people import person_name
from core.phones.parse import mask
from providers import clock
from providers.caps.cap import EACH, Cap, Name
from providers.caps.room import read_usage
from providers.caps.windows import Window
from providers.models import DailyLimit

from ..rights.delegation import may_limit
from .cap_exports import LIMITS
from .cap_form import CapForm
from .cap_texts import kind_text, names_of_accounts, subject_of
from .default_caps import may_change_default, shown_defaults

WHOSE: Final = "cap_of"


class KindFilter(SimpleListFilter):
    """A row of a person or a role names no scope."""

    title = _("Applies to")
    parameter_name = WHOSE

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [*DailyLimit.Scope.choices, ("role", pgettext_lazy("cap", "Role"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[DailyLimit]) -> Any:
        chosen = self.value()
        if chosen == "role":
            return queryset.filter(group__isnull=False)
        if chosen == "user":
            return queryset.filter(Q(user__isnull=False) | Q(scope="user"))
        return queryset.filter(scope=chosen) if chosen else queryset


def cap_of(limit: DailyLimit) -> Cap | None:
    """The cap whose usage one number states; None if each of several has its own."""
    scope, key = ("user", str(limit.user_id)) if limit.user_id else (limit.scope, limit.key)
    if limit.group_id is not None or key == EACH:
        return None
    return Cap(limit.what, scope, key, limit.most, Window(limit.window), limit.pk)


def _may_change(request: HttpRequest, limit: DailyLimit) -> bool:
    target = limit.user or limit.group
    return bool(limit.scope) or (target is not None and may_limit(request.user, target))


def _record(request: HttpRequest, limit: DailyLimit, most: int | None, before: int | None) -> None:
    """Record the new size of a cap; None if it was removed."""
    subject = f"cap:{limit.pk}"
    if limit.user_id or limit.group_id:
        subject = f"user:{limit.user_id}" if limit.user_id else f"role:{limit.group_id}"
    record_act(
        "cap.change",
        by=current_user(request),
        subject=subject,
        what_is_limited=limit.what,
        window=str(limit.window),
        scope=limit.scope,
        key=mask(limit.key) if limit.scope == "number" and limit.key != EACH else limit.key,
        most=most,
        before=before,
    )


@admin.register(DailyLimit)
class CapAdmin(PortalAdmin):
    """A person's own cap applies, else the highest of their roles', else that of each person."""

    records_acts = True
    list_export = LIMITS
    form = CapForm
    list_title = pgettext_lazy("title", "Caps")
    add_title = _("Add cap")
    list_display = ("whose", "kind_of_subject", "what", "window", "most", "used_now", "setter")
    list_filter = (KindFilter, "what", "window")
    ordering = ("user__username", "group__name", "scope", "key", "what", "window")
    list_before_template = "portal/caps/defaults.html"

    class Media:
        js = ("portal/cap_form.js",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[DailyLimit]:
        rows: QuerySet[DailyLimit] = super().get_queryset(request)
        return rows.select_related("user", "group", "set_by")

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Sequence[str]:
        return (*CapForm.field_order, "confirmed")

    def prepare_rows(self, rows: Sequence[DailyLimit]) -> None:
        """The names of accounts and the usage of all rows of the page, in a few queries."""
        names = names_of_accounts(rows)
        caps = {row.pk: cap for row in rows if (cap := cap_of(row)) is not None}
        usage: dict[Name, int] = read_usage(caps.values())
        for row in rows:
            row.subject = subject_of(row, names)  # type: ignore[attr-defined]
            cap = caps.get(row.pk)
            row.used = None if cap is None else usage.get(cap.name, 0)  # type: ignore[attr-defined]

    @admin.display(description=_("Applies to"))
    def whose(self, limit: DailyLimit) -> SafeString:
        return data(getattr(limit, "subject", ""))

    @admin.display(description=pgettext_lazy("column", "Kind"))
    def kind_of_subject(self, limit: DailyLimit) -> str:
        return kind_text(limit)

    @admin.display(description=pgettext_lazy("column", "Used now"))
    def used_now(self, limit: DailyLimit) -> str:
        used = getattr(limit, "used", None)
        return "" if used is None else f"{used:,}"

    @admin.display(description=_("Set by"))
    def setter(self, limit: DailyLimit) -> SafeString | str:
        return data(person_name(limit.set_by)) if limit.set_by else ""

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        context = {"defaults": list(shown_defaults()), **(extra_context or {})}
        return super().changelist_view(request, context)

    def get_form(
        self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any
    ) -> Any:
        # The fields of the subject are the form's own, not the model's.
        kwargs["fields"] = CapForm.Meta.fields
        form: Any = super().get_form(request, obj, change=change, **kwargs)
        form.actor = current_user(request)
        return form

    def get_detail_title(self, request: HttpRequest, obj: DailyLimit) -> str:
        return subject_of(obj, names_of_accounts([obj]))

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        allowed = bool(request.user.has_perm("providers.change_dailylimit"))
        return allowed and (not isinstance(obj, DailyLimit) or _may_change(request, obj))

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """A cap may be deleted, because a record of it is kept."""
        if not self.has_change_permission(request, obj):
            return False
        if not isinstance(obj, DailyLimit) or obj.scope != "user":
            return True
        return may_change_default(current_user(request), obj.what, obj.window, None)

    def save_model(self, request: HttpRequest, obj: DailyLimit, form: Any, change: bool) -> None:
        before = form.initial.get("most") if change else None
        obj.set_by, obj.set_at = current_user(request), clock.now()
        super().save_model(request, obj, form, change)
        _record(request, obj, obj.most, before)

    def delete_model(self, request: HttpRequest, obj: DailyLimit) -> None:
        _record(request, obj, None, obj.most)
        super().delete_model(request, obj)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[DailyLimit]) -> None:
        for limit in queryset:
            self.delete_model(request, limit)

    def get_empty_state(self, request: HttpRequest) -> EmptyState:
        return EmptyState(
            _("No caps of your own yet; the portal default applies."),
            self.get_list_primary(request),
            "speed",
        )

    def redirect_after_save(self, request: HttpRequest, obj: Model, *, added: bool) -> HttpResponse:
        super().redirect_after_save(request, obj, added=added)
        return HttpResponseRedirect(reverse(self.url_name("changelist")))
