"""Form fields of accounts: secrets, lists of lines, and the options of a client."""

from __future__ import annotations

import re
import unicodedata
from typing import Any, Final

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.widgets import (
    UnfoldAdminPasswordWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextareaWidget,
    UnfoldAdminTextInputWidget,
    UnfoldBooleanWidget,
)

from core.client_address import parse_network

from ..gateway.client import OptionField, OptionKind
from ..models import Account

_INVISIBLE_AT_EDGES: Final = "\ufeff\u200b\u200c\u200d\u2060"
"""Invisible characters that are copied along with adjacent text."""
MIN_PHRASE_LENGTH: Final = 2
_LINE_END: Final = re.compile(r"\r\n|\r|\n")
_INVISIBLE_CHARACTER: Final = _("Line %(line)s contains an invisible character. Enter it again.")


def trim(text: str) -> str:
    """Remove the white space and invisible characters that copying leaves at both ends."""
    while True:
        shorter = text.strip().strip(_INVISIBLE_AT_EDGES)
        if shorter == text:
            return text
        text = shorter


def has_control_characters(text: str) -> bool:
    return any(unicodedata.category(sign) == "Cc" and sign != "\t" for sign in text)


class SecretField(forms.CharField):
    """A secret, never rendered back to the page. `warnings_for` reports likely mistakes."""

    widget = UnfoldAdminPasswordWidget

    def __init__(self, *, prefix: str = "", **kwargs: Any) -> None:
        self.usual_prefix = prefix
        super().__init__(max_length=1000, strip=False, **kwargs)
        self.widget.attrs |= {
            "autocomplete": "new-password",
            "autocapitalize": "none",
            "spellcheck": "false",
            "dir": "ltr",
        }

    def to_python(self, value: Any) -> str:
        return trim(str(super().to_python(value) or ""))

    def validate(self, value: Any) -> None:
        super().validate(value)
        if has_control_characters(value):
            raise ValidationError(_("This contains an invisible character. Enter it again."))

    def warnings_for(self, value: str) -> list[str]:
        found = []
        label = {"label": self.label, "prefix": self.usual_prefix}
        if self.usual_prefix and not value.startswith(self.usual_prefix):
            found.append(gettext("%(label)s usually begins with %(prefix)s; this one does not."))
        if re.search(r"\s", value):
            found.append(gettext("%(label)s contains a space. Check that it is correct."))
        elif not value.isascii():
            found.append(gettext("%(label)s contains an unusual character. Check it again."))
        return [text % label for text in found]


class LinesField(forms.CharField):
    """A list of strings, one per line. The inside of a line stays unchanged byte for byte."""

    widget = UnfoldAdminTextareaWidget

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(max_length=20_000, strip=False, **kwargs)
        self.widget.attrs |= {"rows": 3, "spellcheck": "false", "autocapitalize": "none"}

    def prepare_value(self, value: Any) -> Any:
        return "\n".join(value) if isinstance(value, list | tuple) else value

    def to_python(self, value: Any) -> list[str]:  # type: ignore[override]
        if isinstance(value, list | tuple):
            return [str(line) for line in value]
        lines = _LINE_END.split(str(value or ""))
        return [line for line in (trim(line) for line in lines) if line]

    def run_validators(self, value: Any) -> None:
        super().run_validators("\n".join(value))

    def validate(self, value: Any) -> None:
        super().validate(value)
        for number, line in enumerate(value, 1):
            if has_control_characters(line):
                raise ValidationError(_INVISIBLE_CHARACTER, params={"line": number})
            if line in value[: number - 1]:
                raise ValidationError(
                    _("“%(line)s” is listed twice. Remove one."), params={"line": line}
                )

    def has_changed(self, initial: Any, data: Any) -> bool:
        return self.to_python(initial or []) != self.to_python(data)


class JoinedLinesField(LinesField):
    """Lines that are stored as one text."""

    def clean(self, value: Any) -> str:
        return "\n".join(super().clean(value))


class PhrasesField(JoinedLinesField):
    def validate(self, value: Any) -> None:
        super().validate(value)
        if any(len(line) < MIN_PHRASE_LENGTH for line in value):
            raise ValidationError(
                _("A single character would pause the account at almost every refusal.")
            )


class NetworksField(JoinedLinesField):
    def validate(self, value: Any) -> None:
        super().validate(value)
        for line in value:
            if parse_network(line) is None:
                raise ValidationError(
                    _(
                        "“%(line)s” is not a network address. Write it as 203.0.113.0/24 or"
                        " 203.0.113.7."
                    ),
                    params={"line": line},
                )


def option_form_field(option: OptionField, account: Account) -> forms.Field:
    """The form field for an option that a client declares."""
    shared: dict[str, Any] = {
        "label": gettext(option.label),
        "help_text": translated(option.help),
        "required": option.required,
        "initial": account.options.get(option.name, option.default),
    }
    match option.kind:
        case OptionKind.LINES:
            return LinesField(**shared)
        case OptionKind.CHOICE:
            choices = [(value, gettext(label)) for value, label in option.choices]
            return forms.ChoiceField(choices=choices, widget=UnfoldAdminSelectWidget(), **shared)
        case OptionKind.FLAG:
            return forms.BooleanField(widget=UnfoldBooleanWidget(), **{**shared, "required": False})
        case OptionKind.TEXT:
            return forms.CharField(
                max_length=500, widget=UnfoldAdminTextInputWidget({"autocomplete": "off"}), **shared
            )


def translated(text: str) -> str:
    """Translate a text of a client. gettext would translate the empty one to the header of the
    catalogue."""
    return gettext(text) if text else ""
