"""Settings of the library that signs people in. `smsportal.settings` takes them over."""

from __future__ import annotations

from typing import Any, Final

from django.utils.translation import gettext_lazy as _

APPS: Final = (
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.socialaccount",
    "allauth.usersessions",
)
MIDDLEWARE: Final = (
    "allauth.account.middleware.AccountMiddleware",
    "smsportal.sign_in.idle_limit.IdleLimitMiddleware",
    "smsportal.sign_in.required_factor.RequiredFactorMiddleware",
    "smsportal.sign_in.confirmed_pages.ConfirmedPagesMiddleware",
)
PASSWORD_HASHERS: Final = [
    "smsportal.sign_in.password_hashing.BoundedArgon2",
    "smsportal.sign_in.password_hashing.BoundedPBKDF2",
]
_VALIDATORS: Final[dict[str, dict[str, Any]]] = {
    "django.contrib.auth.password_validation.UserAttributeSimilarityValidator": {},
    "django.contrib.auth.password_validation.MinimumLengthValidator": {"min_length": 12},
    "smsportal.sign_in.common_passwords.CommonPasswordValidator": {},
    "django.contrib.auth.password_validation.NumericPasswordValidator": {},
    "smsportal.sign_in.password_rules.OwnWordsValidator": {},
}
PASSWORD_VALIDATORS: Final = [{"NAME": name, "OPTIONS": each} for name, each in _VALIDATORS.items()]
POST_SECONDS: Final = 1800
"""How long a form may be sent after the confirmation with which it was opened."""

LIBRARY: Final[dict[str, Any]] = {
    "ACCOUNT_ADAPTER": "smsportal.sign_in.account_adapter.AccountAdapter",
    "ACCOUNT_LOGIN_METHODS": {"username"},
    "ACCOUNT_SIGNUP_FIELDS": ["username*", "password1*"],
    "ACCOUNT_EMAIL_VERIFICATION": "none",
    "ACCOUNT_EMAIL_NOTIFICATIONS": False,
    "ACCOUNT_EMAIL_UNKNOWN_ACCOUNTS": False,
    "ACCOUNT_SESSION_REMEMBER": True,
    "ACCOUNT_REAUTHENTICATION_TIMEOUT": POST_SECONDS,
    # axes limits the password step, by name and address together. The same rate guards the second
    # step, so it must never be None.
    "ACCOUNT_RATE_LIMITS": {
        "login": None,
        "login_failed": "5/5m/key",
        "reauthenticate": "10/m/user",
    },
    "MFA_ADAPTER": "smsportal.sign_in.factor_adapter.FactorAdapter",
    "MFA_SUPPORTED_TYPES": ["totp", "webauthn", "recovery_codes"],
    "MFA_PASSKEY_LOGIN_ENABLED": True,
    # A sign-in page that is left open asks for challenges, so that an office has several a minute.
    "MFA_RATE_LIMITS": {"webauthn_login": "60/m/ip"},
    "MFA_TOTP_ISSUER": _("SMS portal"),
    # Phones whose clock is half a minute off still work.
    "MFA_TOTP_TOLERANCE": 1,
    "MFA_WEBAUTHN_USER_VERIFICATION": "required",
    "MFA_RECOVERY_CODES_SHOW_ONCE": True,
    "SOCIALACCOUNT_ADAPTER": "smsportal.sign_in.oidc.social_adapter.SocialAdapter",
    # Nobody is found by an e-mail address but by the rules of ours.
    "SOCIALACCOUNT_EMAIL_AUTHENTICATION": False,
    "SOCIALACCOUNT_EMAIL_VERIFICATION": "none",
    "SOCIALACCOUNT_STORE_TOKENS": False,
    # Otherwise every request would write a row, polls too.
    "USERSESSIONS_TRACK_ACTIVITY": False,
}
