"""The form that exempts a number, a prefix, a person or an account from caps."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from typing import Any, Final

from django import forms
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.translation import gettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget

from core.admin.reasons import MAX_REASON_LENGTH, says_something
from core.local_time import earliest_moment
from messaging.admin.start_form import DAY_FORMATS
from providers.caps.exemptions import LONGEST
from providers.models import CapExemption

from ..rights.delegation import may_limit
from .cap_fields import account_field, person_field, read_number, read_prefix, typed_field

SHORTEST_PREFIX: Final = 6
"""Characters with the plus sign. A shorter one would exempt a whole country."""
_FIELDS: Final = {"number": "number", "prefix": "starts_with", "user": "user", "account": "account"}


class ExemptionForm(forms.Form):
    scope = forms.ChoiceField(
        label=_("Applies to"),
        choices=CapExemption.Scope.choices,
        widget=UnfoldAdminSelectWidget({"data-cap-subject": "1"}),
    )
    number = typed_field(_("Phone number"))
    starts_with = typed_field(
        pgettext_lazy("field", "Prefix"), _("With + and the country code, such as +86139.")
    )
    user = person_field()
    account = account_field()
    because = forms.CharField(
        label=pgettext_lazy("field", "Reason"),
        max_length=MAX_REASON_LENGTH,
        widget=UnfoldAdminTextInputWidget(),
        error_messages={"required": _("Enter the reason.")},
    )
    last_day = forms.DateField(
        label=_("Last day"),
        input_formats=DAY_FORMATS,
        help_text=_("Year-month-day, such as 2026-03-31. The exemption ends with this day."),
        widget=UnfoldAdminTextInputWidget({"autocomplete": "off", "maxlength": 20}),
        error_messages={
            "required": _("Enter the day on which the exemption ends."),
            "invalid": _("Enter the date as year-month-day, such as 2026-03-31."),
        },
    )

    def __init__(self, *args: Any, actor: User, **kwargs: Any) -> None:
        super().__init__(*args, **{"label_suffix": "", **kwargs})
        self.actor = actor

    def clean_because(self) -> str:
        because = str(self.cleaned_data["because"]).replace("\0", "").strip()
        if not says_something(because):
            raise ValidationError(gettext("Describe the reason in a few words."))
        return because

    def clean_last_day(self) -> datetime:
        day = self.cleaned_data["last_day"]
        today = timezone.localdate()
        if not today <= day <= today + LONGEST:
            raise ValidationError(
                gettext("Enter a day from today on, at most %(days)s days ahead.")
                % {"days": LONGEST.days}
            )
        return earliest_moment(datetime.combine(day + timedelta(days=1), time.min))

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        scope = cleaned.get("scope")
        if scope:
            field = _FIELDS[scope]
            value = cleaned.get(field)
            if not value:
                if field not in self.errors:
                    self.add_error(field, gettext("Enter what is exempt."))
            else:
                try:
                    cleaned["key"] = self._key(scope, value)
                except ValidationError as error:
                    self.add_error(field, error)
        return cleaned

    def _key(self, scope: str, value: Any) -> str:
        if scope == "number":
            return read_number(value)
        if scope == "prefix":
            prefix = read_prefix(value)
            if len(prefix) < SHORTEST_PREFIX:
                raise ValidationError(
                    gettext("Enter at least %(digits)s digits after the +.")
                    % {"digits": SHORTEST_PREFIX - 1}
                )
            return prefix
        if scope == "user" and not may_limit(self.actor, value):
            raise ValidationError(
                gettext("You can only exempt people with fewer permissions than you.")
            )
        return str(value.pk)
