"""The form "Send SMS". An account that sends codes only has no fields for a text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final, cast

from django import forms
from django.http import QueryDict
from django.utils.translation import gettext, pgettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _
from unfold.widgets import (
    UnfoldAdminRadioSelectWidget,
    UnfoldAdminTextareaWidget,
    UnfoldAdminTextInputWidget,
)

from core.admin.pasted_text import PastedText
from core.punctuation import label_text
from providers.admin.account_picker import AccountChoice
from providers.gateway.client import MakesCodes, SendsOwnCode, SendsText
from providers.gateway.vocabulary import SmsKind
from providers.models import Account

from ..models import Message, Template
from ..presentation.labels import SMS_KINDS
from ..queue_message import Draft, find_duplicate
from ..template_values import fill, variables_of
from ..text_rules import LONGEST_TYPED, check_text
from .recipient_form import RecipientForm, sender_field
from .text_fields import checked_text, template_field

MAX_VARIABLES: Final = 20


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


def lasting_reason(account: Account) -> str:
    """Explain why this account cannot send a text, whether it is paused or not; empty if it can."""
    kind = kind_of(account)
    if kind is None:
        return gettext("cannot send SMS")
    if kind != Message.Kind.TEXT:
        # A code sent as a plain message belongs to no session, so it can never be checked.
        return gettext("sends codes only")
    if not account.allowed_countries:
        return gettext("no allowed countries/regions")
    return ""


def unavailable_reason(account: Account) -> str:
    """Explain why this account cannot send a text now; empty if it can."""
    return lasting_reason(account) or (pgettext("state", "paused") if account.is_paused else "")


def posted_values(data: QueryDict) -> dict[str, str]:
    """The values of a template's variables by their names.

    The page says which name it asked each value for: a text that was changed since has others.
    """
    names = data.getlist("value_name")[:MAX_VARIABLES]
    return {name: data.get(f"value_{index}", "") for index, name in enumerate(names)}


class SendForm(RecipientForm):
    """Form for one account. A valid form has a `draft`.

    A text from a template may have variables. Each has a field of its own.
    """

    error_css_class = "has-error"

    def __init__(
        self,
        *args: Any,
        account: Account,
        accounts: Sequence[Account],
        templates: Sequence[Template] = (),
        values: Mapping[str, str] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, account=account, **kwargs)
        self.kind = kind_of(account)
        self.templates = templates
        self.values = values or {}
        self.variables: list[str] = []
        self.repeats: Message | None = None
        """A recent message that this one would repeat."""
        self.fields["account"] = AccountChoice(
            accounts, unavailable_reason, initial=account.public_id
        )
        self._add_fields_of_kind()
        self._add_variables()
        self.order_fields(("account", "recipient", "sms_kind", "sender_id", "template"))

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
        if self.templates:
            self.fields["template"] = template_field(self.templates)
        self.fields["text"] = PastedText(
            label=pgettext_lazy("field", "Text"),
            max_length=LONGEST_TYPED,
            strip=False,
            widget=UnfoldAdminTextareaWidget({"rows": 5, "dir": "auto"}),
            error_messages={"required": _("Enter the text.")},
        )

    def _add_variables(self) -> None:
        typed = self.data if self.is_bound else self.initial
        if "template" not in self.fields or not typed.get("template"):
            return
        text = str(typed.get("text", ""))[:LONGEST_TYPED]
        self.variables = variables_of(text)[:MAX_VARIABLES]
        if self.is_bound:
            self.data = data = cast("QueryDict", self.data).copy()
        for index, name in enumerate(self.variables):
            field, value = f"value_{index}", self.values.get(name, "")
            self.fields[field] = forms.CharField(
                label=name,
                max_length=500,
                widget=UnfoldAdminTextInputWidget({"autocomplete": "off", "dir": "auto"}),
                error_messages={"required": gettext("Enter a value.")},
            )
            if self.is_bound:
                data[field] = value
            else:
                self.initial[field] = value

    @property
    def variable_fields(self) -> list[tuple[str, forms.BoundField]]:
        """Each variable's name with its field."""
        return [(name, self[f"value_{index}"]) for index, name in enumerate(self.variables)]

    # --- checks ------------------------------------------------------------

    def clean_account(self) -> Account:
        if self.cleaned_data["account"] != self.sending_account.public_id:
            raise forms.ValidationError(gettext("This account can no longer send."))
        reason = unavailable_reason(self.sending_account)
        if reason:
            raise forms.ValidationError(label_text(self.sending_account.name, reason))
        return self.sending_account

    def clean_text(self) -> str:
        text: str = self.cleaned_data["text"]
        return checked_text(text) if self.variables else check_text(text)

    def _fill_text(self, cleaned: dict[str, Any]) -> None:
        """Put the values in their places. The filled text is what is sent, and checked again."""
        for index, name in enumerate(self.variables):
            try:
                fill(f"{{{name}}}", {name: cleaned[f"value_{index}"]})
            except ValueError:
                self.add_error(f"value_{index}", gettext("This is no value. Enter another one."))
        if self.errors:
            return
        values = {name: cleaned[f"value_{index}"] for index, name in enumerate(self.variables)}
        try:
            cleaned["text"] = check_text(fill(cleaned["text"], values))
        except ValueError:
            self.add_error("text", gettext("Enter a value for each place in the text."))
        except forms.ValidationError as problem:
            self.add_error("text", problem)

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if self.variables and not self.errors:
            self._fill_text(cleaned)
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
