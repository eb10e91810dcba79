"""`rotate_keys`: after it the first key alone reads everything."""

from __future__ import annotations

from io import StringIO
from typing import Any

import pytest
from cryptography.fernet import Fernet
from django.core.management import CommandError, call_command

from core.fields import UnreadableSecret
from core.secrets import Secret
from providers.management.commands import rotate_keys
from providers.models import Account, CallbackToken, Credential
from tests.factories.accounts import make_account

pytestmark = pytest.mark.django_db


@pytest.fixture
def old(settings: Any) -> str:
    return str(settings.SECRETS_KEYS[0])


@pytest.fixture
def new(old: str, settings: Any) -> str:
    """Comes into force before the old one, as when keys are rotated."""
    key = Fernet.generate_key().decode()
    settings.SECRETS_KEYS = [key, old]
    return key


@pytest.fixture
def account(old: str) -> Account:
    return make_account("haorui", credentials={"api_id": "API1", "api_password": "canary"})


def rotate(*arguments: str) -> tuple[str, str]:
    out, err = StringIO(), StringIO()
    call_command("rotate_keys", *arguments, stdout=out, stderr=err)
    return out.getvalue(), err.getvalue()


def token(of: Credential | CallbackToken) -> str:
    return str(type(of).objects.get(pk=of.pk).value.token)


def password(account: Account) -> Credential:
    return account.credentials.get(name="api_password")


def test_every_encrypted_column_is_found() -> None:
    found = {f"{m._meta.label}.{column.name}" for m, column in rotate_keys.encrypted_columns()}
    assert {"providers.Credential.value", "providers.CallbackToken.value"} <= found


def test_afterwards_the_old_key_is_no_longer_needed(
    account: Account, new: str, settings: Any
) -> None:
    out, _ = rotate()
    assert "providers.Credential.value: 2 encrypted anew" in out
    assert "providers.CallbackToken.value: 1 encrypted anew" in out
    settings.SECRETS_KEYS = [new]
    assert password(account).value.reveal() == "canary"
    assert account.callback_tokens.get().value.reveal()


def test_a_second_run_finds_nothing_to_do(account: Account, new: str) -> None:
    rotate()
    before = token(password(account))
    out, _ = rotate()
    assert "providers.Credential.value: 0 encrypted anew, 2 with the first key already" in out
    assert token(password(account)) == before


def test_a_dry_run_counts_and_writes_nothing(account: Account, new: str) -> None:
    before = token(password(account))
    out, _ = rotate("--dry-run")
    assert "2 to encrypt anew" in out
    assert token(password(account)) == before


def test_what_no_key_reads_is_named_by_id_and_the_rest_is_done(
    account: Account, new: str, settings: Any
) -> None:
    stranger = Fernet(Fernet.generate_key()).encrypt(b"lost-canary").decode()
    lost = account.credentials.get(name="api_id")
    rotate_keys.replace(
        Credential, Credential._meta.get_field("value"), lost.pk, token(lost), stranger
    )
    err = StringIO()
    with pytest.raises(CommandError) as failure:
        call_command("rotate_keys", stdout=StringIO(), stderr=err)
    assert failure.value.returncode == 1
    assert str(lost.pk) in err.getvalue()
    assert stranger not in err.getvalue() + str(failure.value)
    settings.SECRETS_KEYS = [new]
    assert password(account).value.reveal() == "canary"
    with pytest.raises(UnreadableSecret):
        Credential.objects.get(pk=lost.pk).value.reveal()


def test_a_secret_that_is_replaced_meanwhile_stays(
    account: Account, new: str, monkeypatch: Any
) -> None:
    replace = rotate_keys.replace

    def replace_late(model: Any, column: Any, pk: Any, *tokens: str) -> bool:
        if model is Credential:
            credential = Credential.objects.get(pk=pk)
            credential.value = Secret("saved meanwhile")
            credential.save()
        return replace(model, column, pk, *tokens)

    monkeypatch.setattr(rotate_keys, "replace", replace_late)
    out, _ = rotate()
    assert "0 encrypted anew, 0 with the first key already, 2 saved by others meanwhile" in out
    assert password(account).value.reveal() == "saved meanwhile"


def test_it_goes_through_more_rows_than_one_chunk(
    account: Account, new: str, monkeypatch: Any
) -> None:
    monkeypatch.setattr(rotate_keys, "CHUNK", 2)
    for _ in range(3):
        make_account("haorui")
    Credential.objects.update(value="")
    for credential in Credential.objects.all()[:5]:
        credential.value = Secret("x")
        credential.save()
    out, _ = rotate()
    assert "providers.Credential.value: 0 encrypted anew, 5 with the first key already" in out


def test_nothing_secret_is_printed(account: Account, new: str) -> None:
    out, err = rotate()
    assert "canary" not in out + err
    assert token(password(account)) not in out + err
