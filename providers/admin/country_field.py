"""The form field of the countries that an account may send to."""

from __future__ import annotations

import unicodedata
from typing import Any

import phonenumbers
from django import forms
from django.forms.renderers import BaseRenderer
from django.forms.utils import flatatt
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _
from unfold.widgets import (
    UnfoldAdminSelect2MultipleWidget,
)

from core.countries import country_names
from core.punctuation import in_brackets, listed


class CountriesWidget(UnfoldAdminSelect2MultipleWidget):
    """A multiple select, searchable by name, code or prefix in the user's language."""

    def __init__(self, attrs: dict[str, Any] | None = None) -> None:
        super().__init__({"data-width": "100%", "class": "countries", **(attrs or {})})

    def get_context(self, name: str, value: Any, attrs: dict[str, Any] | None) -> dict[str, Any]:
        # The language of the widget's own texts, such as "No results found".
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
        """Render all options at once: Django renders a template for each of 245 countries, which
        took half of the page's time."""
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
        # After select2 itself, before the script that initialises all remaining selects.
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
    """Cleans to the sorted ISO codes of countries that libphonenumber knows."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(
            choices=country_choices,
            widget=CountriesWidget(),
            error_messages={
                "required": _("Nothing can be sent until a country is allowed."),
                "invalid_choice": _("“%(value)s” is not a country or region with phone numbers."),
            },
            **kwargs,
        )

    def clean(self, value: Any) -> list[str]:
        return sorted(set(super().clean(value)))


def _prefix(code: str) -> str:
    return f"+{phonenumbers.country_code_for_region(code)}"


def country_choices() -> list[tuple[str, str]]:
    names = country_names()
    return [
        (code, in_brackets(names[code], listed((code, _prefix(code)))))
        for code in sorted(names, key=lambda code: _sort_key(names[code]))
    ]


def _sort_key(name: str) -> bytes:
    """Sort by GB 18030, whose order is close to Pinyin. Latin names are compared without
    accents."""
    plain = unicodedata.normalize("NFKD", name) if name[:1].isascii() else name
    return plain.casefold().encode("gb18030")


def _reads_chinese() -> bool:
    return (get_language() or "").startswith("zh")
