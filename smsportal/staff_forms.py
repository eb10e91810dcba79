"""Forms of staff: roles and permissions to choose from, and who may give them."""

from __future__ import annotations

from typing import Any, ClassVar

from django import forms
from django.contrib.auth.forms import UsernameField
from django.contrib.auth.models import Group, Permission, User
from django.db.models import Model, Q, QuerySet
from django.utils.translation import gettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _
from unfold.forms import UserChangeForm
from unfold.widgets import UnfoldAdminCheckboxSelectMultipleWidget, UnfoldAdminTextInputWidget

from core.admin.buttons import Text

from .delegation import holds_more
from .roles import permission_label, role_label

# The stubs do not know them as generic, or not at all.
ModelMultipleChoiceField: Any = forms.ModelMultipleChoiceField
ChangeForm: Any = UserChangeForm


class RoleField(ModelMultipleChoiceField):
    def label_from_instance(self, obj: Model) -> str:
        return role_label(obj.name) if isinstance(obj, Group) else str(obj)


class PermissionField(ModelMultipleChoiceField):
    def label_from_instance(self, obj: Model) -> str:
        return permission_label(obj) if isinstance(obj, Permission) else str(obj)


def role_field(queryset: QuerySet[Group]) -> RoleField:
    return RoleField(
        queryset,
        label=pgettext_lazy("field", "Roles"),
        required=False,
        widget=UnfoldAdminCheckboxSelectMultipleWidget,
        help_text=_("You can only assign roles with fewer permissions than you have."),
    )


def permission_field(
    queryset: QuerySet[Permission], label: Text, help_text: Text = ""
) -> PermissionField:
    return PermissionField(
        queryset,
        label=label,
        required=False,
        widget=UnfoldAdminCheckboxSelectMultipleWidget,
        help_text=help_text,
    )


class StaffForm(ChangeForm):
    """`actor` is set by the admin. The people who edit stay above those whom they edit."""

    actor: User

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        roles = cleaned.get("groups")
        single = cleaned.get("user_permissions")
        if roles is not None and single is not None:
            held = Q(pk__in=[one.pk for one in single]) | Q(group__in=[one.pk for one in roles])
            wanted = Permission.objects.filter(held).distinct()
            if not holds_more(self.actor, wanted):
                raise forms.ValidationError(
                    gettext("You can only give a part of your own permissions, not all of them.")
                )
        return cleaned


class NewStaffForm(forms.ModelForm):  # type: ignore[type-arg]
    """A name. The person chooses the password, by a link."""

    class Meta:
        model = User
        fields = ("username",)
        field_classes: ClassVar = {"username": UsernameField}
        widgets: ClassVar = {"username": UnfoldAdminTextInputWidget}

    def save(self, commit: bool = True) -> User:
        person: User = super().save(commit=False)
        person.set_unusable_password()
        if commit:
            person.save()
        return person
