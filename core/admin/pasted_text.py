"""A field for a text that may be pasted."""

from __future__ import annotations

from typing import Any

from django import forms

from .too_long import TOO_LONG


class PastedText(forms.CharField):
    """Takes a longer text than `max_length`, and says so. With Django's attribute "maxlength" the
    browser would cut it without a word."""

    default_error_messages = {"max_length": TOO_LONG}

    def widget_attrs(self, widget: forms.Widget) -> Any:
        attrs = super().widget_attrs(widget)
        attrs.pop("maxlength", None)
        return attrs
