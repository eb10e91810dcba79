"""The demo's accounts: one with each sandbox provider."""

from __future__ import annotations

from dataclasses import dataclass, field

from django.conf import settings

from providers.accounts import callback_url, create_account
from providers.models import Account
from sandbox import credentials as practice

COUNTRIES = ("CN", "ID", "PH", "TH", "US")


class RealAccounts(Exception):
    """The database holds accounts that are not the demo's."""


@dataclass(frozen=True)
class DemoAccount:
    provider: str
    name: str
    path: str
    credentials: dict[str, str]
    options: dict[str, object] = field(default_factory=dict)


ACCOUNTS = (
    DemoAccount(
        "haosms",
        "HaoSMS (practice)",
        "/haosms",
        {"api_key": practice.HAOSMS_API_KEY},
        {
            "channels": ["验证码通道1", "中国OTP通道1"],
            "other_channels": ["TH China OTP Channel 2"],
        },
    ),
    DemoAccount(
        "haorui",
        "HAORUI (practice)",
        "/haorui",
        {"api_id": practice.HAORUI_API_ID, "api_password": practice.HAORUI_API_PASSWORD},
        {"sender_ids": ["PORTAL"]},
    ),
    DemoAccount(
        "otpservice",
        "OTP Service (practice)",
        "/otpservice",
        {"username": practice.OTPSERVICE_USERNAME, "password": practice.OTPSERVICE_PASSWORD},
    ),
    DemoAccount(
        "gosms",
        "GoSMS (practice)",
        "/gosms/api/v1",
        {"api_key": practice.GOSMS_API_KEY},
        {"exclusive_key": True},
    ),
)


def create_missing_accounts() -> None:
    for account in ACCOUNTS:
        if not Account.objects.filter(name=account.name).exists():
            _create_account(account)


def refuse_real_accounts() -> None:
    """Raise `RealAccounts` if the database holds accounts other than the demo's."""
    names = {account.name for account in ACCOUNTS}
    if others := Account.objects.exclude(name__in=names).exclude(
        base_url__startswith=settings.SANDBOX_URL
    ):
        raise RealAccounts(others[0].name)


def otp_callback() -> str:
    """The callback URL for the sandbox's OTP Service, whose customers register it by hand."""
    account = Account.objects.filter(provider="otpservice").order_by("pk").first()
    secret = callback_url(account) if account else None
    return secret.reveal() if secret else ""


def _create_account(account: DemoAccount) -> None:
    create_account(
        name=account.name,
        provider=account.provider,
        base_url=settings.SANDBOX_URL + account.path,
        credentials=account.credentials,
        options=account.options,
        allowed_countries=list(COUNTRIES),
    )
