"""Base of the forms "Send SMS" and "Send code": one recipient, one account, and the fields that
the account's client declares."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib.auth.models import User
from django.utils.translation import gettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _
from unfold.widgets import (
    UnfoldAdminRadioSelectWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextInputWidget,
)

from core.phones.parse import PhoneNumber, search_key
from core.phones.searches import TOO_MANY, allow_search
from core.visibility import may_reveal
from providers.gateway.client import CodeTemplate, SendsOwnCode, SendsText
from providers.models import Account

from ..models import Message
from ..recipients import InvalidRecipient, recipient_for


def may_look_up(typed: str, reader: User) -> bool:
    """Whether a form may say what is known of the typed number, such as that it is listed.

    The number of sends is limited elsewhere, so only numbers that look alike are counted.
    """
    number = search_key(typed)
    if not number or may_reveal(Message, reader):
        return True
    return allow_search(number, reader, where="recipient", most=None)


class RecipientForm(forms.Form):
    """`number` is the parsed recipient, or None until the field is valid."""

    recipient = forms.CharField(
        label=pgettext_lazy("field", "Recipient"),
        max_length=200,
        widget=UnfoldAdminTextInputWidget(
            {"autocomplete": "off", "inputmode": "tel", "dir": "ltr"}
        ),
        error_messages={"required": _("Enter a phone number.")},
    )
    form_token = forms.CharField(widget=forms.HiddenInput, max_length=64)
    confirmed = forms.CharField(widget=forms.HiddenInput, required=False, max_length=24)

    def __init__(
        self, *args: Any, account: Account, reader: User | None = None, **kwargs: Any
    ) -> None:
        super().__init__(*args, **{"label_suffix": "", **kwargs})
        self.sending_account = account
        self.reader = reader
        self.number: PhoneNumber | None = None

    def clean_recipient(self) -> str:
        typed: str = self.cleaned_data["recipient"]
        if self.reader is not None and not may_look_up(typed, self.reader):
            raise forms.ValidationError(str(TOO_MANY))
        try:
            self.number = recipient_for(self.sending_account, typed)
        except InvalidRecipient as reason:
            raise forms.ValidationError(str(reason)) from None
        return typed

    def check_channel(self, cleaned: dict[str, Any]) -> None:
        """Refuse a channel of another country: it would reach a stranger."""
        account = self.sending_account
        client = account.client
        if client is None or not issubclass(client, SendsOwnCode) or self.number is None:
            return
        channels = client.channels(self.number.country, account.options)
        if "channel" in cleaned and cleaned["channel"] not in channels:
            self.add_error(
                "channel", gettext("This channel does not serve this number's country/region.")
            )


def sender_field(account: Account, client: type[SendsText]) -> forms.ChoiceField:
    senders = client.sender_ids(account.options)
    return forms.ChoiceField(
        label=_("Sender ID"),
        choices=[(sender, sender) for sender in senders],
        widget=UnfoldAdminSelectWidget(),
        error_messages={"required": _("This account has no sender ID yet.")},
    )


def channel_field(account: Account, client: type[SendsOwnCode]) -> forms.ChoiceField:
    """Offer the channels to every country that the account may send to."""
    channels = [
        channel
        for country in account.allowed_countries
        for channel in client.channels(country, account.options)
    ]
    return forms.ChoiceField(
        label=pgettext_lazy("field", "Channel"),
        choices=[(channel, channel) for channel in dict.fromkeys(channels)],
        widget=UnfoldAdminSelectWidget(),
        error_messages={"required": _("This account has no channel yet.")},
    )


def template_field(account: Account, client: type[SendsOwnCode]) -> forms.ChoiceField:
    """Offer the provider's own texts around a code."""
    return forms.ChoiceField(
        label=pgettext_lazy("field", "Message"),
        required=False,
        choices=[(known.key, _label_of(known)) for known in client.templates],
        initial=account.options.get("default_template", client.default_template),
        widget=UnfoldAdminRadioSelectWidget(),
    )


def _label_of(template: CodeTemplate) -> str:
    label = f"{template.key or gettext('default')}: “{template.text}”"
    return f"{label} – {gettext(template.note)}" if template.note else label
