"""Admin pages of staff, for managers, and of roles, for superusers."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.contrib.admin.utils import unquote
from django.contrib.auth.admin import GroupAdmin, UserAdmin
from django.contrib.auth.models import Group, Permission, User
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext, pgettext_lazy

from core.acts import record_act
from core.admin.base import PortalAdmin
from core.admin.buttons import Crumb
from core.admin.pages import current_user
from core.stored_texts import declare
from core.times import when
from providers.approvals import limit_switch

from ..rights.delegation import (
    grantable_permissions,
    grantable_roles,
    may_edit,
    may_reset_password,
    permissions_of,
)
from ..rights.roles import role_label, role_names
from ..sign_in.factor_reset import ResetFactors, factor_cell
from ..sign_in.local_accounts import may_sign_in_locally
from ..sign_in.password_links import link_cell, make_link
from ..sign_in.session_ending import EndSessions, sessions_cell
from ..sign_in.sessions import end_sessions
from . import list_exports
from .staff_filters import RoleFilter
from .staff_forms import RoleForm, StaffForm, permission_field, role_field

# Django's classes and ours both inherit from its ModelAdmin, which the stubs reject.
DjangoUserAdmin: Any = UserAdmin
DjangoGroupAdmin: Any = GroupAdmin

admin.site.unregister([User, Group])

SIGN_IN = ("new_password", "second_factor", "sessions")
LINK_MADE = declare("staff.link", _("One-time link created"))


@admin.register(User)
class StaffAdmin(DjangoUserAdmin, PortalAdmin):
    records_acts = True
    list_export = list_exports.STAFF
    form = StaffForm
    add_form = StaffForm
    list_title = pgettext_lazy("title", "Staff")
    add_title = _("Add staff member")
    list_display = ("username", "full_name", "roles", "active", "last_seen")
    list_filter = ("is_active", RoleFilter)
    change_form_template = "admin/auth/user/change_form.html"
    add_form_template = None
    search_fields = ("username", "first_name", "last_name", "email")
    ordering = ("username",)
    filter_horizontal = ()
    pages = (
        ("<str:object_id>/reset-factors/", "reset_factors", ResetFactors),
        ("<str:object_id>/end-sessions/", "end_sessions", EndSessions),
    )

    # --- list --------------------------------------------------------------
    def get_queryset(self, request: HttpRequest) -> QuerySet[User]:
        rows: QuerySet[User] = super().get_queryset(request).prefetch_related("groups")
        return rows

    @admin.display(description=pgettext_lazy("person", "Name"))
    def full_name(self, user: User) -> str:
        return user.get_full_name()

    @admin.display(description=pgettext_lazy("column", "Roles"))
    def roles(self, user: User) -> str:
        return role_names(user)

    @admin.display(
        description=pgettext_lazy("column", "Active"), boolean=True, ordering="is_active"
    )
    def active(self, user: User) -> bool:
        return user.is_active

    @admin.display(description=_("Last sign-in"), ordering="last_login")
    def last_seen(self, user: User) -> str:
        return when(user.last_login)

    # --- form --------------------------------------------------------------
    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        own = obj is not None and obj.pk == request.user.pk
        signs_in = (
            ["username", "new_password", "second_factor", "is_active"] if obj else ["username"]
        )
        if obj and may_reset_password(request.user, obj):
            signs_in.insert(-1, "sessions")
        if obj and request.user.is_superuser:
            signs_in.append("is_superuser")
        person = (("first_name", "last_name"), "email", ("language", "time_zone"))
        return (
            (pgettext_lazy("title", "Person"), {"fields": person}),
            (pgettext_lazy("title", "Sign-in"), {"fields": signs_in}),
            (pgettext_lazy("title", "Roles"), {"fields": ["roles" if own else "groups"]}),
            (_("Individual permissions"), {"fields": ["user_permissions"]}),
        )

    def get_form(
        self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any
    ) -> type[forms.ModelForm[Any]]:
        form: type[forms.ModelForm[Any]] = super().get_form(request, obj, change=change, **kwargs)
        form.actor = current_user(request)  # type: ignore[attr-defined]
        roles = grantable_roles(request.user)
        if "groups" in form.base_fields:
            form.base_fields["groups"] = role_field(roles)
        if "user_permissions" in form.base_fields:
            form.base_fields["user_permissions"] = permission_field(
                grantable_permissions(request.user),
                pgettext_lazy("field", "Permissions"),
                _("In addition to those of the roles."),
                roles,
            )
        if "is_active" in form.base_fields:
            form.base_fields["is_active"].help_text = _(
                "Untick to block sign-in with this username. No data is deleted."
            )
        return form

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        # Staff can neither lock themselves out nor change their own permissions.
        if obj is not None and obj.pk == request.user.pk:
            own = ("is_active", "is_superuser", "roles", "user_permissions")
            return (*SIGN_IN, *own)
        return SIGN_IN

    @admin.display(description=pgettext_lazy("column", "Password"))
    def new_password(self, user: User) -> str:
        return link_cell(user, reverse("admin:auth_user_password_change", args=[user.pk]))

    @admin.display(description=pgettext_lazy("field", "Second factor"))
    def second_factor(self, user: User) -> str:
        return factor_cell(user, self.object_url(user, "reset_factors"))

    @admin.display(description=pgettext_lazy("field", "Sessions"))
    def sessions(self, user: User) -> str:
        return sessions_cell(user, self.object_url(user, "end_sessions"))

    def user_change_password(
        self,
        request: HttpRequest,
        id: str,  # noqa: A002 - Django's name
        form_url: str = "",
    ) -> HttpResponse:
        """The page that makes a one-time link. It keeps the address of Django's page."""
        person = self.get_object(request, unquote(id))
        if not isinstance(person, User):
            raise Http404
        may_edit_staff = super().has_change_permission(request, person)
        if not may_sign_in_locally(person):
            raise Http404
        if not may_edit_staff or not may_reset_password(request.user, person):
            raise PermissionDenied
        link = self._make_link(request, person) if request.method == "POST" else ""
        return self._link_page(request, person, link)

    def _link_page(
        self, request: HttpRequest, person: User, link: str, *, is_new: bool = False
    ) -> HttpResponse:
        title = pgettext("title", "Invitation") if is_new else _("One-time link")
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": title,
            "trail": [self.list_crumb(), Crumb(str(person), self.object_url(person)), Crumb(title)],
            "person": person,
            "link": link,
            "is_new": is_new,
            "has_roles": is_new and person.groups.exists(),
            "page": self.object_url(person),
        }
        answer = TemplateResponse(request, "admin/auth/user/one_time_link.html", context)
        answer["Cache-Control"] = "no-store"
        return answer

    def _make_link(self, request: HttpRequest, person: User) -> str:
        with transaction.atomic():
            record_act("staff.link", by=current_user(request), subject=f"user:{person.pk}")
            self.log_change(request, person, LINK_MADE.store())
        return make_link(request, person)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        allowed: bool = super().has_change_permission(request, obj)
        return allowed and (obj is None or may_edit(request.user, obj))

    def save_model(self, request: HttpRequest, obj: User, form: Any, change: bool) -> None:
        # The portal has no other users: without this flag, they could not sign in.
        obj.is_staff = True
        super().save_model(request, obj, form, change)

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        """Record who changed whose account. It runs after the roles have been saved."""
        super().save_related(request, form, formsets, change)
        form.save_preferences()
        person: User = form.instance
        if not person.is_active:
            # Otherwise, they would live on if the account is opened again soon.
            end_sessions(person)
        record_act(
            "staff.change" if change else "staff.add",
            by=current_user(request),
            subject=f"user:{person.pk}",
            fields=form.changed_data,
            active=person.is_active,
            roles=sorted(person.groups.values_list("name", flat=True)),
            permissions=permissions_of(person).count(),
        )
        limit_switch.look(current_user(request))

    def redirect_after_save(self, request: HttpRequest, obj: Any, *, added: bool) -> HttpResponse:
        """After adding, the page that shows the invitation link, which is stored nowhere."""
        if not added or not may_sign_in_locally(obj):
            return super().redirect_after_save(request, obj, added=added)
        return self._link_page(request, obj, self._make_link(request, obj), is_new=True)


