"""Recipients' files are encrypted in the database, and plain for all code that reads them."""

from __future__ import annotations

import io
from typing import Any

import pytest
from cryptography.fernet import Fernet
from django.core.management import call_command
from django.db import connection

from core.fields import UnreadableSecret
from core.sealed_fields import MARK
from messaging.batches import lifecycle
from messaging.models import FilePart, Message, StagedRow
from tests.factories.batches import make_batch, start_batch

pytestmark = pytest.mark.django_db
FILE = b"number,name\n13912345678,Ann\n13912345679,Bob\nx12,Eve\n"
TEXT = "Dear {name}, welcome."
PLAIN = ("Ann", "Bob", "Eve", "x12", "welcome")


def stored(*columns: str, table: str = "messaging_stagedrow") -> str:
    """What the database itself has."""
    names = ", ".join(f'"{name}"' for name in columns)
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {names} FROM {table} ORDER BY id")
        rows = cursor.fetchall()
    return " ".join(
        bytes(value).decode("latin-1") if isinstance(value, (bytes, memoryview)) else str(value)
        for row in rows
        for value in row
    )


def rows_of(batch: Any) -> list[tuple[Any, str, str]]:
    rows = StagedRow.objects.filter(batch=batch).order_by("number")
    return list(rows.values_list("values", "typed", "text"))


def test_files_and_rows_are_encrypted_and_sent_as_they_were(settings: Any) -> None:
    plain = make_batch(FILE, text=TEXT)
    expected = rows_of(plain)
    assert any(word in stored("values", "typed", "text") for word in PLAIN)

    settings.ENCRYPT_FILES = True
    StagedRow.objects.all().delete()
    FilePart.objects.all().delete()
    batch = make_batch(FILE, text=TEXT)
    seen = stored("values", "typed", "text") + stored("data", table="messaging_filepart")
    assert MARK in seen
    assert [word for word in PLAIN if word in seen] == []
    assert "13912345678" in stored("recipient")
    assert rows_of(batch) == expected

    if not batch.is_accepted:
        lifecycle.accept_warnings(batch, [one["id"] for one in batch.warnings])
    batch.refresh_from_db()
    start_batch(batch)
    sent = Message.objects.filter(batch=batch).order_by("batch_row")
    assert [one.text for one in sent] == ["Dear Ann, welcome.", "Dear Bob, welcome."]
    assert not FilePart.objects.exists()


def test_plain_rows_of_before_stay_readable_and_are_encrypted_with_the_keys(settings: Any) -> None:
    batch = make_batch(FILE, text=TEXT)
    expected = rows_of(batch)
    settings.ENCRYPT_FILES = True
    assert rows_of(batch) == expected

    old = settings.SECRETS_KEYS
    settings.SECRETS_KEYS = [Fernet.generate_key().decode(), *old]
    call_command("rotate_keys", stdout=io.StringIO())
    assert not any(word in stored("values", "typed", "text") for word in PLAIN)
    settings.SECRETS_KEYS = settings.SECRETS_KEYS[:1]
    assert rows_of(batch) == expected
    assert bytes(FilePart.objects.get().data) == FILE


def test_without_its_key_a_row_is_no_empty_text(settings: Any) -> None:
    settings.ENCRYPT_FILES = True
    batch = make_batch(FILE, text=TEXT)
    settings.SECRETS_KEYS = [Fernet.generate_key().decode()]
    with pytest.raises(UnreadableSecret):
        rows_of(batch)


def test_a_text_that_looks_encrypted_is_read_as_it_was() -> None:
    batch = make_batch(f"13912345678,{MARK}abc\n".encode(), text="{B}", read_it=False)
    row = {"batch": batch, "run": "0" * 32, "number": 1, "verdict": "good"}
    StagedRow.objects.create(**row, text=f"{MARK}abc", values={"B": f"{MARK}x"})
    found = StagedRow.objects.get()
    assert (found.text, found.values) == (f"{MARK}abc", {"B": f"{MARK}x"})
    part = FilePart.objects.get()
    assert MARK.encode() in bytes(part.data)
