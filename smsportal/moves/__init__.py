"""The move of the portal from SQLite to PostgreSQL.

The rows of every table are copied in one transaction into a schema of its own, read back, and
compared by value. Only what equals its source gets into the portal's schema. So a move that fails
or is killed leaves PostgreSQL as empty as it was, and never changes the SQLite file.
"""

from __future__ import annotations


class MoveError(Exception):
    """A sentence for the administrator: why nothing was moved."""
