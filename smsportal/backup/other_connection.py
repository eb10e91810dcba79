"""Let the portal's own connection lead to another database for a while."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.contrib.contenttypes.models import ContentType
from django.db import connection


@contextmanager
def connected_to(changes: dict[str, Any]) -> Iterator[None]:
    """Let the portal's connection lead to the loaded database. Only this process is affected."""
    former = {name: connection.settings_dict[name] for name in changes}
    _connect(changes)
    try:
        yield
    finally:
        _connect(former)


def _connect(changes: dict[str, Any]) -> None:
    connection.close()
    connection.settings_dict.update(changes)
    # They have other ids in another database.
    ContentType.objects.clear_cache()
