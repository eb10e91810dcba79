"""The account form, built from the declarations of the provider's client.

No provider is named here: secrets, options, help texts and initial values come from the client,
in English and marked for translation.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.core.validators import MinValueValidator
from django.forms.boundfield import BoundField
from django.utils import timezone
from django.utils.translation import gettext, pgettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _
from unfold.widgets import (
    UnfoldAdminDecimalFieldWidget,
    UnfoldAdminIntegerFieldWidget,
    UnfoldAdminTextInputWidget,
)

from core.names import GivenName

from ..gateway.client import Client
from ..models import Account
from .account_fields import (
    NetworksField,
    PhrasesField,
    SecretField,
    option_form_field,
    translated,
)
from .account_saving import SavesAccount
from .address_field import BaseUrlField, check_address
from .country_field import CountriesField
from .form_changes import (
    AMOUNTS,
    COLUMNS,
    ONLY_FOR,
    OPTION,
    PRICES,
    SECRET,
    field_digests,
)


@dataclass(frozen=True)
class Section:
    key: str
    title: str
    fields: list[BoundField]


class AccountForm(SavesAccount):
    """The form of a new or an existing account."""

    base_url = BaseUrlField(label=pgettext_lazy("field", "Address"))
    allowed_countries = CountriesField(
        label=_("Allowed countries/regions"),
        help_text=_("This account sends only to these countries/regions."),
    )
    pausing_phrases = PhrasesField(
        label=_("Phrases that pause the account"),
        required=False,
        help_text=_(
            "One per line. A refusal that contains one of these phrases pauses the"
            " account, so that the remaining messages wait instead of failing. Not"
            " case-sensitive."
        ),
    )
    callback_networks = NetworksField(
        label=_("Networks allowed to send callbacks"),
        required=False,
        help_text=_(
            "One per line, such as 203.0.113.0/24. Callbacks from other addresses are"
            " rejected and lost, so ask the provider for all of its addresses. Empty:"
            " any address."
        ),
    )
    seen = forms.CharField(widget=forms.HiddenInput, required=False, max_length=5000)

    class Meta:
        model = Account
        fields = COLUMNS
        field_classes = {"name": GivenName}
        labels = {
            "name": pgettext_lazy("field", "Name"),
            "price_per_segment": _("Price per segment"),
            "highest_price": _("Price warning"),
            "per_second": _("Calls per second"),
            "per_minute": _("Calls per minute"),
            "in_flight": _("Concurrent calls"),
            "daily_limit": _("Daily limit"),
            "low_balance": _("Low-balance warning"),
        }
        help_texts = {
            "name": _("The name your team uses; shown in every list."),
            "price_per_segment": _(
                "If your contract states one, in the provider's own unit. For estimates only."
            ),
            "highest_price": _("Warn before a number is rented whose last price is higher."),
            "per_second": _("As your contract allows."),
            "per_minute": _("Both limits apply at the same time."),
            "in_flight": _("Maximum number of calls waiting for an answer."),
            "daily_limit": _(
                "Messages, codes and rented numbers combined, in any 24 hours. Empty: no limit."
            ),
            "low_balance": _("Warn when the available balance falls below this amount."),
        }
        widgets = {
            "name": UnfoldAdminTextInputWidget({"autocomplete": "off"}),
            "per_second": UnfoldAdminIntegerFieldWidget(),
            "per_minute": UnfoldAdminIntegerFieldWidget(),
            "in_flight": UnfoldAdminIntegerFieldWidget(),
            "daily_limit": UnfoldAdminIntegerFieldWidget(),
            **{name: UnfoldAdminDecimalFieldWidget({"step": "any"}) for name in AMOUNTS},
        }
        error_messages = {"name": {"unique": _("An account with this name already exists.")}}

    def __init__(self, *args: Any, client: type[Client], **kwargs: Any) -> None:
        kwargs.setdefault("label_suffix", "")
        super().__init__(*args, **kwargs)
        self.client = client
        self.warnings = []
        self.is_new = self.instance.pk is None
        self.stored = (
            {} if self.is_new else {each.name: each for each in self.instance.credentials.all()}
        )
        self.fields["base_url"].help_text = translated(client.base_url_help)
        self._add_secrets()
        for option in client.option_fields:
            self.fields[OPTION + option.name] = option_form_field(option, self.instance)
        self._drop_inapplicable_fields()
        for name, field in self.fields.items():
            if name != "allowed_countries":
                field.error_messages["required"] = _("Enter a value.")
        if self.is_new:
            self._set_initial_values()
        for name in AMOUNTS:
            if self.initial.get(name) is not None:
                # Without the trailing zeros that the database adds.
                self.initial[name] = Decimal(f"{self.initial[name].normalize():f}")
        self.initial["seen"] = json.dumps(field_digests(self.instance))

    # --- fields ------------------------------------------------------------

    def _add_secrets(self) -> None:
        for declared in self.client.credential_fields:
            stored = self.stored.get(declared.name)
            secret = SecretField(
                label=gettext(declared.label),
                help_text=translated(declared.help),
                prefix=declared.prefix,
                required=stored is None,
            )
            if stored is not None:
                kept = gettext("saved %(date)s; leave empty to keep it")
                secret.widget.attrs["placeholder"] = kept % {
                    "date": f"{timezone.localtime(stored.saved_at):%Y-%m-%d}"
                }
            self.fields[SECRET + declared.name] = secret

    def _drop_inapplicable_fields(self) -> None:
        for name, needed in ONLY_FOR.items():
            if not issubclass(self.client, needed):
                del self.fields[name]
            elif name in PRICES:
                self.fields[name].validators.append(MinValueValidator(0))

    def _set_initial_values(self) -> None:
        pace = self.client.pace
        self.initial["base_url"] = self.client.default_base_url
        for name in ("per_second", "per_minute", "in_flight"):
            self.initial[name] = getattr(pace, name)
        self.fields["name"].widget.attrs["autofocus"] = True

    def sections(self) -> Iterator[Section]:
        options = [name for name in self.fields if name.startswith(OPTION)]
        secrets = [name for name in self.fields if name.startswith(SECRET)]
        own = gettext("%(provider)s settings") % {"provider": self.client.name}
        for key, title, names in (
            ("login", pgettext("title", "Credentials"), ["name", "base_url", *secrets]),
            ("options", own, options),
            (
                "reach",
                gettext("Where the account may send"),
                ["allowed_countries", "price_per_segment"],
            ),
            (
                "limits",
                pgettext("title", "Limits"),
                ["per_second", "per_minute", "in_flight", "daily_limit"],
            ),
            (
                "warnings",
                gettext("Warnings and pauses"),
                ["low_balance", "highest_price", "pausing_phrases"],
            ),
            ("callbacks", pgettext("title", "Callbacks"), ["callback_networks"]),
        ):
            fields = [self[name] for name in names if name in self.fields]
            if fields:
                yield Section(key, title, fields)

    # --- checks ------------------------------------------------------------

    def clean_name(self) -> str:
        name = str(self.cleaned_data["name"])
        if Account.objects.filter(name__iexact=name).exclude(pk=self.instance.pk).exists():
            raise ValidationError(_("An account with this name already exists."))
        return name

    def clean_base_url(self) -> str:
        url = self.client.base_url_in(str(self.cleaned_data["base_url"]))
        # An unchanged address need not resolve here: every call resolves it again.
        check_address(url, ask_dns=self.is_new or url != self.instance.base_url)
        return url
