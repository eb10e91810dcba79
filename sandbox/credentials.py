"""The default credentials of the sandbox. They are valid nowhere else."""

from __future__ import annotations

PRACTICE = "practice"
"""Label of the account that every simulated provider has from the start."""

HAOSMS_API_KEY = "practice-haosms-key"
HAORUI_API_ID = "API00000001"
HAORUI_API_PASSWORD = "practice-password"  # noqa: S105
OTPSERVICE_USERNAME = "practice"
OTPSERVICE_PASSWORD = "practice-password"  # noqa: S105
GOSMS_API_KEY = "ch_practice_key"
