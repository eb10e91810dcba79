"""`rotate_keys`: afterwards the first key alone can decrypt everything."""

from __future__ import annotations

from io import StringIO
from typing import Any

import pytest
from cryptography.fernet import Fernet
from django.core.management import CommandError, call_command

from core import encrypted_columns
from core.fields import UnreadableSecret
from core.secrets import Secret
from providers.management.commands import rotate_keys
from providers.models import Account, CallbackToken, Credential
from tests.factories.accounts import make_account

pytestmark = pytest.mark.django_db


@pytest.fixture
def old_key(settings: Any) -> str:
    return str(settings.SECRETS_KEYS[0])


@pytest.fixture
def new_key(old_key: str, settings: Any) -> str:
    """Takes precedence over the old key, as during a rotation."""
    key = Fernet.generate_key().decode()
    settings.SECRETS_KEYS = [key, old_key]
    return key


@pytest.fixture
def account(old_key: str) -> Account:
    return make_account("haorui", credentials={"api_id": "API1", "api_password": "canary"})


def rotate(*arguments: str) -> tuple[str, str]:
    out, err = StringIO(), StringIO()
    call_command("rotate_keys", *arguments, stdout=out, stderr=err)
    return out.getvalue(), err.getvalue()


def token(row: Credential | CallbackToken) -> str:
    return str(type(row).objects.get(pk=row.pk).value.token)


def password(account: Account) -> Credential:
    return account.credentials.get(name="api_password")


def test_all_encrypted_columns_are_found() -> None:
    found = {
        f"{m._meta.label}.{column.name}" for m, column in encrypted_columns.encrypted_columns()
    }
    assert {"providers.Credential.value", "providers.CallbackToken.value"} <= found


def test_old_key_is_not_needed_after_rotation(
    account: Account, new_key: str, settings: Any
) -> None:
    out, _ = rotate()
    assert "providers.Credential.value: 2 re-encrypted" in out
    assert "providers.CallbackToken.value: 1 re-encrypted" in out
    settings.SECRETS_KEYS = [new_key]
    assert password(account).value.reveal() == "canary"
    assert account.callback_tokens.get().value.reveal()


def test_second_run_changes_nothing(account: Account, new_key: str) -> None:
    rotate()
    before = token(password(account))
    out, _ = rotate()
    assert "providers.Credential.value: 0 re-encrypted, 2 with the first key already" in out
    assert token(password(account)) == before


def test_dry_run_only_counts(account: Account, new_key: str) -> None:
    before = token(password(account))
    out, _ = rotate("--dry-run")
    assert "2 to re-encrypt" in out
    assert token(password(account)) == before


def test_unreadable_values_are_reported_by_id_and_the_rest_is_rotated(
    account: Account, new_key: str, settings: Any
) -> None:
    foreign = Fernet(Fernet.generate_key()).encrypt(b"lost-canary").decode()
    lost = account.credentials.get(name="api_id")
    rotate_keys.replace(
        Credential, Credential._meta.get_field("value"), lost.pk, token(lost), foreign
    )
    err = StringIO()
    with pytest.raises(CommandError) as failure:
        call_command("rotate_keys", stdout=StringIO(), stderr=err)
    assert failure.value.returncode == 1
    assert str(lost.pk) in err.getvalue()
    assert foreign not in err.getvalue() + str(failure.value)
    settings.SECRETS_KEYS = [new_key]
    assert password(account).value.reveal() == "canary"
    with pytest.raises(UnreadableSecret):
        Credential.objects.get(pk=lost.pk).value.reveal()


def test_secret_saved_during_the_run_is_kept(
    account: Account, new_key: str, monkeypatch: Any
) -> None:
    replace = rotate_keys.replace

    def save_before_replace(model: Any, column: Any, pk: Any, *tokens: str) -> bool:
        if model is Credential:
            credential = Credential.objects.get(pk=pk)
            credential.value = Secret("saved meanwhile")
            credential.save()
        return replace(model, column, pk, *tokens)

    monkeypatch.setattr(rotate_keys, "replace", save_before_replace)
    out, _ = rotate()
    assert "0 re-encrypted, 0 with the first key already, 2 saved by others meanwhile" in out
    assert password(account).value.reveal() == "saved meanwhile"


def test_rows_beyond_one_chunk_are_rotated(
    account: Account, new_key: str, monkeypatch: Any
) -> None:
    monkeypatch.setattr(encrypted_columns, "CHUNK", 2)
    for _ in range(3):
        make_account("haorui")
    Credential.objects.update(value="")
    for credential in Credential.objects.all()[:5]:
        credential.value = Secret("x")
        credential.save()
    out, _ = rotate()
    assert "providers.Credential.value: 0 re-encrypted, 5 with the first key already" in out


def test_output_contains_no_secret(account: Account, new_key: str) -> None:
    out, err = rotate()
    assert "canary" not in out + err
    assert token(password(account)) not in out + err
