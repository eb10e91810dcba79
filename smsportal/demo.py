"""The demo's data: a member of staff for each role, and an account with each sandbox provider.

The first start creates them; later starts change nothing. The passwords are random. A file that
only its owner can read keeps them, so that every start can print them.
"""

from __future__ import annotations

import os
import secrets
from dataclasses import dataclass, field
from pathlib import Path

from django.conf import settings
from django.contrib.auth.models import Group, User
from django.db import transaction

from providers.accounts import callback_url, create_account
from providers.models import Account
from sandbox import credentials as practice

ROLES = ("viewer", "operator", "manager", "auditor")
ADMINISTRATOR = "admin"


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


def prepare() -> dict[str, str]:
    """Create missing accounts and staff. Returns the password of each member of staff."""
    refuse_real_accounts()
    with transaction.atomic():
        for account in ACCOUNTS:
            if not Account.objects.filter(name=account.name).exists():
                _create_account(account)
        return _create_staff(settings.DATA_DIR / "demo-passwords.txt")


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
        allowed_countries=["CN"],
    )


def _create_staff(file: Path) -> dict[str, str]:
    known = dict(line.split() for line in file.read_text().splitlines()) if file.exists() else {}
    passwords = {name: known.get(name, "") for name in (ADMINISTRATOR, *ROLES)}
    for name, password in passwords.items():
        user, created = User.objects.get_or_create(username=name, defaults={"is_staff": True})
        if created or not password:
            passwords[name] = password = password or secrets.token_urlsafe(9)
            user.set_password(password)
        user.is_superuser = name == ADMINISTRATOR
        user.save()
        if name in ROLES:
            user.groups.add(Group.objects.get_or_create(name=name)[0])
    _write_private(file, "".join(f"{name} {password}\n" for name, password in passwords.items()))
    return passwords


def _write_private(file: Path, text: str) -> None:
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as opened:
        opened.write(text)
