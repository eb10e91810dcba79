"""The planted values, and which of them may appear nowhere."""

from __future__ import annotations

from providers.models import CallbackToken

SECRETS = {
    "haosms": {"api_key": "CANARY-haosms-key-7f3a"},
    "haorui": {"api_id": "CANARYhaoruiId5b", "api_password": "CANARY p@ss/w:rd+Ü 9c"},
    "otpservice": {"username": "CANARYotpUser2d", "password": "CANARY&otp=pass%40 4e"},
    "gosms": {"api_key": "ch_CANARYgosmsKey8a"},
}
CODES = ("Qz7Kx9", "Wv4Jh8")
STAFF_PASSWORD = "CANARY-staff-password-1f"
WRONG_PASSWORD = "CANARY-wrong-password-6d"
NEW_PASSWORD = "CANARY-new-password-3c"
TEXT = "CANARYTEXT your parcel is here"
ROLES = ("viewer", "operator", "manager", "auditor")
OPTIONS = {
    "haosms": {"option_channels": "验证码通道1", "option_default_template": "2"},
    "haorui": {"option_sender_ids": "HAORUI"},
    "otpservice": {"option_phone_format": "digits"},
    "gosms": {},
}
TIMEOUT = 120.0
"""Seconds for any wait of these tests; a slow machine is no failure."""
ECHO_MODES = ("refusal", "page", "redirect", "header")
"""The forms in which the echo provider sends back what it received."""


def passwords() -> set[str]:
    own = {value for secrets in SECRETS.values() for value in secrets.values()}
    return own | {STAFF_PASSWORD, WRONG_PASSWORD, NEW_PASSWORD}


def tokens() -> set[str]:
    return {token.value.reveal() for token in CallbackToken.objects.all()}


def forbidden_values() -> set[str]:
    """Every value that may be stored or logged nowhere."""
    return passwords() | tokens() | set(CODES)
