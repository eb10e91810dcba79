"""Compares the keys of this host with those that the database was set up with.

A host with another SECRET_KEY would make the queue delete the tasks of all others, since it cannot
verify their signature. A host with other SECRETS_KEYS could read no stored secret. So neither
starts.
"""

from __future__ import annotations

from collections.abc import Iterator

from django.db import DatabaseError, connection, transaction
from django_q.models import OrmQ

from core import key_checks
from core.encrypted_columns import Readable, count_readable, encrypted_columns
from core.models import KeyCheck

from ..configuration.environment import source_of
from ..task_queue.broker import is_ours

WAY_OUT = (
    "Copy the key from a host that works; if it is lost, `manage.py keys --accept` says what that"
    " costs. Nothing was changed or deleted."
)


class KeysDoNotFit(Exception):
    """The message holds one line for each setting."""


def require_fitting_keys(*, record: bool = True) -> None:
    """Raise `KeysDoNotFit` unless this host's keys belong to this database.

    `record`: also store the check values of a new database, or of a new first key.
    """
    with transaction.atomic():
        if record:
            _let_no_other_host_record()
        if misfits := list(find_misfits()):
            raise KeysDoNotFit("\n".join(misfits))
        if record:
            _record()


def find_misfits() -> Iterator[str]:
    """One sentence for each setting that does not fit. Writes nothing."""
    here, known = key_checks.configured(), _known()
    yield from _secret_key_misfit(here["SECRET_KEY"], known["SECRET_KEY"])
    yield from _secrets_keys_misfit(here["SECRETS_KEYS"], known["SECRETS_KEYS"])


def misfits_unless_away() -> list[str]:
    """The same; none if the database cannot be asked, since pages may be served before it is."""
    try:
        return list(find_misfits())
    except DatabaseError:
        return []
    finally:
        connection.close()


def _secret_key_misfit(here: list[str], known: set[str]) -> Iterator[str]:
    accepted = {*here, *key_checks.fallbacks()}
    if not here:
        yield "There is no SECRET_KEY."
    elif known and key_checks.newest(KeyCheck.Name.SECRET_KEY) not in accepted:
        yield (
            f"SECRET_KEY (from {source_of('SECRET_KEY')}) is not the key of this database:"
            f" its check value is {_shorten(here)}, and the database knows {_shorten(known)}."
            f" {WAY_OUT}"
        )
    elif known - accepted and (foreign := _count_foreign_tasks()):
        yield (
            f"SECRET_KEY (from {source_of('SECRET_KEY')}) and SECRET_KEY_FALLBACKS lack the key"
            f" that signed {foreign} waiting tasks of this database. Take a key out of"
            " SECRET_KEY_FALLBACKS only once no host signs with it and no such task is waiting."
            f" {WAY_OUT}"
        )
    elif not known and not _verifies_tasks():
        yield (
            f"SECRET_KEY (from {source_of('SECRET_KEY')}) did not sign a single one of the tasks"
            f" that wait in this database. {WAY_OUT}"
        )


def _secrets_keys_misfit(here: list[str], known: set[str]) -> Iterator[str]:
    source = source_of("SECRETS_KEYS")
    if not here:
        yield "There are no SECRETS_KEYS."
    elif known and not known & set(here):
        yield (
            f"SECRETS_KEYS (from {source}) holds no key of this database: the check values are"
            f" {_shorten(here)}, and the database knows {_shorten(known)}. {WAY_OUT}"
        )
    elif missing := known - set(here):
        found = read_credentials()
        if found.unreadable:
            yield (
                f"SECRETS_KEYS (from {source}) lacks the key {_shorten(missing)}, without which"
                f" {found.unreadable} of {found.total} stored credentials cannot be read. {WAY_OUT}"
            )
    elif not known:
        found = read_credentials()
        if found.total and found.unreadable == found.total:
            yield (
                f"SECRETS_KEYS (from {source}) can read none of the {found.total} credentials that"
                f" are stored in this database. {WAY_OUT}"
            )


def read_credentials() -> Readable:
    """Try to read every credential and callback token. There are few of them."""
    columns = (
        (model, column)
        for model, column in encrypted_columns()
        if model._meta.app_label == "providers" and _has_table(model._meta.db_table)
    )
    return sum((count_readable(*each) for each in columns), Readable())


def _count_foreign_tasks() -> int:
    payloads = OrmQ.objects.values_list("payload", flat=True)
    return sum(not is_ours(payload) for payload in payloads.iterator())


def _verifies_tasks() -> bool:
    """Whether this SECRET_KEY signed any waiting task, or none waits."""
    if not _has_table(OrmQ._meta.db_table):
        return True
    payloads = OrmQ.objects.values_list("payload", flat=True)
    waiting = False
    for payload in payloads.iterator():
        waiting = True
        if is_ours(payload):
            return True
    return not waiting


def _known() -> dict[str, set[str]]:
    if _has_table(KeyCheck._meta.db_table):
        return key_checks.known()
    return {str(name): set() for name in KeyCheck.Name.values}


def _record() -> None:
    here, known = key_checks.configured(), key_checks.known()
    for name, digests in here.items():
        # Of a database that is set up already only a new first key matters, which encrypts.
        key_checks.record(name, digests[:1] if known[name] else digests)


def _let_no_other_host_record() -> None:
    """Hold until the end of the transaction. SQLite's transactions exclude each other anyway."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute(f"LOCK TABLE {KeyCheck._meta.db_table} IN SHARE ROW EXCLUSIVE MODE")


def _has_table(name: str) -> bool:
    return name in connection.introspection.table_names()


def _shorten(digests: list[str] | set[str]) -> str:
    return ", ".join(key_checks.short(digest) for digest in digests)
