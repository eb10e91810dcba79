"""The fields of the account form: secrets, exact lines, countries, addresses."""

from __future__ import annotations

import re
import unicodedata
from typing import Any, Final

import phonenumbers
from django import forms
from django.core.exceptions import ValidationError
from django.forms.renderers import BaseRenderer
from django.forms.utils import flatatt
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import get_language, gettext
from django.utils.translation import gettext_lazy as _
from unfold.widgets import (
    UnfoldAdminPasswordWidget,
    UnfoldAdminSelect2MultipleWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextareaWidget,
    UnfoldAdminTextInputWidget,
    UnfoldBooleanWidget,
)

from core.client_address import read_network
from core.countries import country_names

from .accounts import address_policy
from .gateway.address import ForbiddenAddress, check_base_url, check_spelling
from .gateway.client import OptionField, OptionKind
from .models import Account

_AT_THE_EDGES: Final = "\ufeff\u200b\u200c\u200d\u2060"
"""Invisible, and copied along with what they stand beside."""
SHORTEST_PHRASE: Final = 2
_LINE_END: Final = re.compile(r"\r\n|\r|\n")
_NOT_TO_SEE: Final = _("Line %(line)s holds a character that cannot be seen. Enter it anew.")


def trimmed(text: str) -> str:
    """Without the white space that copying leaves at both ends."""
    while True:
        shorter = text.strip().strip(_AT_THE_EDGES)
        if shorter == text:
            return text
        text = shorter


def has_control_characters(text: str) -> bool:
    return any(unicodedata.category(sign) == "Cc" and sign != "\t" for sign in text)


class SecretField(forms.CharField):
    """Never sent back to the page. `oddities` says what is worth a second look."""

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
        return trimmed(str(super().to_python(value) or ""))

    def validate(self, value: Any) -> None:
        super().validate(value)
        if has_control_characters(value):
            raise ValidationError(_("This holds a character that cannot be seen. Enter it anew."))

    def oddities(self, value: str) -> list[str]:
        found = []
        label = {"label": self.label, "prefix": self.usual_prefix}
        if self.usual_prefix and not value.startswith(self.usual_prefix):
            found.append(gettext("%(label)s usually begins with %(prefix)s; this one does not."))
        if re.search(r"\s", value):
            found.append(gettext("%(label)s holds a space inside. Check that it belongs there."))
        elif not value.isascii():
            found.append(gettext("%(label)s holds an unusual character. Check it once more."))
        return [text % label for text in found]


class LinesField(forms.CharField):
    """Strings, one a line. What stands inside a line stays as it is, byte for byte."""

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
        return [line for line in (trimmed(line) for line in lines) if line]

    def run_validators(self, value: Any) -> None:
        super().run_validators("\n".join(value))

    def validate(self, value: Any) -> None:
        super().validate(value)
        for number, line in enumerate(value, 1):
            if has_control_characters(line):
                raise ValidationError(_NOT_TO_SEE, params={"line": number})
            if line in value[: number - 1]:
                raise ValidationError(
                    _("“%(line)s” stands there twice. Take one out."), params={"line": line}
                )

    def has_changed(self, initial: Any, data: Any) -> bool:
        return self.to_python(initial or []) != self.to_python(data)


class JoinedLinesField(LinesField):
    """Lines that are kept as one text."""

    def clean(self, value: Any) -> str:
        return "\n".join(super().clean(value))


class PhrasesField(JoinedLinesField):
    def validate(self, value: Any) -> None:
        super().validate(value)
        if any(len(line) < SHORTEST_PHRASE for line in value):
            raise ValidationError(
                _("A single character would pause the account at nearly every refusal.")
            )


class NetworksField(JoinedLinesField):
    def validate(self, value: Any) -> None:
        super().validate(value)
        for line in value:
            if read_network(line) is None:
                raise ValidationError(
                    _("“%(line)s” is not a network. Write it as 203.0.113.0/24 or 203.0.113.7."),
                    params={"line": line},
                )