@admin.register(Group)
class RoleAdmin(DjangoGroupAdmin, PortalAdmin):
    """For superusers only, because a role may hold any permission."""

    form = RoleForm
    is_for_superusers = True
    act_kind = "role"
    records_acts = True
    list_export = list_exports.ROLES
    list_title = pgettext_lazy("title", "Roles")
    list_display = ("role", "holders")
    filter_horizontal = ()

    add_title = _("Add role")

    def get_detail_title(self, request: HttpRequest, obj: Any) -> str:
        return role_label(obj.name)

    @admin.display(description=pgettext_lazy("column", "Role"), ordering="name")
    def role(self, group: Group) -> str:
        return role_label(group.name)

    @admin.display(description=pgettext_lazy("column", "Staff"))
    def holders(self, group: Group) -> int:
        return group.user_set.count()

    def get_form(
        self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any
    ) -> type[forms.ModelForm[Any]]:
        form: type[forms.ModelForm[Any]] = super().get_form(request, obj, change=change, **kwargs)
        if "permissions" in form.base_fields:
            offered = grantable_permissions(request.user) | Permission.objects.filter(
                content_type__app_label="auth", content_type__model="user"
            ).exclude(codename="delete_user").select_related("content_type")
            form.base_fields["permissions"] = permission_field(
                offered, pgettext_lazy("field", "Permissions")
            )
        return form

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        super().save_related(request, form, formsets, change)
        role: Group = form.instance
        record_act(
            "role.change" if change else "role.add",
            by=current_user(request),
            subject=f"role:{role.pk}",
            fields=form.changed_data,
            permissions=sorted(role.permissions.values_list("codename", flat=True)),
        )
        limit_switch.look(current_user(request))

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.is_active and request.user.is_superuser

    has_change_permission = has_view_permission

    def has_add_permission(self, request: HttpRequest) -> bool:
        return self.has_view_permission(request)

    def has_module_permission(self, request: HttpRequest) -> bool:
        return self.has_view_permission(request)
