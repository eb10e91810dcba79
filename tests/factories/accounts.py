"""Factory of accounts."""

from __future__ import annotations

from itertools import count
from typing import Any

from auditlog.context import disable_auditlog

from providers import accounts
from providers.models import Account
from sandbox import credentials
from sandbox.server import Sandbox

_serial = count(1)

CREDENTIALS: dict[str, dict[str, str]] = {
    "haosms": {"api_key": credentials.HAOSMS_API_KEY},
    "haorui": {
        "api_id": credentials.HAORUI_API_ID,
        "api_password": credentials.HAORUI_API_PASSWORD,
    },
    "otpservice": {
        "username": credentials.OTPSERVICE_USERNAME,
        "password": credentials.OTPSERVICE_PASSWORD,
    },
    "gosms": {"api_key": credentials.GOSMS_API_KEY},
}
OPTIONS: dict[str, dict[str, object]] = {
    "haosms": {"channels": ["验证码通道1"]},
    "haorui": {"sender_ids": ["HAORUI"]},
}
NOWHERE = "http://127.0.0.1:9"
"""A port without a listener."""


def make_account(
    provider: str = "haorui", sandbox: Sandbox | None = None, **fields: Any
) -> Account:
    """Make an account, with the sandbox's credentials. Without a sandbox it is unreachable."""
    fields = {
        "name": f"{provider} {next(_serial)}",
        "allowed_countries": ["CN"],
        "credentials": CREDENTIALS[provider],
        "options": OPTIONS.get(provider, {}),
        "base_url": sandbox.base_url(provider) if sandbox else NOWHERE,
        "per_second": 500,
        "per_minute": 30_000,
        **fields,
    }
    with disable_auditlog():
        return accounts.create_account(provider=provider, **fields)
