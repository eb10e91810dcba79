"""The admin page of daily limits: how much staff may send and rent in any 24 hours."""

from __future__ import annotations

from typing import Any, ClassVar

from django import forms
from django.contrib import admin
from django.contrib.auth.models import Group, User
from django.core.exceptions import ValidationError
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import gettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminSelectWidget

from core.acts import record_act
from core.admin.base import PortalAdmin
from core.admin.buttons import EmptyState
from core.admin.pages import current_user
from core.people import person_name
from providers import daily_limits
from providers.models import DailyLimit

from .delegation import may_limit
from .list_exports import LIMITS
from .roles import role_label


class RoleChoice(forms.ModelChoiceField):  # type: ignore[type-arg]
    def label_from_instance(self, obj: Any) -> str:
        return role_label(obj.name)


class PersonChoice(forms.ModelChoiceField):  # type: ignore[type-arg]
    def label_from_instance(self, obj: Any) -> str:
        return person_name(obj)


class DailyLimitForm(forms.ModelForm):  # type: ignore[type-arg]
    user = PersonChoice(
        label=_("Member of staff"),
        queryset=User.objects.order_by("username"),
        required=False,
        empty_label=pgettext_lazy("choice", "none"),
        widget=UnfoldAdminSelectWidget(),
    )
    group = RoleChoice(
        label=pgettext_lazy("field", "Role"),
        queryset=Group.objects.order_by("name"),
        required=False,
        empty_label=pgettext_lazy("choice", "none"),
        widget=UnfoldAdminSelectWidget(),
    )

    actor: User

    class Meta:
        model = DailyLimit
        fields = ("user", "group", "what", "most")
        help_texts: ClassVar = {
            "most": _(
                "Limit per 24 hours. A staff member's own limit applies first, then the"
                " highest limit of their roles, then the portal default."
            )
        }

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        if bool(cleaned.get("user")) == bool(cleaned.get("group")):
            raise ValidationError(gettext("Choose either a staff member or a role."))
        if not may_limit(self.actor, cleaned.get("user") or cleaned["group"]):
            raise ValidationError(
                gettext(
                    "You can only set limits of people and roles with fewer permissions than you,"
                    " and not your own."
                )
            )
        return cleaned


def _may_change(request: HttpRequest, limit: DailyLimit) -> bool:
    target = limit.user or limit.group
    return target is not None and may_limit(request.user, target)


def _record(what: str, request: HttpRequest, limit: DailyLimit) -> None:
    subject = f"user:{limit.user_id}" if limit.user_id else f"role:{limit.group_id}"
    by = current_user(request)
    record_act(what, by=by, subject=subject, what_is_limited=limit.what, most=limit.most)


@admin.register(DailyLimit)
class DailyLimitAdmin(PortalAdmin):
    """A person's own limit applies, else the highest of their roles', else the portal's."""

    records_acts = True
    list_export = LIMITS
    form = DailyLimitForm
    list_title = _("Daily limits")
    add_title = _("Add daily limit")
    list_display = ("whose", "what", "most", "used_now")
    list_filter = ("what",)
    ordering = ("user__username", "group__name", "what")

    def get_queryset(self, request: HttpRequest) -> QuerySet[DailyLimit]:
        rows: QuerySet[DailyLimit] = super().get_queryset(request)
        return rows.select_related("user", "group")

    @admin.display(description=_("Applies to"))
    def whose(self, limit: DailyLimit) -> str:
        return (
            person_name(limit.user)
            if limit.user
            else role_label(limit.group.name if limit.group else "")
        )

    @admin.display(description=_("Used in the last 24 hours"))
    def used_now(self, limit: DailyLimit) -> str:
        if limit.user_id is None:
            return ""
        cap = daily_limits.Cap(limit.what, "user", str(limit.user_id), limit.most)
        return str(daily_limits.usage_of(cap))

    def get_form(
        self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any
    ) -> Any:
        form: Any = super().get_form(request, obj, change=change, **kwargs)
        form.actor = current_user(request)
        return form

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        allowed = bool(request.user.has_perm("providers.change_dailylimit"))
        return allowed and (not isinstance(obj, DailyLimit) or _may_change(request, obj))

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """A limit may be deleted, because a record of it is kept."""
        return self.has_change_permission(request, obj)

    def save_model(self, request: HttpRequest, obj: DailyLimit, form: Any, change: bool) -> None:
        super().save_model(request, obj, form, change)
        _record("limit.set", request, obj)

    def delete_model(self, request: HttpRequest, obj: DailyLimit) -> None:
        _record("limit.delete", request, obj)
        super().delete_model(request, obj)

    def get_empty_state(self, request: HttpRequest) -> EmptyState:
        return EmptyState(
            _("No individual limits yet; the portal default applies."),
            self.get_list_primary(request),
            "speed",
        )

    def redirect_after_save(self, request: HttpRequest, obj: Model, *, added: bool) -> HttpResponse:
        super().redirect_after_save(request, obj, added=added)
        return HttpResponseRedirect(reverse(self.url_name("changelist")))
