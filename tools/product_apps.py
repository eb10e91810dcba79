"""The packages of the portal itself, from the lowest floor up."""

from __future__ import annotations

from typing import Final

APPS: Final = (
    "core",
    "providers",
    "messaging",
    "otp",
    "rentals",
    "alerts",
    "audit",
    "figures",
    "lookup",
    "privacy",
    "smsportal",
)
