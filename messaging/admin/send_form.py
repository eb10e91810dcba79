"""The form "Send SMS". An account that sends codes only has no fields for a text."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django import forms
from django.utils.translation import gettext, pgettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _
from unfold.widgets import (
    UnfoldAdminRadioSelectWidget,
    UnfoldAdminTextareaWidget,
)

from core.punctuation import label_text
from providers.admin.account_picker import AccountChoice
from providers.gateway.client import MakesCodes, SendsOwnCode, SendsText
from providers.gateway.vocabulary import SmsKind
from providers.models import Account

from ..models import Message
from ..presentation.labels import SMS_KINDS
from ..queue_message import Draft, find_duplicate
from ..text_rules import LONGEST_TYPED, check_text
from .recipient_form import RecipientForm, sender_field


def kind_of(account: Account) -> Message.Kind | None:
    """Return the kind of a single message of this account; None if it sends nothing."""
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
    """Explain why this account cannot send a text now; empty if it can."""
    kind = kind_of(account)
    if kind is None:
        return gettext("cannot send SMS")
    if kind != Message.Kind.TEXT:
        # A code sent as a plain message belongs to no session, so it can never be checked.
        return gettext("sends codes only")
    if not account.allowed_countries:
        return gettext("no allowed countries/regions")
    if account.is_paused:
        return pgettext("state", "paused")
    return ""


class SendForm(RecipientForm):
    """Form for one account. A valid form has a `draft`."""

    error_css_class = "has-error"

    def __init__(
        self,
        *args: Any,
        account: Account,
        accounts: Sequence[Account],
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, account=account, **kwargs)
        self.kind = kind_of(account)
        self.repeats: Message | None = None
        """A recent message that this one would repeat."""
        self.fields["account"] = AccountChoice(
            accounts, unavailable_reason, initial=account.public_id
        )
        self._add_fields_of_kind()
        self.order_fields(("account", "recipient", "sms_kind", "sender_id", "text"))

    # --- fields ------------------------------------------------------------

    def _add_fields_of_kind(self) -> None:
        client = self.sending_account.client
        if client is None:
            return
        if issubclass(client, SendsText):
            self._add_text_fields(client)

    def _add_text_fields(self, client: type[SendsText]) -> None:
        options = self.sending_account.options
        self.fields["sms_kind"] = forms.ChoiceField(
            label=pgettext_lazy("field", "Kind"),
            choices=list(SMS_KINDS.items()),
            initial=options.get("kind") or SmsKind.TRANSACTIONAL,
            widget=UnfoldAdminRadioSelectWidget(),
        )
        self.fields["sender_id"] = sender_field(self.sending_account, client)
        self.fields["text"] = forms.CharField(
            label=pgettext_lazy("field", "Text"),
            max_length=LONGEST_TYPED,
            strip=False,
            widget=UnfoldAdminTextareaWidget({"rows": 5, "dir": "auto", "maxlength": False}),
            error_messages={"required": _("Enter the text.")},
        )

    # --- checks ------------------------------------------------------------

    def clean_account(self) -> Account:
        if self.cleaned_data["account"] != self.sending_account.public_id:
            raise forms.ValidationError(gettext("This account can no longer send."))
        reason = unavailable_reason(self.sending_account)
        if reason:
            raise forms.ValidationError(label_text(self.sending_account.name, reason))
        return self.sending_account

    def clean_text(self) -> str:
        return check_text(self.cleaned_data["text"])

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if self.errors or self.number is None or self.kind is None:
            return cleaned
        self.repeats = find_duplicate(self.draft)
        return cleaned

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
            sms_kind=values.get("sms_kind", ""),
            sender_id=values.get("sender_id", ""),
        )

    @property
    def needs_confirmation(self) -> bool:
        """Whether this repeats a recent message and staff have not confirmed that."""
        if self.repeats is None:
            return False
        return bool(self.cleaned_data.get("confirmed") != self.repeats.public_id)
