"""Widgets of the staff form: a card for each role, and single permissions folded by area."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Final

from django import forms
from django.contrib.auth.models import Group, Permission
from django.template.loader import render_to_string
from django.utils.functional import Promise
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from ..rights.roles import permission_label, role_label, role_sentence

AREAS: Final[tuple[tuple[tuple[str, ...], Promise], ...]] = (
    (("messaging",), pgettext_lazy("section", "Messages")),
    (("otp",), pgettext_lazy("section", "Codes")),
    (("rentals",), pgettext_lazy("section", "Rented numbers")),
    (("providers",), _("Accounts and providers")),
    (("lookup", "figures", "core"), _("Numbers and figures")),
    (("alerts",), pgettext_lazy("section", "Alerts")),
    (("auth", "audit", "auditlog", "smsportal"), _("People and audit")),
)
"""What permissions are about, by the app of their model."""


@dataclass
class Area:
    """One folded group of permissions, and how many of them are ticked."""

    title: Promise
    options: list[dict[str, Any]] = field(default_factory=list)

    @property
    def ticked(self) -> int:
        return sum(option["selected"] for option in self.options)


class _Boxes(forms.CheckboxSelectMultiple):
    """Check boxes drawn by a template of ours, which Django's form renderer would not find."""

    page_template = ""

    def render(self, name: str, value: Any, attrs: Any = None, renderer: Any = None) -> SafeString:
        context = self.get_context(name, value, attrs)["widget"]
        options = [option for _group, options, _n in context["optgroups"] for option in options]
        own = {"options": options, "id": context["attrs"].get("id", ""), **self.more(options)}
        return SafeString(render_to_string(self.page_template, own))

    def more(self, options: list[dict[str, Any]]) -> dict[str, Any]:
        return {}


class RoleCards(_Boxes):
    """A card for each role, with a sentence on what its holders do."""

    page_template = "portal/role_cards.html"

    def create_option(self, *args: Any, **kwargs: Any) -> dict[str, Any]:
        option: dict[str, Any] = super().create_option(*args, **kwargs)
        role = getattr(option["value"], "instance", None)
        if isinstance(role, Group):
            option["sentence"] = role_sentence(role)
        return option


class FoldedPermissions(_Boxes):
    """Permissions in words, folded by area. Each says from which roles a person has it anyway."""

    page_template = "portal/folded_permissions.html"
    roles: Iterable[Group] = ()
    """The roles that the form offers, with their permissions."""

    def more(self, options: list[dict[str, Any]]) -> dict[str, Any]:
        included: dict[int, list[int]] = {}
        for role in self.roles:
            for permission in role.permissions.all():
                included.setdefault(permission.pk, []).append(role.pk)
        areas, by_app = [], {}
        for apps, title in AREAS:
            areas.append(Area(title))
            by_app.update(dict.fromkeys(apps, areas[-1]))
        for option in options:
            one = getattr(option["value"], "instance", None)
            if isinstance(one, Permission):
                option["roles"] = " ".join(map(str, included.get(one.pk, ())))
                by_app.get(one.content_type.app_label, areas[-1]).options.append(option)
        names = [(role.pk, role_label(role.name)) for role in self.roles]
        return {"areas": [area for area in areas if area.options], "roles": names}


class RoleField(forms.ModelMultipleChoiceField):  # type: ignore[type-arg]
    widget = RoleCards

    def label_from_instance(self, obj: Any) -> str:
        return role_label(obj.name)


class PermissionField(forms.ModelMultipleChoiceField):  # type: ignore[type-arg]
    widget = FoldedPermissions

    def label_from_instance(self, obj: Any) -> str:
        return permission_label(obj)
