"""The packages of the portal itself, from the lowest floor up."""

from __future__ import annotations

from typing import Final

APPS: Final = (
    "core",
    "providers",
    "messaging",
    "otp",
    "rentals",
    "audit",
    "figures",
    "lookup",
    "privacy",
    "smsportal",
)
