"""The form of a cap: what it applies to, what it counts, and how much."""

from __future__ import annotations

from hashlib import sha256
from typing import Any, ClassVar, Final

from django import forms
from django.contrib.auth.models import Group, User
from django.core.exceptions import ValidationError
from django.utils.translation import gettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminSelectWidget

from core.admin.buttons import Text
from providers.admin.country_field import country_choices
from providers.caps.cap import ALL, EACH
from providers.caps.windows import Window
from providers.models import DailyLimit

from ..rights.delegation import may_limit
from .cap_fields import (
    RoleChoice,
    account_field,
    person_field,
    read_number,
    read_prefix,
    typed_field,
)
from .default_caps import may_change_default
from .effect import Effect, effect_of

What = DailyLimit.What
APPLIES_TO: Final[tuple[tuple[str, Text], ...]] = (
    ("person", _("One person")),
    ("role", _("Each person of a role")),
    ("each_person", _("Each person without a cap of their own")),
    ("account", _("One account")),
    ("number", _("One phone number")),
    ("each_number", _("Each phone number")),
    ("prefix", _("All numbers that begin with a prefix, together")),
    ("each_range", _("Each range of 10,000 numbers")),
    ("country", _("One country or region")),
    ("each_country", _("Every other country or region, each on its own")),
)
_SCOPES: Final = {
    "each_person": "user",
    "account": "account",
    "number": "number",
    "each_number": "number",
    "prefix": "prefix",
    "each_range": "prefix",
    "country": "country",
    "each_country": "country",
}
_PEOPLE: Final = ("person", "role", "each_person")
_FIELDS: Final = {
    "person": "user",
    "role": "group",
    "account": "account",
    "number": "number",
    "prefix": "starts_with",
    "country": "country",
}
"""The field that names what the cap applies to."""


