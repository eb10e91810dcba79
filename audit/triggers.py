"""Triggers by which the database refuses to change or delete acts, their personal parts and seals.

Two things remain possible. An act without a seal gets one, once; that is also when words that an
earlier version wrote into the act move to its personal row. And a personal row may be deleted: that
is what erasing is.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from django.db import connection, transaction
from django.db.migrations import Migration

REFUSAL: Final = "The audit log is only added to."
APPS: Final = {"core", "audit"}
_TO_SEAL: Final = (
    "OLD.seal IS NULL AND NEW.seal IS NOT NULL AND OLD.id = NEW.id AND OLD.at = NEW.at"
    " AND OLD.what = NEW.what AND {by}"
)
_GUARDS: Final[dict[str, tuple[str, str, str]]] = {
    "audit_keeps_act": ("UPDATE", "core_act", f"NOT ({_TO_SEAL})"),
    "audit_keeps_acts": ("DELETE", "core_act", ""),
    "audit_keeps_personal_part": ("UPDATE", "core_actpersonal", ""),
    "audit_keeps_seal": ("UPDATE", "audit_seal", ""),
    "audit_keeps_seals": ("DELETE", "audit_seal", ""),
}
# Without a schema, as in `figures.triggers`.
_FUNCTION: Final = f"""
CREATE OR REPLACE FUNCTION {{schema}}.audit_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '{REFUSAL}' USING ERRCODE = 'integrity_constraint_violation';
END $$;
"""


def install(using: str = "default", **_: Any) -> None:
    """Create the triggers that are missing. Receiver of `post_migrate`; may run again.

    The table of seals comes last. Without it, a migration went back, or has not come so far.
    """
    wanted = missing_triggers()
    if not wanted or "audit_seal" not in connection.introspection.table_names():
        return
    with transaction.atomic(using=using):
        if connection.vendor == "postgresql":
            _run(_FUNCTION.format(schema=_schema()))
        for name in wanted:
            _run(_statement(name))


def remove_before(
    plan: Sequence[tuple[Migration, bool]] = (), using: str = "default", **_: Any
) -> None:
    """Remove the triggers before a migration of their tables. Receiver of `pre_migrate`."""
    if any(migration.app_label in APPS for migration, _ in plan):
        remove()


def remove() -> None:
    for name, (_event, table, _when) in _GUARDS.items():
        if connection.vendor == "sqlite":
            _run(f"DROP TRIGGER IF EXISTS {name}")
        elif table in connection.introspection.table_names():
            _run(f"DROP TRIGGER IF EXISTS {name} ON {table}")


def missing_triggers() -> list[str]:
    present = _present()
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
        f" EXECUTE FUNCTION {_schema()}.audit_refuse()"
    )


def _present() -> set[str]:
    statement = (
        "SELECT tgname FROM pg_trigger JOIN pg_class ON pg_class.oid = tgrelid"
        " WHERE NOT tgisinternal AND tgenabled <> 'D'"
        " AND relnamespace = current_schema()::regnamespace"
        if connection.vendor == "postgresql"
        else "SELECT name FROM sqlite_master WHERE type = 'trigger'"
    )
    with connection.cursor() as cursor:
        cursor.execute(statement)
        return {name for (name,) in cursor.fetchall()}


def _schema() -> str:
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_schema()")
        (schema,) = cursor.fetchone()
    return connection.ops.quote_name(str(schema))


def _run(statement: str) -> None:
    with connection.cursor() as cursor:
        # No parameters, so that a percent sign is one.
        cursor.execute(statement, None)
