"""Migrate one database, and give each worker of a parallel run a copy of it.

Otherwise every worker would migrate, which takes longer than most of its tests.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from django.db import connection


@contextmanager
def own_copy(worker: str) -> Iterator[None]:
    """Let this process work on a copy of its own within the block.

    The first worker migrates the original, which stays. It belongs to this run's folder or server;
    on any other server the next run replaces it.
    """
    creation, name = connection.creation, str(connection.settings_dict["NAME"])
    migrated = Path(os.environ["TEST_DATA_DIR"]) / "migrated"
    with migrated.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not migrated.exists():
            creation.create_test_db(verbosity=0, autoclobber=True, serialize=False)
            migrated.write_text(str(connection.settings_dict["NAME"]))
        connection.close()
        connection.settings_dict["NAME"] = migrated.read_text()
        creation.clone_test_db(worker, verbosity=0)
    original = connection.settings_dict["NAME"]
    # In place, because the connections of other threads use the same dictionary.
    connection.settings_dict.update(creation.get_test_db_clone_settings(worker))
    try:
        yield
    finally:
        copy = connection.settings_dict["NAME"]
        connection.settings_dict["NAME"] = original
        end_other_sessions(copy)
        creation.destroy_test_db(name, verbosity=0, suffix=worker)


def end_other_sessions(database: str) -> None:
    """Threads of a live server keep their connections until it stops, which may be later.
    PostgreSQL drops no database that is in use."""
    creation: Any = connection.creation
    if connection.vendor == "postgresql":
        with creation._nodb_cursor() as cursor:
            cursor.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = %s AND pid <> pg_backend_pid()",
                [database],
            )
