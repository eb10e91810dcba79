"""Data as pages show it. Phone numbers are masked if the reader lacks permission."""

from __future__ import annotations

from functools import cache
from typing import Any

from django.contrib.auth.base_user import AbstractBaseUser
from django.urls import get_script_prefix, reverse
from django.utils.html import conditional_escape, escape, format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext

from .people import person_name
from .phones.erased import is_erased
from .phones.parse import DOT, grouped, mask
from .phones.tokens import token_of


def data(value: object) -> SafeString:
    """A name, number, code or text of people and providers, which a browser must not translate.

    A person is shown by their name.
    """
    if value in ("", None):
        return SafeString("")
    if isinstance(value, AbstractBaseUser):
        value = person_name(value)
    return SafeString(f'<span class="data" translate="no">{_escaped(value)}</span>')


def _escaped(value: Any) -> str:
    return conditional_escape(value)


def shown_number(number: str, *, whole: bool) -> SafeString:
    if not whole or is_erased(number):
        return masked_number(number)
    return format_html('<span class="number" dir="ltr" translate="no">{}</span>', grouped(number))


def number_url(number: str) -> str:
    """The page of everything about a number. Its address hides the number."""
    return f"{_place_of_numbers(get_script_prefix())}{token_of(number)}/" if number else ""


@cache
def _place_of_numbers(_prefix: str) -> str:
    """Where the pages of numbers are. A list has fifty of them."""
    return reverse("admin:number", args=["x"]).removesuffix("x/")


def linked_number(number: str, *, whole: bool) -> SafeString:
    """The number as `shown_number`, linked to its page."""
    shown = shown_number(number, whole=whole)
    if is_erased(number):
        return shown
    return SafeString(f'<a class="a" href="{number_url(number)}">{shown}</a>') if shown else shown


def plain_number(number: str, *, whole: bool) -> str:
    """The number without markup, for titles and exports."""
    if is_erased(number):
        return gettext("erased number")
    return grouped(number) if whole else mask(number)


def exported_number(number: str, *, whole: bool) -> str:
    """The number for a file: as it is stored, or masked."""
    if is_erased(number):
        return gettext("erased number")
    return number if whole else mask(number)


def masked_number(number: str) -> SafeString:
    """Dots on screen, "number hidden, ends in 5678" for screen readers.

    Accepts a full or a masked number.
    """
    if not number:
        return SafeString("")
    if is_erased(number):
        return format_html('<span class="number">{}</span>', gettext("erased number"))
    shown = number if DOT in number else mask(number)
    tail = shown.rsplit(DOT, 1)[-1].strip()
    spoken = gettext("number hidden, ends in %(digits)s") % {"digits": tail}
    return SafeString(
        f'<span class="number"><span aria-hidden="true" translate="no">{escape(shown)}</span>'
        f'<span class="sr-only">{escape(spoken)}</span></span>'
    )
