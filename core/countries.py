"""Countries and regions by their ISO 3166-1 code, named in the reader's language."""

from __future__ import annotations

from functools import cache

import phonenumbers
from babel import Locale
from django.utils.translation import get_language

_LOCALES = {"zh-hans": "zh_Hans"}


@cache
def _names(language: str) -> dict[str, str]:
    territories = Locale.parse(_LOCALES.get(language, "en")).territories
    return {
        code: str(territories[code])
        for code in phonenumbers.SUPPORTED_REGIONS
        if code in territories
    }


def country_names() -> dict[str, str]:
    """Every country that has phone numbers, by code, in the active language."""
    return _names(get_language() or "en")


def country_name(code: str) -> str:
    """The name; the code itself where it is no country (a satellite network, say)."""
    return country_names().get(code, code)
