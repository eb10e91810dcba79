"""The admin theme's settings: title, colours, and the navigation by job."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext_lazy as _

UNFOLD: dict[str, Any] = {
    "SITE_TITLE": _("SMS portal"),
    "SITE_HEADER": _("SMS portal"),
    "SHOW_HISTORY": False,
    "SHOW_LANGUAGES": True,
}
