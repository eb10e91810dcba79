"""Detection of concurrent changes, warnings and log entries of the account form."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Final

from django import forms
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext

from core.countries import country_name
from core.punctuation import listed

from ..gateway.client import (
    MakesCodes,
    ReceivesCallbacks,
    RentsNumbers,
    ReportsBalance,
    SendsOwnCode,
    SendsText,
)
from ..models import Account
from .account_fields import SecretField

SECRET: Final = "secret_"  # noqa: S105
OPTION: Final = "option_"
"""Prefixes of the names of form fields."""
COLUMNS: Final = (
    "name",
    "base_url",
    "allowed_countries",
    "price_per_segment",
    "highest_price",
    "per_second",
    "per_minute",
    "in_flight",
    "daily_limit",
    "low_balance",
    "pausing_phrases",
    "callback_networks",
)
PRICES: Final = ("price_per_segment", "highest_price")
AMOUNTS: Final = (*PRICES, "low_balance")
SENDING: Final = SendsText | SendsOwnCode | MakesCodes
ONLY_FOR: Final = {
    "allowed_countries": SENDING,
    "low_balance": ReportsBalance,
    "callback_networks": ReceivesCallbacks,
    "price_per_segment": SENDING,
    "highest_price": RentsNumbers,
}
"""What the client must do for the field to apply."""


def field_digests(account: Account) -> dict[str, str]:
    """A short digest of the value of each form field, to detect later changes."""
    if account.pk is None:
        return {}
    values: dict[str, object] = {name: getattr(account, name) for name in COLUMNS}
    values |= {OPTION + name: value for name, value in account.options.items()}
    values |= {SECRET + each.name: each.saved_at for each in account.credentials.all()}
    return {
        name: salted_hmac("providers.account", json.dumps([name, value], default=str)).hexdigest()[
            :12
        ]
        for name, value in values.items()
    }


def changed_since(seen: str, account: Account) -> list[str]:
    """The names of the fields whose values changed since a form was opened.

    :param seen: the digests that the form was opened with, as JSON.
    """
    try:
        before = json.loads(seen)
    except ValueError:
        before = None
    before = before if isinstance(before, dict) else {}
    return [name for name, digest in field_digests(account).items() if before.get(name) != digest]


def secret_warnings(form: forms.BaseForm, secrets: Mapping[str, str]) -> Iterator[str]:
    for name, value in secrets.items():
        field = form.fields[SECRET + name]
        if value and isinstance(field, SecretField):
            yield from field.warnings_for(value)


def channel_warnings(account: Account) -> Iterator[str]:
    client = account.client
    if client is None or not issubclass(client, SendsOwnCode):
        return
    without = [
        country_name(code)
        for code in account.allowed_countries
        if not client.channels(code, account.options)
    ]
    if without:
        text = gettext("No channel set for: %(countries)s. Nothing can be sent there.")
        yield text % {"countries": listed(without)}


def changed_names(form: forms.BaseForm) -> list[str]:
    """The names of the changed fields, without values, for the log."""
    return [name for name in form.changed_data if name != "seen"]
