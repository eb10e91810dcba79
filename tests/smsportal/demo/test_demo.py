"""The demo's staff and accounts."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest
from django.contrib.auth import authenticate
from django.contrib.auth.models import User
from pytest_django import Settings

from providers.accounts import create_account, login_of
from providers.gateway.registry import clients
from providers.models import Account
from smsportal import demo
from smsportal.management.commands.prepare import greeting
from smsportal.processes.programs import ALL
from smsportal.rights.roles import ROLES

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def demo_settings(settings: Settings, tmp_path: Path) -> Path:
    settings.DATA_DIR = tmp_path
    settings.SANDBOX_URL = "http://127.0.0.1:8801"
    return tmp_path


def test_every_provider_has_a_sandbox_account() -> None:
    demo.prepare(history=False)
    assert {account.provider for account in Account.objects.all()} == set(clients())
    assert all(
        account.base_url.startswith("http://127.0.0.1:8801/") for account in Account.objects.all()
    )


def test_every_account_has_the_credentials_and_options_of_its_client() -> None:
    demo.prepare(history=False)
    for account in Account.objects.all():
        client, login = account.client, login_of(account)
        assert client is not None
        assert all(secret.reveal() for secret in login.credentials.values())
        assert set(account.options) <= {field.name for field in client.option_fields}
        assert all(account.options.get(f.name) for f in client.option_fields if f.required)


def test_each_role_has_a_member_of_staff_and_there_is_an_administrator() -> None:
    passwords = demo.prepare(history=False)
    assert set(passwords) == {"admin", *ROLES}
    for name, password in passwords.items():
        user = authenticate(None, username=name, password=password)
        assert isinstance(user, User)
        assert user.is_staff
        assert user.is_superuser == (name == "admin")
    assert {group.name for group in User.objects.get(username="auditor").groups.all()} == {
        "auditor"
    }


def test_second_start_changes_nothing() -> None:
    first = demo.prepare(history=False)
    Account.objects.filter(provider="gosms").update(per_second=3)
    assert demo.prepare(history=False) == first
    assert Account.objects.count() == len(clients())
    assert Account.objects.get(provider="gosms").per_second == 3


def test_password_file_is_private(demo_settings: Path) -> None:
    demo.prepare(history=False)
    path = demo_settings / "demo-passwords.txt"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_lost_password_file_leads_to_new_passwords(demo_settings: Path) -> None:
    first = demo.prepare(history=False)
    (demo_settings / "demo-passwords.txt").unlink()
    second = demo.prepare(history=False)
    assert first["viewer"] != second["viewer"]
    assert authenticate(None, username="viewer", password=second["viewer"])


def test_database_with_real_accounts_is_refused() -> None:
    create_account(
        name="Real", provider="gosms", base_url="https://sms.example.com", credentials={}
    )
    with pytest.raises(demo.RealAccounts, match="Real"):
        demo.prepare()
    assert not User.objects.exists()


def test_last_lines_say_what_each_role_may_do(demo_settings: Path) -> None:
    passwords = demo.prepare(history=False)
    *_, heading, admin, viewer, operator, manager, auditor = greeting(ALL, passwords).splitlines()
    assert str(demo_settings / "demo-passwords.txt") in heading
    for line, name in zip(
        (admin, viewer, operator, manager, auditor), ("admin", *ROLES), strict=True
    ):
        assert line.split()[:2] == [name, passwords[name]]
        assert line.endswith(".")
    assert all(len(line) < 120 for line in (admin, viewer, operator, manager, auditor))
