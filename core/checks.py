"""What an installation must have, said before anything starts."""

from __future__ import annotations

import sqlite3
from typing import Any, Final

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, register

OLDEST_SQLITE: Final = (3, 35, 0)
"""The first one with UPDATE … RETURNING, by which rows are taken up to be sent."""


@register(Tags.compatibility)
def sqlite_is_new_enough(**_: Any) -> list[CheckMessage]:
    engine = settings.DATABASES["default"]["ENGINE"]
    if not engine.endswith("sqlite3") or sqlite3.sqlite_version_info >= OLDEST_SQLITE:
        return []
    return [
        Error(
            f"This Python has SQLite {sqlite3.sqlite_version}; the portal needs 3.35 or newer.",
            hint="Use a newer Python or system, or PostgreSQL (DATABASE_URL).",
            id="core.E001",
        )
    ]
