"""Every setting, with the rule for its values. `settings.py` has the defaults and `.env.example`
the explanations. Independent of Django.

A setting that is not listed here cannot be read.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from .identity_setting_kinds import client_secret, group_roles, issuer, provider_host
from .setting_kinds import (
    Rule,
    access_token,
    address,
    boolean,
    country,
    database_url,
    decimal,
    fernet_keys,
    file,
    folder,
    host_name,
    items,
    listening_address,
    network,
    one_of,
    origin,
    passphrase,
    pattern,
    proxy,
    secret_key,
    secret_keys,
    time_of_day,
    time_zone,
    web_address,
    whole,
)

SECRET: Final = frozenset(
    {
        "SECRET_KEY",
        "SECRET_KEY_FALLBACKS",
        "SECRETS_KEYS",
        "DATABASE_URL",
        "BACKUP_PASSPHRASE",
        "METRICS_TOKEN",
        "OIDC_CLIENT_SECRET",
        "SENTRY_DSN",
    }
)
"""Settings whose values are never shown."""
DAYS: Final = whole(1, 3650)
COUNT: Final = whole(1, 1_000_000)
DAILY: Final = whole(0, 1_000_000_000)
COOKIE_NAME: Final = pattern(r"[A-Za-z0-9_.-]{1,64}", "letters, digits, “_”, “.” and “-”")

CLIENT_ID: Final = pattern(r"[!-~]{1,200}", "the id that the identity provider gave the portal")
WORD: Final = pattern(r"[!-+\--~]{1,200}", "one word without blanks and commas")
SHORT_NAME: Final = pattern(r"[^\x00-\x1f]{1,60}", "a name of up to 60 characters")

USER_NAME: Final = pattern(r"[\w.@+-]{1,150}", "letters, digits, “@”, “.”, “+”, “-” and “_”")
ABSOLUTE_PATH: Final = pattern(r"/.+", "a path that begins with “/”")
REPORT_ADDRESS: Final = pattern(
    r"https?://[A-Za-z0-9._-]+@[A-Za-z0-9.:\[\]-]+(/[A-Za-z0-9._-]+)*/[0-9]+",
    "an address such as https://key@reports.example.com/1",
)
ROLE_NAME: Final = pattern(r"[^,]{1,150}", "names of roles")
PORTAL_HOST: Final = pattern(r"[A-Za-z0-9_.-]{1,90}", "letters, digits, “_”, “.” and “-”")

RULES: Final[Mapping[str, Rule]] = {
    "ALLOWED_HOSTS": items(host_name),
    "ALLOW_HTTP_PROVIDERS": boolean,
    "ALLOW_PRIVATE_ALERTS": boolean,
    "ALLOW_PRIVATE_PROVIDERS": boolean,
    "BACKUP_AT": time_of_day,
    "BACKUP_DIR": folder,
    "BACKUP_KEEP": whole(0, 10_000),
    "BACKUP_PASSPHRASE": passphrase,
    "BACKUP_PASSPHRASE_FILE": file,
    "BALANCE_EVERY_MINUTES": whole(1, 1440),
    "BALANCE_READING_DAYS": DAYS,
    "BATCH_FIRST_MESSAGES": whole(20, 100_000),
    "BATCH_MEGABYTES": whole(1, 1000),
    "BATCH_PAUSE_PERCENT": whole(0, 100),
    "BATCH_ROWS": whole(1, 10_000_000),
    "BEHIND_TLS_PROXY": boolean,
    "BIND": web_address,
    "CODES_PER_NUMBER": COUNT,
    "CODES_PER_PREFIX": COUNT,
    "CODE_ALARM_PERCENT": whole(0, 100),
    "CODE_ALARM_SENT": COUNT,
    "CODE_BURST": COUNT,
    "CONFIRM_MINUTES": whole(0, 1440),
    "CSRF_TRUSTED_ORIGINS": items(origin),
    "DAILY_CODES": DAILY,
    "DAILY_MESSAGES": DAILY,
    "DAILY_ORDERS": DAILY,
    "DATABASE_URL": database_url,
    "DATA_DIR": folder,
    "DEBUG": boolean,
    "DEMO": boolean,
    "EMERGENCY_ACCOUNT": USER_NAME,
    "ENCRYPT_FILES": boolean,
    "ENV_FILE": file,
    "FIRST_ADMIN_NAME": USER_NAME,
    # Not `file`: it may be gone after the first start.
    "FIRST_ADMIN_PASSWORD_FILE": ABSOLUTE_PATH,
    "HOME_COUNTRY": country,
    "HOST_COOKIES": boolean,
    "HSTS_SECONDS": whole(0, 315_360_000),
    "IDLE_MINUTES": whole(0, 1440),
    "JOURNAL_DAYS": DAYS,
    "LANGUAGE_CODE": one_of("en", "zh-hans"),
    "LOCAL_SIGN_IN": boolean,
    "LOGIN_FAILURES_PER_ADDRESS": whole(1, 1_000_000),
    "LOGIN_FAILURE_LIMIT": whole(1, 1000),
    "LOG_FORMAT": one_of("plain", "json"),
    "LOG_LEVEL": one_of("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"),
    "METRICS_NETWORKS": items(network),
    "METRICS_TOKEN": access_token,
    "OIDC_CLIENT_ID": CLIENT_ID,
    "OIDC_CLIENT_SECRET": client_secret,
    "OIDC_CREATE_PEOPLE": boolean,
    "OIDC_FACTOR_VALUES": items(WORD),
    "OIDC_GROUPS_CLAIM": WORD,
    "OIDC_HOSTS": items(provider_host),
    "OIDC_ISSUER": issuer,
    "OIDC_LINK_BY_EMAIL": boolean,
    "OIDC_NAME": SHORT_NAME,
    "OIDC_ROLES": group_roles,
    "OIDC_SCOPES": items(WORD),
    "OUTGOING_ADDRESSES": items(network),
    "POSTGRESQL_BIN": folder,
    "PORTAL_HOST": PORTAL_HOST,
    "PROXY_COUNT": whole(0, 10),
    "PUBLIC_ADDRESS": origin,
    "REPORT_HOURS": whole(1, 8760),
    "REQUEST_SECONDS": decimal(1, 3600),
    "RESUME_WITHIN_MINUTES": whole(0, 525_600),
    "SANDBOX_BIND": listening_address,
    "SANDBOX_URL": address,
    "SECOND_FACTOR_ROLES": items(ROLE_NAME),
    "SECRETS_KEYS": fernet_keys,
    "SECRET_KEY": secret_key,
    "SECRET_KEY_FALLBACKS": secret_keys,
    "SECRET_MAX_AGE_DAYS": DAYS,
    "SECURE_COOKIES": boolean,
    "SENTRY_DSN": REPORT_ADDRESS,
    "SESSION_COOKIE_NAME": COOKIE_NAME,
    "SESSION_HOURS": whole(1, 8760),
    "SSL_REDIRECT": boolean,
    "STATE_DIR": folder,
    "STATIC_ROOT": folder,
    "TIME_ZONE": time_zone,
    "TRUSTED_PROXIES": items(proxy),
    "WEB_PROCESSES": whole(1, 64),
    "WEB_THREADS": whole(1, 256),
}

_NO_SUB_PATH: Final = (
    "is not supported: the portal cannot be served below a path, so give it a host name of its own"
)
REFUSED: Final[Mapping[str, str]] = {
    # gunicorn would read it.
    "SCRIPT_NAME": _NO_SUB_PATH,
    "FORCE_SCRIPT_NAME": _NO_SUB_PATH,
}
"""Variables with which the portal does not start, each with the end of the sentence that says why.
"""
