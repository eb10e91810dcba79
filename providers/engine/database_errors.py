"""Decides whether an error concerns the row being written, or the database as a whole.

The difference decides what happens to a known answer. An error of the row recurs, so the row is
set aside and the others continue. Any other error of the database says nothing about the row: the
same statement works once the database accepts it. A failover, a full disk, a lock, a read-only
server, a missing column while another version migrates: the list has no end, so the rule names
the few errors that do concern a row.
"""

from __future__ import annotations

import sqlite3
from typing import Final

import psycopg
from django import db

_OF_DATABASE: Final = (db.Error, psycopg.Error, sqlite3.Error)
_OF_ROW: Final = (
    db.IntegrityError,
    db.DataError,
    psycopg.IntegrityError,
    psycopg.DataError,
    sqlite3.IntegrityError,
    sqlite3.DataError,
)
PROGRAM_LIMIT_EXCEEDED: Final = "54"
"""The class of SQLSTATE for rows that are too large, for example for an index."""
READ_ONLY: Final = "25006"


def concerns_row(error: BaseException) -> bool:
    """Whether the error is about the row: an invalid value, a violated constraint (Django's
    `ProtectedError` is one), or a defect in our own code that handles it."""
    if isinstance(error, MemoryError):
        return False
    if isinstance(error, _OF_DATABASE):
        limit = sqlstate_of(error).startswith(PROGRAM_LIMIT_EXCEEDED)
        return limit or isinstance(error, _OF_ROW)
    return True


def sqlstate_of(error: BaseException) -> str:
    """PostgreSQL's code of the error; empty if it has none."""
    source = error if isinstance(error, psycopg.Error) else error.__cause__
    return str(getattr(source, "sqlstate", None) or "")
