"""Ids that stand in addresses of pages."""

from __future__ import annotations

import secrets


def public_id() -> str:
    """An id for addresses of pages: opaque, so that it gives away no count."""
    return secrets.token_urlsafe(12)
