"""Valid input for the account form of each provider."""

from __future__ import annotations

import json
from typing import Any

from django.test import Client as Browser
from django.urls import reverse

from providers.admin.account_forms import AccountForm
from providers.admin.form_changes import OPTION, SECRET, field_digests
from providers.gateway.client import Client, OptionKind
from providers.gateway.registry import clients
from providers.models import Account

CANARY = "cAnArY-9Xk3"
"""Part of every secret of these tests, so that one search finds any of them."""
PROVIDERS = sorted(clients())
OPTIONS: dict[str, dict[str, str]] = {
    "haosms": {
        "option_channels": "验证码通道1\r\n中国OTP通道1",
        "option_other_channels": "TH China OTP Channel 2",
        "option_default_template": "",
    },
    "haorui": {"option_sender_ids": "HAORUI", "option_kind": "T"},
    "otpservice": {"option_phone_format": "plus"},
    "gosms": {"option_exclusive_key": "on"},
}


def client_of(provider: str) -> type[Client]:
    return clients()[provider]


def secret_data(provider: str) -> dict[str, str]:
    return {
        SECRET + field.name: f"{field.prefix}{CANARY}-{field.name}"
        for field in client_of(provider).credential_fields
    }


def _required_options(provider: str) -> dict[str, str]:
    """A line for each list that is required, so that a new provider needs no entry above."""
    fields = client_of(provider).option_fields
    required = [field for field in fields if field.required and field.kind is OptionKind.LINES]
    return {OPTION + field.name: "one" for field in required}


def form_data(provider: str, **changes: Any) -> dict[str, Any]:
    """Complete valid data. A change to None leaves the field out."""
    data: dict[str, Any] = {
        "name": f"{provider} main",
        "base_url": "https://127.0.0.1:9/api",
        "allowed_countries": ["CN", "TH"],
        "per_second": "5",
        "per_minute": "300",
        "in_flight": "4",
        "pausing_phrases": "",
        **secret_data(provider),
        **_required_options(provider),
        **OPTIONS.get(provider, {}),
        **changes,
    }
    return {name: value for name, value in data.items() if value is not None}


def stored_form_data(account: Account, **changes: Any) -> dict[str, Any]:
    """The data of the form of an existing account, as if its page had just been opened."""
    account = Account.objects.get(pk=account.pk)
    secrets = dict.fromkeys(secret_data(account.provider), "")
    stored = {
        "name": account.name,
        "base_url": account.base_url,
        "allowed_countries": account.allowed_countries,
        "per_second": account.per_second,
        "per_minute": account.per_minute,
        "in_flight": account.in_flight,
        "low_balance": account.low_balance or "",
        "price_per_segment": account.price_per_segment or "",
        "pausing_phrases": account.pausing_phrases,
        "seen": json.dumps(field_digests(account)),
    }
    for name, value in account.options.items():
        lines = "\n".join(value) if isinstance(value, list) else value
        stored[OPTION + name] = lines
    return form_data(account.provider, **{**secrets, **stored, **changes})


def add_url(provider: str) -> str:
    return f"{reverse('admin:providers_account_add')}?provider={provider}"


def url_of(account: Account, page: str = "change") -> str:
    return reverse(f"admin:providers_account_{page}", args=[account.public_id])


def content_of_pages(browser: Browser, *urls: str) -> str:
    return "".join(browser.get(url).content.decode() for url in urls)


def form_for(provider: str, **changes: Any) -> AccountForm:
    return AccountForm(form_data(provider, **changes), client=client_of(provider))


def save_form(form: AccountForm) -> Account:
    assert form.is_valid(), form.errors
    account = form.save()
    assert account is not None, form.errors
    return Account.objects.get(pk=account.pk)


def form_for_stored(account: Account, **changes: Any) -> AccountForm:
    stored = Account.objects.get(pk=account.pk)
    data = stored_form_data(stored, **changes)
    return AccountForm(data, instance=stored, client=client_of(account.provider))


def errors_of(form: AccountForm, field: str) -> str:
    assert not form.is_valid()
    return " ".join(str(error) for error in form.errors.get(field, []))
