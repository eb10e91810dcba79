"""Every setting, with the rule for its values. `settings.py` has the defaults and `.env.example`
the explanations. Independent of Django.

A setting that is not listed here cannot be read.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

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
    }
)
"""Settings whose values are never shown."""
DAYS: Final = whole(1, 3650)
COUNT: Final = whole(1, 1_000_000)
DAILY: Final = whole(0, 1_000_000_000)
COOKIE_NAME: Final = pattern(r"[A-Za-z0-9_.-]{1,64}", "letters, digits, “_”, “.” and “-”")

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
    "ENCRYPT_FILES": boolean,
    "ENV_FILE": file,
    "HOME_COUNTRY": country,
    "HOST_COOKIES": boolean,
    "HSTS_SECONDS": whole(0, 315_360_000),
    "IDLE_MINUTES": whole(0, 1440),
    "JOURNAL_DAYS": DAYS,
    "LANGUAGE_CODE": one_of("en", "zh-hans"),
    "LOGIN_FAILURES_PER_ADDRESS": whole(1, 1_000_000),
    "LOGIN_FAILURE_LIMIT": whole(1, 1000),
    "LOG_FORMAT": one_of("plain", "json"),
    "LOG_LEVEL": one_of("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"),
    "METRICS_NETWORKS": items(network),
    "METRICS_TOKEN": access_token,
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
