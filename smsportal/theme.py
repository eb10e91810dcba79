"""Settings of the admin theme: titles, colours, navigation."""

from __future__ import annotations

from functools import partial
from typing import Any, Final

from django.http import HttpRequest
from django.templatetags.static import static
from django.utils.translation import gettext_lazy as _


def favicon(_request: HttpRequest) -> str:
    return static("portal/favicon.svg")


SHEETS: Final = ("tokens", "portal", "components", "frame", "lists", "charts")
"""The style sheets of every page, in the order of their rules. Pages add their own."""


def sheet(name: str, _request: HttpRequest) -> str:
    return static(f"portal/{name}.css")


def script(_request: HttpRequest) -> str:
    return static("portal/portal.js")


UNFOLD: dict[str, Any] = {
    "SITE_TITLE": _("SMS portal"),
    "SITE_HEADER": _("SMS portal"),
    "SITE_SYMBOL": "sms",
    "SITE_URL": None,
    "SITE_FAVICONS": [{"rel": "icon", "type": "image/svg+xml", "href": favicon}],
    "SHOW_HISTORY": False,
    "SHOW_VIEW_ON_SITE": False,
    "SHOW_LANGUAGES": True,
    "BORDER_RADIUS": "6px",
    # Contrast: 6.6:1 on white at 600, 6:1 on the dark background at 500.
    "COLORS": {
        "primary": {
            "50": "oklch(97% .014 254.6)",
            "100": "oklch(93.2% .032 255.6)",
            "200": "oklch(88.2% .059 254.1)",
            "300": "oklch(80.9% .105 251.8)",
            "400": "oklch(74% .14 254)",
            "500": "oklch(70% .155 256)",
            "600": "oklch(50.5% .2 262.5)",
            "700": "oklch(45% .2 263.5)",
            "800": "oklch(40% .18 264.5)",
            "900": "oklch(35% .14 265.5)",
            "950": "oklch(28.2% .091 267.9)",
        },
    },
    "STYLES": [partial(sheet, name) for name in SHEETS],
    "SCRIPTS": [script],
    "LOGIN": {"form": "smsportal.sign_in.SignInForm"},
    "SIDEBAR": {
        "show_search": False,
        "show_all_applications": False,
        "navigation": "smsportal.navigation.navigation",
    },
    "TABS": "smsportal.page_tabs.tabs",
}
