"""The forms of what is done with one number."""

from __future__ import annotations

from django import forms
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminTextInputWidget, UnfoldBooleanWidget

from core.admin.reason_form import ReasonForm
from messaging.recipients import InvalidRecipient, read_recipient


class NumberForm(ReasonForm):
    """A number and a reason. The number becomes E.164."""

    field_order: tuple[str, ...] = ("number", "reason")
    number = forms.CharField(
        label=_("Phone number"),
        max_length=200,
        widget=UnfoldAdminTextInputWidget(
            {"autocomplete": "off", "inputmode": "tel", "dir": "ltr"}
        ),
        error_messages={"required": _("Enter a phone number.")},
    )

    def clean_number(self) -> str:
        try:
            return read_recipient(self.cleaned_data["number"]).e164
        except InvalidRecipient as reason:
            raise forms.ValidationError(str(reason)) from None


class EraseForm(NumberForm):
    field_order = ("number", "reason", "takes_off_list", "understood")
    takes_off_list = forms.BooleanField(
        label=_("Also erase its entry on the do-not-send list"),
        help_text=_("Without the entry, the number can be sent SMS again."),
        widget=UnfoldBooleanWidget(),
        required=False,
    )
    understood = forms.BooleanField(
        label=_("I understand that this cannot be undone"),
        widget=UnfoldBooleanWidget(),
        error_messages={"required": _("Confirm this first.")},
    )
