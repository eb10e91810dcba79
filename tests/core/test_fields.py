"""What is encrypted at rest can be read with any of the keys, and by nothing else."""

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


def stored(credential: Credential) -> str:
    with connection.cursor() as cursor:
        cursor.execute("SELECT value FROM providers_credential WHERE id = %s", [credential.pk])
        (token,) = cursor.fetchone()
    return str(token)


@pytest.mark.parametrize("value", [CANARY, Secret(CANARY)])
def test_the_database_never_sees_the_value(value: object) -> None:
    credential = make_credential(value)
    assert CANARY not in stored(credential)
    assert Credential.objects.get(pk=credential.pk).value.reveal() == CANARY


def test_unusual_characters_come_back_as_they_were() -> None:
    for value in ("密码 🎉", "a b\tc", "ü" * 500):
        assert Credential.objects.get(pk=make_credential(value).pk).value.reveal() == value


def test_saving_what_was_read_does_not_encrypt_it_anew() -> None:
    credential = Credential.objects.get(pk=make_credential().pk)
    before = stored(credential)
    credential.save()
    assert stored(credential) == before


def test_an_old_key_still_reads_and_the_first_one_writes(settings: Any) -> None:
    credential = make_credential()
    new = Fernet.generate_key().decode()
    settings.SECRETS_KEYS = [new, *settings.SECRETS_KEYS]
    assert Credential.objects.get(pk=credential.pk).value.reveal() == CANARY
    written = make_credential("after")
    assert Fernet(new).decrypt(stored(written).encode()) == b"after"


def test_without_its_key_a_value_says_so_and_names_nothing(settings: Any) -> None:
    credential = make_credential()
    settings.SECRETS_KEYS = [Fernet.generate_key().decode()]
    read = Credential.objects.get(pk=credential.pk)
    with pytest.raises(UnreadableSecret) as failure:
        read.value.reveal()
    assert stored(credential) not in str(failure.value)
    assert failure.value.__cause__ is None


def test_a_row_that_cannot_be_read_can_be_listed_and_deleted(settings: Any) -> None:
    make_credential()
    settings.SECRETS_KEYS = [Fernet.generate_key().decode()]
    rows = list(Credential.objects.filter(name="canary"))
    assert str(rows[0].value) == "••••••"
    rows[0].delete()
    assert not Credential.objects.filter(name="canary").exists()


def test_no_key_at_all_is_a_mistake_of_the_installation(settings: Any) -> None:
    settings.SECRETS_KEYS = []
    with pytest.raises(ImproperlyConfigured):
        make_credential()


def test_nothing_is_encrypted_where_there_is_no_secret() -> None:
    credential = make_credential("")
    assert stored(credential) == ""
    assert Credential.objects.get(pk=credential.pk).value is None


@pytest.mark.parametrize("lookup", ["contains", "startswith", "gt", "regex", "in"])
def test_it_cannot_be_searched(lookup: str) -> None:
    with pytest.raises(FieldError):
        Credential.objects.filter(**{f"value__{lookup}": "c"}).exists()


def test_a_dump_holds_the_encrypted_form_and_can_be_loaded() -> None:
    credential = Credential.objects.get(pk=make_credential().pk)
    field = Credential._meta.get_field("value")
    assert isinstance(field, EncryptedField)
    dumped = field.value_to_string(credential)
    assert dumped.startswith(DUMP_PREFIX)
    assert CANARY not in dumped
    loaded = field.to_python(dumped)
    assert isinstance(loaded, Secret)
    assert loaded.reveal() == CANARY


def test_many_rows_are_updated_at_once_and_stay_encrypted() -> None:
    credentials = [make_credential(), make_credential()]
    for credential in credentials:
        credential.value = Secret("changed")
    Credential.objects.bulk_update(credentials, ["value"])
    assert {c.value.reveal() for c in Credential.objects.filter(name="canary")} == {"changed"}
    assert "changed" not in stored(credentials[0])
