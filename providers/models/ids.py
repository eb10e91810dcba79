"""Ids for the URLs of pages. A declared interface: migrations import `public_id` from here."""

from __future__ import annotations

import secrets


def public_id() -> str:
    """An opaque id for URLs, so that they reveal no count."""
    return secrets.token_urlsafe(12)
