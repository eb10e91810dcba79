"""The form "Send SMS". Its fields follow what the chosen account's client can do."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django import forms
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _
from unfold.widgets import (
    UnfoldAdminRadioSelectWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextareaWidget,
    UnfoldAdminTextInputWidget,
)

from core.phone import PhoneNumber
from providers.admin.account_picker import AccountChoice
from providers.gateway.client import CannotTake, MakesCodes, SendsOwnCode, SendsText
from providers.gateway.vocabulary import SmsKind
from providers.models import Account

from . import duplicates, segments
from .models import Message
from .recipients import NotARecipient, recipient_for, words_of
from .sending import Draft

MAX_SEGMENTS = 10
LONGEST_TYPED = 5_000
"""Characters; well above ten segments, so that too long a text gets the clear message."""


def kind_of(account: Account) -> Message.Kind | None:
    """What a single message of this account is; None where it sends nothing."""
    client = account.client
    if client is None:
        return None
    for capability, kind in (
        (SendsText, Message.Kind.TEXT),
        (SendsOwnCode, Message.Kind.OWN_CODE),
        (MakesCodes, Message.Kind.PROVIDER_CODE),
    ):
        if issubclass(client, capability):
            return kind
    return None


def unavailable_reason(account: Account) -> str:
    """Why this account cannot send a message now; empty where it can."""
    if kind_of(account) is None:
        return gettext("sends no SMS")
    if not account.allowed_countries:
        return gettext("no country is allowed")
    if account.is_paused:
        return gettext("paused")
    return ""


class SendForm(forms.Form):
    """Bound to one account. `draft` is what the form came to once it is valid."""

    error_css_class = "has-error"

    account = forms.CharField(label=_("Account"))
    recipient = forms.CharField(
        label=_("Recipient"),
        max_length=200,
        widget=UnfoldAdminTextInputWidget(
            {"autocomplete": "off", "inputmode": "tel", "dir": "ltr"}
        ),
        error_messages={"required": _("Enter a phone number.")},
    )
    form_token = forms.CharField(widget=forms.HiddenInput, max_length=64)
    confirmed = forms.CharField(widget=forms.HiddenInput, required=False, max_length=24)

    def __init__(
        self,
        *args: Any,
        account: Account,
        accounts: Sequence[Account],
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **{"label_suffix": "", **kwargs})
        self.sending_account = account
        self.kind = kind_of(account)
        self.number: PhoneNumber | None = None
        self.repeats: Message | None = None
        """An earlier message that says the same to the same number."""
        self.fields["account"] = AccountChoice(
            accounts, unavailable_reason, initial=account.public_id
        )
        self._add_fields_of_kind()
        self.order_fields(
            ("account", "recipient", "sms_kind", "sender_id", "channel", "template", "text", "code")
        )

    # --- fields ------------------------------------------------------------

    def _add_fields_of_kind(self) -> None:
        client = self.sending_account.client
        if client is None:
            return
        if issubclass(client, SendsText):
            self._add_text_fields(client)
        elif issubclass(client, SendsOwnCode):
            self._add_code_fields(client)

    def _add_text_fields(self, client: type[SendsText]) -> None:
        options = self.sending_account.options
        self.fields["sms_kind"] = forms.ChoiceField(
            label=_("Kind"),
            choices=[
                (SmsKind.TRANSACTIONAL, _("Transactional")),
                (SmsKind.MARKETING, _("Marketing")),
            ],
            initial=options.get("kind") or SmsKind.TRANSACTIONAL,
            widget=UnfoldAdminRadioSelectWidget(),
        )
        senders = client.sender_ids(options)
        self.fields["sender_id"] = forms.ChoiceField(
            label=_("Sender ID"),
            choices=[(sender, sender) for sender in senders],
            widget=UnfoldAdminSelectWidget(),
            error_messages={"required": _("This account has no sender ID yet.")},
        )
        self.fields["text"] = forms.CharField(
            label=_("Text"),
            max_length=LONGEST_TYPED,
            strip=False,
            widget=UnfoldAdminTextareaWidget({"rows": 5, "dir": "auto", "maxlength": False}),
            error_messages={"required": _("Enter the text.")},
        )

    def _add_code_fields(self, client: type[SendsOwnCode]) -> None:
        account = self.sending_account
        channels = [
            channel
            for country in account.allowed_countries
            for channel in client.channels(country, account.options)
        ]
        self.fields["channel"] = forms.ChoiceField(
            label=_("Channel"),
            choices=[(channel, channel) for channel in dict.fromkeys(channels)],
            widget=UnfoldAdminSelectWidget(),
            error_messages={"required": _("This account has no channel yet.")},
        )
        self.fields["template"] = forms.ChoiceField(
            label=_("Message"),
            required=False,
            choices=[(known.key, _template_label(known)) for known in client.templates],
            initial=account.options.get("default_template", client.default_template),
            widget=UnfoldAdminRadioSelectWidget(),
        )
        self.fields["code"] = forms.CharField(
            label=_("Code"),
            max_length=32,
            widget=UnfoldAdminTextInputWidget(
                {"autocomplete": "off", "autocapitalize": "off", "spellcheck": "false"}
            ),
            error_messages={"required": _("Enter the code that the message will carry.")},
        )

    # --- checks ------------------------------------------------------------

    def clean_account(self) -> Account:
        if self.cleaned_data["account"] != self.sending_account.public_id:
            raise forms.ValidationError(gettext("This account cannot send any more."))
        reason = unavailable_reason(self.sending_account)
        if reason:
            raise forms.ValidationError(f"{self.sending_account.name}: {reason}")
        return self.sending_account

    def clean_recipient(self) -> str:
        typed: str = self.cleaned_data["recipient"]
        try:
            self.number = recipient_for(self.sending_account, typed)
        except NotARecipient as reason:
            raise forms.ValidationError(str(reason)) from None
        return typed

    def clean_text(self) -> str:
        text = segments.fold(self.cleaned_data["text"])
        if not text.strip():
            raise forms.ValidationError(gettext("Enter the text."))
        if any(_is_control(character) for character in text):
            raise forms.ValidationError(
                gettext("The text holds a control character. Type it again without it.")
            )
        counted = segments.count(text)
        if counted.segments > MAX_SEGMENTS:
            raise forms.ValidationError(too_long(text, counted))
        return text

    def clean_code(self) -> str:
        code: str = self.cleaned_data["code"].strip()
        client = self.sending_account.client
        if client is not None and issubclass(client, SendsOwnCode):
            try:
                client.check_own_code(code)
            except CannotTake as cannot:
                raise forms.ValidationError(words_of(cannot)) from None
        return code

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if self.errors or self.number is None or self.kind is None:
            return cleaned
        self._check_channel(cleaned)
        self.repeats = duplicates.earlier_like(self.draft)
        return cleaned

    def _check_channel(self, cleaned: dict[str, Any]) -> None:
        """The channel chooses the country; one of another country reaches a stranger."""
        client = self.sending_account.client
        if client is None or not issubclass(client, SendsOwnCode) or self.number is None:
            return
        if cleaned["channel"] not in client.channels(
            self.number.country, self.sending_account.options
        ):
            self.add_error(
                "channel", gettext("This channel does not lead to the country of this number.")
            )

    # --- outcome -----------------------------------------------------------

    @property
    def draft(self) -> Draft:
        if self.kind is None or self.number is None:
            raise ValueError("Only a valid form has a draft.")
        values = self.cleaned_data
        return Draft(
            account=self.sending_account,
            recipient=self.number,
            kind=self.kind,
            text=values.get("text", ""),
            code=values.get("code", ""),
            channel=values.get("channel", ""),
            template=values.get("template", ""),
            sms_kind=values.get("sms_kind", ""),
            sender_id=values.get("sender_id", ""),
        )

    @property
    def needs_confirmation(self) -> bool:
        """The same went out lately, and staff have not said that they know."""
        if self.repeats is None:
            return False
        return bool(self.cleaned_data.get("confirmed") != self.repeats.public_id)


def _is_control(character: str) -> bool:
    return character < " " and character not in "\n\t"


def _template_label(template: Any) -> str:
    label = f"{template.key or gettext('default')}: “{template.text}”"
    return f"{label} – {gettext(template.note)}" if template.note else label


def too_long(text: str, counted: segments.Count) -> str:
    surplus = segments.surplus(text, MAX_SEGMENTS)
    return gettext("Text must be at most %(most)s segments; this is %(segments)s. %(take_out)s") % {
        "most": MAX_SEGMENTS,
        "segments": counted.segments,
        "take_out": ngettext(
            "Take out %(count)s character.", "Take out %(count)s characters.", surplus
        )
        % {"count": surplus},
    }
