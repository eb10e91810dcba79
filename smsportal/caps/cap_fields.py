"""The fields that caps and exemptions share, and how what is typed there is read."""

from __future__ import annotations

import re
import unicodedata
from typing import Any, Final

from django import forms
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.utils.translation import gettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget

from core.people import person_name
from core.phones.prefixes import begins_a_number
from messaging.recipients import InvalidRecipient, read_recipient
from providers.models import Account

from ..rights.roles import role_label

PREFIX: Final = re.compile(r"\+[1-9][0-9]{0,13}")


class RoleChoice(forms.ModelChoiceField):  # type: ignore[type-arg]
    def label_from_instance(self, obj: Any) -> str:
        return role_label(obj.name)


class PersonChoice(forms.ModelChoiceField):  # type: ignore[type-arg]
    def label_from_instance(self, obj: Any) -> str:
        return person_name(obj)


def read_prefix(typed: str) -> str:
    """A prefix as it is stored. Raises `ValidationError`."""
    # "(0)" is dialled at home only: no number is stored with it.
    plain = unicodedata.normalize("NFKC", typed).replace("(0)", "")
    written = re.sub(r"[\s\-()]", "", plain)
    if not PREFIX.fullmatch(written):
        raise ValidationError(
            gettext("Enter + and the country code, then the first digits, such as +86139.")
        )
    if not begins_a_number(written):
        text = gettext(
            "No phone number begins with %(prefix)s. Check the country code, and leave out a 0 that"
            " is dialled at home only. Enter a complete number as one phone number."
        )
        raise ValidationError(text % {"prefix": written})
    return written


def read_number(typed: str) -> str:
    """A number as it is stored. Raises `ValidationError`."""
    try:
        return read_recipient(typed).e164
    except InvalidRecipient as reason:
        raise ValidationError(str(reason)) from None


def person_field() -> PersonChoice:
    return PersonChoice(
        label=_("Member of staff"),
        queryset=User.objects.order_by("username"),
        required=False,
        empty_label=pgettext_lazy("choice", "none"),
        widget=UnfoldAdminSelectWidget(),
    )


def account_field() -> forms.ModelChoiceField[Account]:
    return forms.ModelChoiceField(
        label=pgettext_lazy("field", "Account"),
        queryset=Account.objects.order_by("name"),
        required=False,
        empty_label=pgettext_lazy("choice", "none"),
        widget=UnfoldAdminSelectWidget(),
    )


def typed_field(label: Any, help_text: Any = "") -> forms.CharField:
    return forms.CharField(
        label=label,
        help_text=help_text,
        required=False,
        max_length=40,
        widget=UnfoldAdminTextInputWidget({"dir": "ltr", "autocomplete": "off"}),
    )
