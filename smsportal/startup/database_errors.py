"""Says in one line why the database cannot be used, and which setting is to blame."""

from __future__ import annotations

import os

from django.db import DatabaseError, connection

from ..configuration.environment import source_of

NOT_MIGRATED = ("no such table", "no such column", "does not exist")


def explain(error: DatabaseError) -> str:
    """One line without the password, which no driver puts into its messages."""
    cause = _describe(error)
    if any(words in cause for words in NOT_MIGRATED) and "FATAL" not in cause:
        return f"The database lacks tables of this version ({cause}). Run `manage.py migrate`."
    return f"DATABASE_URL (from {_source()}): the database cannot be used: {cause}."


def _describe(error: DatabaseError) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    # Of several attempts the last. Their other lines are advice.
    reasons = [line for line in lines if "FATAL:" in line or "failed: " in line]
    text = (reasons[-1:] or lines[:1] or [type(error).__name__])[0]
    if connection.vendor == "sqlite":
        text += f" ({connection.settings_dict['NAME']}, user id {os.geteuid()})"
    return text.rstrip(".")


def _source() -> str:
    return source_of("DATABASE_URL") if "DATABASE_URL" in os.environ else "the default"
