"""Migrations only add to what the last release uses. What it uses is taken away a release later."""

from __future__ import annotations

import lzma
import re
from typing import Final

from django.db.migrations import Migration
from django.db.migrations.loader import MigrationLoader

from smsportal.upgrade_check.plan import CONTRACTS
from tests.upgrade.databases import DUMPS, FILE

ALLOWED: Final[dict[str, str]] = {}
"""`app.migration` to the reason why it may take something away."""
OURS: Final = {
    "audit",
    "core",
    "figures",
    "lookup",
    "messaging",
    "otp",
    "privacy",
    "providers",
    "rentals",
    "smsportal",
}


def newest_release() -> str:
    def numbers(version: str) -> list[int]:
        return [int(part) for part in version.split(".")]

    return max((folder.name for folder in DUMPS.iterdir()), key=numbers)


def test_migrations_since_the_last_release_take_nothing_away() -> None:
    dump = lzma.decompress((DUMPS / newest_release() / FILE["sqlite"]).read_bytes()).decode()
    tables = set(re.findall(r'CREATE TABLE (?:IF NOT EXISTS )?"(\w+)"', dump))
    applied = set(
        re.findall(r"INSERT INTO \"django_migrations\" VALUES\(\d+,'(\w+)','(\w+)'", dump)
    )
    assert len(applied) > 20
    assert "messaging_message" in tables
    later = [
        migration
        for key, migration in MigrationLoader(None).disk_migrations.items()
        if key not in applied and key[0] in OURS
    ]
    assert later
    found = [text for migration in later for text in taken_away(migration, tables)]
    assert found == [], "The version before still uses it: see CONTRIBUTING.md."


def taken_away(migration: Migration, tables: set[str]) -> list[str]:
    name = f"{migration.app_label}.{migration.name}"
    found = []
    for operation in migration.operations:
        model = getattr(operation, "model_name", None) or getattr(operation, "old_name", None)
        model = model or getattr(operation, "name", "")
        if isinstance(operation, CONTRACTS) and name not in ALLOWED:
            table = f"{migration.app_label}_{str(model).lower()}"
            found += [f"{name}: {operation.describe()}"] if table in tables else []
    return found


def test_removal_would_be_noticed() -> None:
    from django.db import migrations

    class Removal(migrations.Migration):
        operations = [migrations.RemoveField("Message", "text")]

    removal = Removal("9999_removal", "messaging")
    assert taken_away(removal, {"messaging_message"}) != []
    assert taken_away(removal, set()) == []
