"""The form of a member of staff: the person, the roles, and single permissions."""

from __future__ import annotations

from typing import Any, ClassVar

from django import forms
from django.conf import settings
from django.contrib.auth.forms import UsernameField
from django.contrib.auth.models import Group, Permission, User
from django.db.models import Q, QuerySet
from django.utils.translation import gettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminEmailInputWidget, UnfoldAdminSelectWidget
from unfold.widgets import UnfoldAdminTextInputWidget as TextWidget

from core.admin.buttons import Text
from core.names import GivenName
from core.people import NAME_FIELDS, clean_name
from core.punctuation import with_detail
from providers import clock

from ..localization.time_zones import offered_zones
from ..models import Preferences
from ..rights.delegation import holds_more
from .role_cards import FoldedPermissions, PermissionField, RoleField


def role_field(queryset: QuerySet[Group]) -> RoleField:
    return RoleField(
        queryset.prefetch_related("permissions"),
        label=pgettext_lazy("field", "Roles"),
        required=False,
        help_text=_("You can only assign roles with fewer permissions than you have."),
    )


def permission_field(
    queryset: QuerySet[Permission],
    label: Text,
    help_text: Text = "",
    roles: QuerySet[Group] | None = None,
) -> PermissionField:
    field = PermissionField(queryset, label=label, required=False, help_text=help_text)
    if isinstance(field.widget, FoldedPermissions) and roles is not None:
        field.widget.roles = roles.prefetch_related("permissions")
    return field


class RoleForm(forms.ModelForm):  # type: ignore[type-arg]
    class Meta:
        model = Group
        fields = ("name", "permissions")
        field_classes: ClassVar = {"name": GivenName}


class StaffForm(forms.ModelForm):  # type: ignore[type-arg]
    """`actor` is set by the admin. The people who edit stay above those whom they edit."""

    actor: User
    language = forms.ChoiceField(
        label=pgettext_lazy("title", "Language"), required=False, widget=UnfoldAdminSelectWidget
    )
    time_zone = forms.ChoiceField(
        label=pgettext_lazy("field", "Time zone"),
        required=False,
        widget=UnfoldAdminSelectWidget(attrs={"translate": "no"}),
    )

    class Meta:
        model = User
        fields = ("username", *NAME_FIELDS, "email")
        field_classes: ClassVar = {"username": UsernameField}
        widgets: ClassVar = {
            "username": TextWidget,
            "first_name": TextWidget,
            "last_name": TextWidget,
            "email": UnfoldAdminEmailInputWidget,
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        chosen = Preferences.objects.filter(pk=self.instance.pk).first() if self.instance else None
        as_portal = pgettext_lazy("choice", "as the portal")
        self._offer("language", [("", pgettext_lazy("choice", "as the browser asks"))])
        self._offer("time_zone", [("", as_portal)])
        for name in ("language", "time_zone"):
            if name in self.fields:
                self.initial.setdefault(name, getattr(chosen, name, ""))

    def _offer(self, name: str, first: list[tuple[str, Any]]) -> None:
        field = self.fields.get(name)
        if not isinstance(field, forms.ChoiceField):
            return
        if name == "language":
            field.choices = [*first, *settings.LANGUAGES]
        else:
            zones = offered_zones(clock.now())
            field.choices = [*first, *((zone, with_detail(zone, offset)) for zone, offset in zones)]

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        clean_name(self, cleaned)
        roles, single = cleaned.get("groups"), cleaned.get("user_permissions")
        if roles is not None and single is not None:
            held = Q(pk__in=[one.pk for one in single]) | Q(group__in=[one.pk for one in roles])
            wanted = Permission.objects.filter(held).distinct()
            if not holds_more(self.actor, wanted):
                raise forms.ValidationError(
                    gettext("You can only give a part of your own permissions, not all of them.")
                )
        return cleaned

    def save(self, commit: bool = True) -> User:
        person: User = super().save(commit=False)
        if person.pk is None:
            # The person chooses the password, by a link.
            person.set_unusable_password()
        if commit:
            person.save()
            self.save_m2m()
        return person

    def save_preferences(self) -> None:
        """Keep language and time zone. The person must have been saved."""
        wanted: dict[str, Any] = {
            name: self.cleaned_data[name]
            for name in ("language", "time_zone")
            if name in self.changed_data
        }
        if wanted:
            Preferences.objects.update_or_create(pk=self.instance.pk, defaults=wanted)
