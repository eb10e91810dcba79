"""What a page says about a text that is longer than its field. Nothing cuts it in silence."""

from __future__ import annotations

from typing import Final

from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

TOO_LONG: Final = _(
    "This may have at most %(limit_value)s characters; it has %(show_value)s. Shorten it."
)


def length_problem(text: str, longest: int) -> str:
    """Empty if the text fits."""
    if len(text) <= longest:
        return ""
    return str(TOO_LONG) % {"limit_value": longest, "show_value": len(text)}


def length_attributes(longest: int) -> SafeString:
    """For a field of a template: the browser then says beside it that a text is too long.

    With "maxlength" it would cut what is pasted.
    """
    words = str(TOO_LONG) % {"limit_value": longest, "show_value": "{length}"}
    return format_html('data-longest="{}" data-too-long="{}"', str(longest), words)
