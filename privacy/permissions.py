"""The permissions of this app."""

from __future__ import annotations

from typing import Final

PRIVACY: Final = (
    "privacy.erase_number",
    "privacy.hand_out_number",
    "privacy.set_legal_hold",
    "privacy.set_retention",
)
