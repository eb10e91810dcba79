"""A form that asks for a reason."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy
from unfold.widgets import UnfoldAdminTextInputWidget

from core.stored_texts import Stored

from .reasons import MAX_REASON_LENGTH, says_something, typed_reason

TOO_SHORT = _("Describe the reason in a few words.")


class ReasonForm(forms.Form):
    reason = forms.CharField(
        label=pgettext_lazy("field", "Reason"),
        max_length=MAX_REASON_LENGTH,
        widget=UnfoldAdminTextInputWidget({"autocomplete": "off", "dir": "auto"}),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **{"label_suffix": "", **kwargs})

    def clean_reason(self) -> Stored:
        typed = typed_reason(self.cleaned_data["reason"])
        if not says_something(typed):
            raise forms.ValidationError(TOO_SHORT)
        return typed