class CountriesWidget(UnfoldAdminSelect2MultipleWidget):
    """Search by name, code or prefix, in the reader's language."""

    def __init__(self, attrs: dict[str, Any] | None = None) -> None:
        super().__init__({"data-width": "100%", "class": "countries", **(attrs or {})})

    def get_context(self, name: str, value: Any, attrs: dict[str, Any] | None) -> dict[str, Any]:
        # Its own words, "No results found" and the like.
        own = {"lang": "zh-CN" if _reads_chinese() else "en"}
        context: dict[str, Any] = super().get_context(name, value, {**own, **(attrs or {})})
        return context

    def render(
        self,
        name: str,
        value: Any,
        attrs: dict[str, Any] | None = None,
        renderer: BaseRenderer | None = None,
    ) -> SafeString:
        """In one go: Django renders a template for each of 245 countries, which took half of
        the page's time."""
        widget = self.get_context(name, value, attrs)["widget"]
        options = format_html_join(
            "\n",
            '<option value="{}"{}>{}</option>',
            (
                (option["value"], flatatt({"selected": option["selected"]}), option["label"])
                for _, options, _ in widget["optgroups"]
                for option in options
            ),
        )
        return format_html(
            '<select name="{}"{}>{}</select>', widget["name"], flatatt(widget["attrs"]), options
        )

    @property
    def media(self) -> forms.Media:
        words = "zh-CN" if _reads_chinese() else "en"
        inherited = forms.Media(self.Media)
        # After select2 itself, before the script that starts all that are not started yet.
        return inherited + forms.Media(
            js=[
                "admin/js/vendor/select2/select2.full.js",
                f"admin/js/vendor/select2/i18n/{words}.js",
                "admin/js/jquery.init.js",
                "portal/countries.js",
                "unfold/js/select2.init.js",
            ]
        )


class CountriesField(forms.MultipleChoiceField):
    """ISO codes of the countries that libphonenumber knows, sorted."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(
            choices=country_choices,
            widget=CountriesWidget(),
            error_messages={
                "required": _("Nothing can be sent until a country is allowed."),
                "invalid_choice": _("“%(value)s” is no country with phone numbers."),
            },
            **kwargs,
        )

    def clean(self, value: Any) -> list[str]:
        return sorted(set(super().clean(value)))


def country_choices() -> list[tuple[str, str]]:
    names = country_names()
    return [
        (code, f"{names[code]} ({code}, +{phonenumbers.country_code_for_region(code)})")
        for code in sorted(names, key=lambda code: _sort_key(names[code]))
    ]


def _sort_key(name: str) -> bytes:
    """The order of this encoding is nearly that of Pinyin; for Latin letters the accents
    have to go first."""
    plain = unicodedata.normalize("NFKD", name) if name[:1].isascii() else name
    return plain.casefold().encode("gb18030")


def _reads_chinese() -> bool:
    return (get_language() or "").startswith("zh")


class BaseUrlField(forms.CharField):
    def __init__(self, **kwargs: Any) -> None:
        super().__init__(max_length=300, strip=False, widget=UnfoldAdminTextInputWidget, **kwargs)
        self.widget.attrs |= {
            "inputmode": "url",
            "autocomplete": "off",
            "spellcheck": "false",
            "autocapitalize": "none",
            "dir": "ltr",
        }

    def to_python(self, value: Any) -> str:
        return trimmed(str(super().to_python(value) or "")).rstrip("/")


def check_address(url: str, *, ask_dns: bool) -> None:
    """Raise `ValidationError` unless calls to this address are allowed here."""
    policy = address_policy()
    try:
        if ask_dns:
            check_base_url(url, policy)
        else:
            check_spelling(url, policy)
    except ForbiddenAddress as forbidden:
        text = ADDRESS_TEXTS.get(forbidden.reason, ADDRESS_TEXTS["bad_host"])
        raise ValidationError(text, code=forbidden.reason) from None


ADDRESS_TEXTS: Final = {
    "no_host": _("Enter the whole address, beginning with https://."),
    "not_http": _("Enter the whole address, beginning with https://."),
    "not_https": _(
        "Only https:// addresses are called: a password must not travel for all to read."
    ),
    "bad_host": _("Enter a host name such as api.example.com after https://."),
    "bad_port": _("Enter a port from 1 to 65535, or none."),
    "bad_characters": _("Take out the spaces and backslashes."),
    "credentials_in_url": _("Take out the name and password before the @; they have fields below."),
    "query_in_url": _("Enter the address up to the question mark, without it."),
    "fragment_in_url": _("Enter the address up to the #, without it."),
    "odd_address": _("Write the IP address with four numbers and dots, or use the host name."),
    "unresolvable": _("No such host is known. Check the spelling."),
    "private": _("This leads into a private network, which the portal does not call."),
}


def field_of(option: OptionField, account: Account) -> forms.Field:
    """The form's field for one option that a client declares."""
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
    """A text that a client declares; the empty one would translate to the file's header."""
    return gettext(text) if text else ""
