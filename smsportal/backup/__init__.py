"""Backups of the portal, and their way back.

A backup is a folder with the database, the keys (only encrypted) and `manifest.json`, which says
what is in it. It gets its name at the very end, after it was read back, so that whatever has such
a name is whole.
"""

from __future__ import annotations


class BackupError(Exception):
    """A sentence for the administrator: why a backup was not made or not restored."""
