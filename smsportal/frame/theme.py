"""Settings of the admin theme: titles, style sheets, tabs, and what its pages may load."""

from __future__ import annotations

from functools import partial
from typing import Any, Final

from csp.constants import NONE, SELF, UNSAFE_EVAL, UNSAFE_INLINE
from django.http import HttpRequest
from django.templatetags.static import static
from django.utils.translation import gettext_lazy as _


def favicon(_request: HttpRequest) -> str:
    return static("portal/favicon.svg")


SHEETS: Final = ("tokens", "portal", "components", "frame", "lists", "charts")
"""The style sheets of every page, in the order of their rules. Pages add their own."""


def sheet(name: str, _request: HttpRequest) -> str:
    return static(f"portal/{name}.css")


SCRIPTS: Final = ("portal", "palette")
"""The scripts of every page."""


def script(name: str, _request: HttpRequest) -> str:
    return static(f"portal/{name}.js")


UNFOLD: dict[str, Any] = {
    "SITE_TITLE": _("SMS portal"),
    "SITE_HEADER": _("SMS portal"),
    "SITE_SYMBOL": "sms",
    "SITE_URL": None,
    "SITE_FAVICONS": [{"rel": "icon", "type": "image/svg+xml", "href": favicon}],
    "SHOW_HISTORY": False,
    "SHOW_VIEW_ON_SITE": False,
    "SHOW_LANGUAGES": True,
    "STYLES": [partial(sheet, name) for name in SHEETS],
    "SCRIPTS": [partial(script, name) for name in SCRIPTS],
    "LOGIN": {"form": "smsportal.sign_in.form.SignInForm"},
    "SIDEBAR": {
        "show_search": False,
        "show_all_applications": False,
    },
    "TABS": "smsportal.frame.page_tabs.tabs",
}
CONTENT_SECURITY_POLICY: Final[dict[str, Any]] = {
    "DIRECTIVES": {
        "default-src": [SELF],
        # The admin theme evaluates expressions in its markup.
        "script-src": [SELF, UNSAFE_EVAL],
        "style-src": [SELF, UNSAFE_INLINE],
        "img-src": [SELF, "data:"],
        "object-src": [NONE],
        "base-uri": [NONE],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
    }
}
