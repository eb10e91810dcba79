"""Triggers by which the database refuses to change or delete acts, their personal parts and seals.

Some things remain possible. An act without a seal gets one, once; that is also when words that an
earlier version wrote into the act move to its personal row. A personal row may be deleted, and an
address blanked: that is what erasing is.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from django.db import connection, transaction
from django.db.migrations import Migration

from core import database_triggers as database

REFUSAL: Final = "The audit log is only added to."
APPS: Final = {"core", "audit"}
LAST_TABLE: Final = "audit_actaddress"
_TO_BLANK: Final = (
    "NEW.act_id = OLD.act_id AND NEW.at = OLD.at AND NEW.address = '' AND NEW.salt = ''"
)
_TO_SEAL: Final = (
    "OLD.seal IS NULL AND NEW.seal IS NOT NULL AND OLD.id = NEW.id AND OLD.at = NEW.at"
    " AND OLD.what = NEW.what AND {by}"
)
_GUARDS: Final[dict[str, tuple[str, str, str]]] = {
    "audit_keeps_act": ("UPDATE", "core_act", f"NOT ({_TO_SEAL})"),
    "audit_keeps_acts": ("DELETE", "core_act", ""),
    "audit_keeps_personal_part": ("UPDATE", "core_actpersonal", ""),
    "audit_keeps_address": ("UPDATE", LAST_TABLE, f"NOT ({_TO_BLANK})"),
    "audit_keeps_seal": ("UPDATE", "audit_seal", ""),
    "audit_keeps_seals": ("DELETE", "audit_seal", ""),
}
_FUNCTION: Final = f"""
CREATE OR REPLACE FUNCTION {{schema}}.audit_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '{REFUSAL}' USING ERRCODE = 'integrity_constraint_violation';
END $$;
"""


def install(using: str = "default", **_: Any) -> None:
    """Create the triggers that are missing. Receiver of `post_migrate`; may run again.

    Without the table of addresses, which comes last, a migration went back, or has not come so far.
    """
    wanted = missing_triggers()
    if not wanted or LAST_TABLE not in connection.introspection.table_names():
        return
    with transaction.atomic(using=using):
        if connection.vendor == "postgresql":
            database.run(_FUNCTION.format(schema=database.schema()))
        for name in wanted:
            database.create(name, _GUARDS[name][1], _statement(name))


def remove_before(
    plan: Sequence[tuple[Migration, bool]] = (), using: str = "default", **_: Any
) -> None:
    """Remove the triggers before a migration of their tables. Receiver of `pre_migrate`."""
    if database.changes_any(plan, APPS):
        remove()


def remove() -> None:
    tables = connection.introspection.table_names()
    for name, (_event, table, _when) in _GUARDS.items():
        if table in tables:
            database.drop(name, table)


def missing_triggers() -> list[str]:
    present = database.present()
    return [name for name in _GUARDS if name not in present]


def _statement(name: str) -> str:
    event, table, condition = _GUARDS[name]
    on_sqlite = connection.vendor == "sqlite"
    same = "OLD.by_id IS NEW.by_id" if on_sqlite else "OLD.by_id IS NOT DISTINCT FROM NEW.by_id"
    when = f" WHEN ({condition.format(by=same)})" if condition else ""
    if on_sqlite:
        return (
            f"CREATE TRIGGER {name} BEFORE {event} ON {table}{when}"
            f" BEGIN SELECT RAISE(ABORT, '{REFUSAL}'); END"
        )
    return (
        f"CREATE TRIGGER {name} BEFORE {event} ON {table} FOR EACH ROW{when}"
        f" EXECUTE FUNCTION {database.schema()}.audit_refuse()"
    )
