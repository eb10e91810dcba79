"""An earlier release after `migrate`: no row is lost, and the old version can still write."""

from __future__ import annotations

from collections import Counter
from io import StringIO
from typing import Any, Final

import pytest
from django.apps import apps
from django.core.management import call_command
from django.db import connection
from django.db.models import Model

from alerts.models import Receiver, Watch
from core.fields import EncryptedField
from core.models import ExportJob
from privacy.models import Erasure, LegalHold
from tests.upgrade import databases
from tests.upgrade.databases import WRITTEN_BY_MIGRATE, Rows

pytestmark = pytest.mark.each_database

REWRITTEN: Final[dict[str, str]] = {
    "django_admin_log.change_message": "its sentences become keys with values",
    "django_admin_log.object_repr": "that of an export becomes the name of the model",
    "messaging_message.settled_because": "a chosen reason becomes its key",
    "rentals_finding.explained_because": "a chosen reason becomes its key",
    "rentals_order.settled_because": "a chosen reason becomes its key",
}
"""`table.column` to the reason why a migration may change its values."""

LATER: Final = (Erasure, ExportJob, LegalHold, Receiver, Watch)
"""Models with secrets that no earlier release has."""


@pytest.mark.usefixtures("upgraded")
def test_every_old_row_keeps_its_values(old_rows: Rows) -> None:
    assert sum(len(rows) for _, rows in old_rows.values()) > 500
    lost: dict[str, object] = {}
    for table, (columns, rows) in old_rows.items():
        kept = [name for name in columns if f"{table}.{name}" not in REWRITTEN]
        places = [columns.index(name) for name in kept]
        before = Counter(_hashable([row[place] for place in places]) for row in rows)
        after = Counter(_hashable(row) for row in databases.rows_of(table, kept))
        if missing := before - after:
            lost[table] = list(missing)[:3]
        elif sum(after.values()) < len(rows):
            lost[table] = "fewer rows"
    assert lost == {}


@pytest.mark.usefixtures("upgraded")
def test_old_version_inserts_after_the_migration(old_rows: Rows) -> None:
    """The old version runs beside the new one during the upgrade and knows no new column."""
    assert databases.replace_rows(old_rows) == {}
    for table in old_rows.keys() - WRITTEN_BY_MIGRATE:
        columns, rows = old_rows[table]
        found = Counter(map(_hashable, databases.rows_of(table, columns)))
        assert found == Counter(map(_hashable, rows)), table


def _hashable(row: Any) -> tuple[Any, ...]:
    return tuple(str(value) if isinstance(value, (dict, list)) else value for value in row)


@pytest.mark.usefixtures("upgraded")
def test_checks_pass_and_every_migration_is_applied() -> None:
    call_command("check", databases=["default"], stdout=StringIO())
    call_command("migrate", check_unapplied=True, stdout=StringIO())
    connection.check_constraints()


@pytest.mark.usefixtures("upgraded")
def test_every_secret_is_decrypted() -> None:
    found = Counter[str]()
    for model in apps.get_models():
        for field in model._meta.concrete_fields:
            if isinstance(field, EncryptedField) and model not in LATER:
                found[model._meta.label] += _decrypted(model, field.name)
    assert {label for label, number in found.items() if not number} == set()
    assert found["providers.Credential"] > 10


def _decrypted(model: type[Model], name: str) -> int:
    stored = model._default_manager.exclude(**{name: ""}).values_list(name, flat=True)
    return sum(bool(secret.reveal()) for secret in stored)
