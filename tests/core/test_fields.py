"""Encrypted fields: any configured key decrypts them, and nothing else does."""

from __future__ import annotations

from typing import Any

import pytest
from cryptography.fernet import Fernet
from django.core.exceptions import FieldError, ImproperlyConfigured
from django.db import connection

from core.fields import DUMP_PREFIX, EncryptedField, UnreadableSecret
from core.secrets import Secret
from providers.models import Credential
from tests.factories.accounts import make_account

CANARY = "canary-4Zt9"
pytestmark = pytest.mark.django_db


def make_credential(value: object = CANARY) -> Credential:
    return Credential.objects.create(account=make_account(), name="canary", value=value)


def stored_token(credential: Credential) -> str:
    with connection.cursor() as cursor:
        cursor.execute("SELECT value FROM providers_credential WHERE id = %s", [credential.pk])
        (token,) = cursor.fetchone()
    return str(token)


@pytest.mark.parametrize("value", [CANARY, Secret(CANARY)])
def test_database_stores_no_plain_value(value: object) -> None:
    credential = make_credential(value)
    assert CANARY not in stored_token(credential)
    assert Credential.objects.get(pk=credential.pk).value.reveal() == CANARY


def test_unusual_characters_survive_encryption() -> None:
    for value in ("密码 🎉", "a b\tc", "ü" * 500):
        assert Credential.objects.get(pk=make_credential(value).pk).value.reveal() == value


def test_saving_an_unchanged_value_does_not_encrypt_again() -> None:
    credential = Credential.objects.get(pk=make_credential().pk)
    before = stored_token(credential)
    credential.save()
    assert stored_token(credential) == before


def test_any_key_decrypts_and_the_first_encrypts(settings: Any) -> None:
    credential = make_credential()
    new = Fernet.generate_key().decode()
    settings.SECRETS_KEYS = [new, *settings.SECRETS_KEYS]
    assert Credential.objects.get(pk=credential.pk).value.reveal() == CANARY
    written = make_credential("after")
    assert Fernet(new).decrypt(stored_token(written).encode()) == b"after"


def test_missing_key_raises_an_error_without_the_token(settings: Any) -> None:
    credential = make_credential()
    settings.SECRETS_KEYS = [Fernet.generate_key().decode()]
    read = Credential.objects.get(pk=credential.pk)
    with pytest.raises(UnreadableSecret) as failure:
        read.value.reveal()
    assert stored_token(credential) not in str(failure.value)
    assert failure.value.__cause__ is None


def test_unreadable_row_can_be_listed_and_deleted(settings: Any) -> None:
    make_credential()
    settings.SECRETS_KEYS = [Fernet.generate_key().decode()]
    rows = list(Credential.objects.filter(name="canary"))
    assert str(rows[0].value) == "••••••"
    rows[0].delete()
    assert not Credential.objects.filter(name="canary").exists()


def test_missing_keys_raise_improperly_configured(settings: Any) -> None:
    settings.SECRETS_KEYS = []
    with pytest.raises(ImproperlyConfigured):
        make_credential()


def test_empty_value_is_not_encrypted() -> None:
    credential = make_credential("")
    assert stored_token(credential) == ""
    assert Credential.objects.get(pk=credential.pk).value is None


@pytest.mark.parametrize("lookup", ["contains", "startswith", "gt", "regex", "in"])
def test_encrypted_field_rejects_searches(lookup: str) -> None:
    with pytest.raises(FieldError):
        Credential.objects.filter(**{f"value__{lookup}": "c"}).exists()


def test_dump_keeps_the_encrypted_form_and_loads() -> None:
    credential = Credential.objects.get(pk=make_credential().pk)
    field = Credential._meta.get_field("value")
    assert isinstance(field, EncryptedField)
    dumped = field.value_to_string(credential)
    assert dumped.startswith(DUMP_PREFIX)
    assert CANARY not in dumped
    loaded = field.to_python(dumped)
    assert isinstance(loaded, Secret)
    assert loaded.reveal() == CANARY


def test_bulk_update_encrypts_values() -> None:
    credentials = [make_credential(), make_credential()]
    for credential in credentials:
        credential.value = Secret("changed")
    Credential.objects.bulk_update(credentials, ["value"])
    assert {c.value.reveal() for c in Credential.objects.filter(name="canary")} == {"changed"}
    assert "changed" not in stored_token(credentials[0])