class CapForm(forms.ModelForm):  # type: ignore[type-arg]
    applies_to = forms.ChoiceField(
        label=_("Applies to"),
        choices=APPLIES_TO,
        required=False,
        widget=UnfoldAdminSelectWidget({"data-cap-subject": "1"}),
    )
    user = person_field()
    group = RoleChoice(
        label=pgettext_lazy("field", "Role"),
        queryset=Group.objects.order_by("name"),
        required=False,
        empty_label=pgettext_lazy("choice", "none"),
        widget=UnfoldAdminSelectWidget(),
    )
    account = account_field()
    number = typed_field(_("Phone number"))
    starts_with = typed_field(
        pgettext_lazy("field", "Prefix"),
        _("With + and the country code, such as +86139."),
    )
    country = forms.ChoiceField(
        label=_("Country or region"),
        choices=lambda: [("", "–"), *country_choices()],
        required=False,
        widget=UnfoldAdminSelectWidget(),
    )
    confirmed = forms.CharField(required=False, max_length=200, label="", widget=forms.HiddenInput)
    """What the person saw of the effect when they saved again."""

    actor: User
    effect: Effect | None = None

    class Meta:
        model = DailyLimit
        fields = ("user", "group", "what", "window", "most")
        help_texts: ClassVar = {
            "window": _("Any such time: it does not begin at midnight or at a full hour."),
            "most": _("0 lets nothing through. What is exempt does not count."),
        }

    field_order = (
        "applies_to",
        "user",
        "group",
        "account",
        "number",
        "starts_with",
        "country",
        "what",
        "window",
        "most",
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["window"].required = False
        limit = self.instance
        if limit.pk:
            self.initial = {**self.initial, **_subject_of(limit)}

    def clean_window(self) -> str:
        return str(self.cleaned_data.get("window") or Window.DAY)

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        applies = self._applies_to(cleaned)
        cleaned["user"] = cleaned.get("user") if applies == "person" else None
        cleaned["group"] = cleaned.get("group") if applies == "role" else None
        self.instance.scope = _SCOPES.get(applies, "")
        self.instance.key = self._key(applies, cleaned)
        if self.errors:
            return cleaned
        self._check_kind(applies, cleaned)
        if not self.errors:
            self._check_rights(applies, cleaned)
            self._check_first(cleaned)
        if not self.errors:
            self._check_effect(cleaned)
        return cleaned

    def _applies_to(self, cleaned: dict[str, Any]) -> str:
        chosen = str(cleaned.get("applies_to") or "")
        if chosen:
            return chosen
        if bool(cleaned.get("user")) == bool(cleaned.get("group")):
            raise ValidationError(gettext("Choose either a staff member or a role."))
        return "person" if cleaned.get("user") else "role"

    def _key(self, applies: str, cleaned: dict[str, Any]) -> str:
        """The key of what the cap applies to. Adds an error to the field that misses it."""
        field = _FIELDS.get(applies)
        if field is None:
            return EACH
        value = cleaned.get(field)
        if not value:
            if field not in self.errors:
                self.add_error(field, gettext("Enter what the cap applies to."))
            return ""
        try:
            if applies == "number":
                return read_number(value)
            if applies == "prefix":
                return read_prefix(value)
        except ValidationError as error:
            self.add_error(field, error)
            return ""
        if applies == "account":
            return str(value.pk)
        return str(value) if applies == "country" else ""

    def _check_kind(self, applies: str, cleaned: dict[str, Any]) -> None:
        what, window = cleaned["what"], cleaned["window"]
        if applies in _PEOPLE and what == ALL:
            self.add_error("what", gettext("Set a cap for each kind: people have no common one."))
        if self.instance.scope in ("number", "prefix") and what == What.ORDERS:
            self.add_error(
                "what", gettext("Rented numbers have caps per person, account and country.")
            )
        if applies == "account" and what == ALL and window == Window.DAY:
            self.add_error(
                "what", gettext("Set this limit on the page of the account, in the field for it.")
            )
        if self.instance.scope == "number" and what == What.CODES and window == Window.MINUTE:
            self.add_error(
                "window", gettext("One code a minute to a number is fixed and cannot be changed.")
            )

    def _check_rights(self, applies: str, cleaned: dict[str, Any]) -> None:
        if applies in ("person", "role") and not may_limit(
            self.actor, cleaned.get("user") or cleaned["group"]
        ):
            raise ValidationError(
                gettext(
                    "You can only set limits of people and roles with fewer permissions than you,"
                    " and not your own."
                )
            )
        if applies == "each_person" and not may_change_default(
            self.actor, cleaned["what"], cleaned["window"], cleaned["most"]
        ):
            raise ValidationError(
                gettext("This cap is yours, too, so you can only lower it. Ask another manager.")
            )

    def _check_first(self, cleaned: dict[str, Any]) -> None:
        same = DailyLimit.objects.filter(
            user=cleaned["user"],
            group=cleaned["group"],
            scope=self.instance.scope,
            key=self.instance.key,
            what=cleaned["what"],
            window=cleaned["window"],
        )
        if same.exclude(pk=self.instance.pk).exists():
            raise ValidationError(gettext("There is such a cap already. Change that one."))

    def _check_effect(self, cleaned: dict[str, Any]) -> None:
        """Say who would be over the cap, until the person saves it again."""
        limit = DailyLimit(
            user=cleaned["user"],
            group=cleaned["group"],
            scope=self.instance.scope,
            key=self.instance.key,
            what=cleaned["what"],
            window=cleaned["window"],
            most=cleaned["most"],
        )
        self.effect = effect_of(limit)
        shown = (limit.user_id, limit.group_id, limit.scope, limit.key, limit.what, limit.window)
        seen = sha256(repr((*shown, limit.most)).encode()).hexdigest()
        if self.effect.over and cleaned.get("confirmed") != seen:
            self.data = {**self.data.dict(), "confirmed": seen}  # type: ignore[attr-defined]
            text = gettext("%(effect)s Nothing is set yet: save again to set the cap.")
            raise ValidationError(text % {"effect": self.effect.text})


def _subject_of(limit: DailyLimit) -> dict[str, Any]:
    """What the form shows of a saved cap."""
    if limit.user_id is not None:
        return {"applies_to": "person"}
    if limit.group_id is not None:
        return {"applies_to": "role"}
    if limit.key == EACH:
        each = {"user": "each_person", "prefix": "each_range"}
        return {"applies_to": each.get(limit.scope, f"each_{limit.scope}")}
    return {"applies_to": limit.scope, _FIELDS[limit.scope]: limit.key}
