"""Restore a backup. Until the last step, which is one rename, the present data stays as it is.

The backup is loaded beside the present database, checked, brought to this version and marked as
restored, and only then put in place. So the mark is there from the first moment on: the next start
puts on hold what was waiting when the backup was made.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from django.core.management import call_command
from django.db import connection, transaction

from core.acts import record_act
from providers.engine.heartbeats import living_loops
from providers.models import Fence, Host, TaskLease

from . import BackupError, keys, manifest, postgresql, sqlite
from .contents import Contents, describe
from .make import pieces_of
from .manifest import Manifest
from .other_connection import connected_to

HOST_SEEN_WITHIN: Final = timedelta(seconds=30)
RUNNING: Final = "The portal is running. Stop it on every host first."
KIND: Final = {"sqlite": "an SQLite", "postgresql": "a PostgreSQL"}

Target = sqlite.Target | postgresql.Target


@dataclass(frozen=True, slots=True)
class Request:
    folder: Path
    passphrase: str = ""
    with_keys: bool = False
    """Also put the keys of the backup in place."""
    accept_other_keys: bool = False
    """Continue although the keys here do not fit the data."""


@dataclass(frozen=True, slots=True)
class Restored:
    manifest: Manifest
    kept: str
    """Where the former database is kept; empty if there was none."""
    kept_keys: Path | None


def restore(request: Request, confirm: Callable[[str], bool]) -> Restored:
    """`confirm` decides, from a sentence, whether the present data may be replaced."""
    made = manifest.read(request.folder)
    new_keys = _check(request, made)
    now = datetime.now(UTC)
    target = _target(made, now)
    present = target.contents()
    _refuse_while_running(present, target)
    _ask(made, present, confirm)
    entry = made.files[made.database_file]
    path = request.folder / made.database_file
    with target.stage(pieces_of(path, entry, request.passphrase)) as staged:
        _require_whole(made, staged)
        with connected_to(target.staged_settings()):
            target.require_staged()
            call_command("migrate", interactive=False, verbosity=0)
            _mark(made, present, now)
        _refuse_while_running(present, target)
        kept_keys = keys.install(new_keys, now) if new_keys else None
        try:
            kept = target.swap()
        except BaseException:
            keys.undo(kept_keys, installed=bool(new_keys))
            raise
    return Restored(made, kept, kept_keys)


def _check(request: Request, made: Manifest) -> dict[str, str]:
    """Check all that can be checked without touching anything. Returns the keys to put in place."""
    manifest.refuse_newer(made)
    manifest.check_files(request.folder, made)
    encrypted = any(entry.encrypted for entry in made.files.values())
    if encrypted and not request.passphrase:
        raise BackupError("The backup is encrypted: give its passphrase.")
    if request.with_keys:
        if not made.keys_file:
            raise BackupError("The keys are not in this backup: put them in place yourself.")
        found = keys.unpack(request.folder / made.keys_file, request.passphrase)
        keys.refuse_if_fixed_elsewhere(found)
        return found
    if not request.accept_other_keys:
        _refuse_other_keys(made)
    return {}


def _refuse_other_keys(made: Manifest) -> None:
    misfits = list(keys.misfits(made.keys, keys.digests(keys.current())))
    if misfits:
        way = "restore them too (--keys)" if made.keys_file else "put its keys in place"
        raise BackupError(
            f"The keys here do not fit the backup, so secrets in it could not be read."
            f" {' '.join(misfits)} Nothing was changed: {way}, or go on without (--other-keys)."
        )


def _target(made: Manifest, now: datetime) -> Target:
    kind = made.database["kind"]
    if kind != connection.vendor:
        raise BackupError(
            f"The backup is of {KIND.get(kind, 'another')} database, and DATABASE_URL names"
            f" {KIND.get(connection.vendor, 'another')} database."
        )
    if connection.vendor == "sqlite":
        return sqlite.Target(now)
    target = postgresql.Target(now)
    if target.schema != made.database["schema"]:
        raise BackupError(
            f"The backup is of the schema {made.database['schema']}, and the portal's user"
            f" works in {target.schema}."
        )
    return target


def _refuse_while_running(present: Contents | None, target: Target) -> None:
    if present and present.is_portal:
        if living_loops():
            raise BackupError(f"{RUNNING} An engine loop gave a sign of life just now.")
        if "providers_host" in present.counts:
            since = datetime.now(UTC) - HOST_SEEN_WITHIN
            seen = Host.objects.filter(stopped_at=None, seen_at__gt=since)
            if names := ", ".join(seen.values_list("name", flat=True)):
                raise BackupError(f"{RUNNING} Seen just now: {names}.")
    if connection.vendor == "sqlite":
        connection.close()  # It would count as a program that has the file open.
    target.require_idle()


def _ask(made: Manifest, present: Contents | None, confirm: Callable[[str], bool]) -> None:
    if present and present.is_empty:
        return
    there = (
        f"The database holds {describe(present.counts, present.newest)}."
        if present
        else "There is a database that cannot be read."
    )
    inside = f"The backup {made.name} holds {describe(made.counts, made.newest)}."
    if not confirm(f"{there}\n{inside}"):
        raise BackupError(
            f"{there} {inside} Nothing was changed. Use --yes to put the backup in its place."
        )


def _require_whole(made: Manifest, staged: Contents) -> None:
    differing = sorted(
        table for table, count in made.counts.items() if staged.counts.get(table) != count
    )
    if differing:
        raise BackupError(f"The backup is not whole: {', '.join(differing)} differ.")


def _mark(made: Manifest, present: Contents | None, now: datetime) -> None:
    """Mark the loaded database as restored, and record the act in it."""
    with transaction.atomic():
        Fence.objects.update_or_create(
            pk=Fence.SINGLETON, defaults={"restored_at": now, "restored_from": made.name}
        )
        # The backup itself held one when its rows were copied.
        TaskLease.objects.update(holder="", expires_at=0)
        record_act(
            "backup.restore",
            by=None,
            backup=made.name,
            made_at=made.made_at,
            version=made.version,
            counts=made.counts,
            replaced=present.counts if present else None,
        )
