"""Names of countries and regions by ISO 3166-1 code, in the active language."""

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
    """The name of every country that has phone numbers, by code."""
    return _names(get_language() or "en")


def country_name(code: str) -> str:
    """The name of a country. Another code, such as a satellite network's, is returned as it is."""
    return country_names().get(code, code)
