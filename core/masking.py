"""A phone number drawn for those who may not see it whole."""

from __future__ import annotations

from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext

from .phone import DOT, mask


def masked_number(number: str) -> SafeString:
    """Dots for the eye, "number hidden, ends in 5678" for the ear. Takes a masked one too."""
    if not number:
        return SafeString("")
    shown = number if DOT in number else mask(number)
    tail = shown.rsplit(DOT, 1)[-1].strip()
    spoken = gettext("number hidden, ends in %(digits)s") % {"digits": tail}
    return format_html(
        '<span class="number"><span aria-hidden="true">{}</span>'
        '<span class="sr-only">{}</span></span>',
        shown,
        spoken,
    )
