"""The portal's settings. `.env.example` explains every environment variable."""

from __future__ import annotations

import socket
from typing import Any

from .configuration.environment import BASE_DIR, default_state_dir, read_environment
from .frame.theme import CONTENT_SECURITY_POLICY as CONTENT_SECURITY_POLICY
from .frame.theme import UNFOLD as UNFOLD
from .log.setup import configure_logs
from .sign_in import settings as sign_in
from .sign_in.oidc import configuration as identity_provider
from .task_queue.settings import Q_CLUSTER as Q_CLUSTER

env, DATA_DIR = read_environment()
SETTING_WARNINGS: list[str] = env.warnings

# --- keys and hosts --------------------------------------------------------
SECRET_KEY = env.str("SECRET_KEY", default="")
SECRET_KEY_FALLBACKS: list[str] = env.list("SECRET_KEY_FALLBACKS", default=[])
SECRETS_KEYS: list[str] = env.list("SECRETS_KEYS", default=[])
DEBUG = env.bool("DEBUG", default=False)
ALLOWED_HOSTS: list[str] = env.list("ALLOWED_HOSTS", default=["127.0.0.1", "localhost", "[::1]"])
PUBLIC_ADDRESS = env.str("PUBLIC_ADDRESS", default="")
OUTGOING_ADDRESSES: list[str] = env.list("OUTGOING_ADDRESSES", default=[])
_HTTPS = PUBLIC_ADDRESS.startswith("https://")
CSRF_TRUSTED_ORIGINS: list[str] = env.list("CSRF_TRUSTED_ORIGINS", default=[])
if PUBLIC_ADDRESS and PUBLIC_ADDRESS not in CSRF_TRUSTED_ORIGINS:
    CSRF_TRUSTED_ORIGINS = [*CSRF_TRUSTED_ORIGINS, PUBLIC_ADDRESS]

# --- the portal -------------------------------------------------------------
DEMO = env.bool("DEMO", default=False)
PORTAL_HOST = env.str("PORTAL_HOST", default="") or socket.gethostname()
BIND = env.str("BIND", default="127.0.0.1:8000")
WEB_PROCESSES = env.int("WEB_PROCESSES", default=2)
WEB_THREADS = env.int("WEB_THREADS", default=8)
REQUEST_SECONDS = env.float("REQUEST_SECONDS", default=30.0)
SANDBOX_URL = env.str("SANDBOX_URL", default="")
ALLOW_HTTP_PROVIDERS = env.bool("ALLOW_HTTP_PROVIDERS", default=False)
ALLOW_PRIVATE_PROVIDERS = env.bool("ALLOW_PRIVATE_PROVIDERS", default=False)
ALLOW_PRIVATE_ALERTS = env.bool("ALLOW_PRIVATE_ALERTS", default=False)
HOME_COUNTRY = env.str("HOME_COUNTRY", default="CN")
REPORT_HOURS = env.int("REPORT_HOURS", default=72)
PROXY_COUNT = env.int("PROXY_COUNT", default=0)
TRUSTED_PROXIES: list[str] = env.list("TRUSTED_PROXIES", default=[])
STATE_DIR = env.str("STATE_DIR", default=default_state_dir())
RESUME_WITHIN_MINUTES = env.int("RESUME_WITHIN_MINUTES", default=15)
ENCRYPT_FILES = env.bool("ENCRYPT_FILES", default=False)
JOURNAL_DAYS = env.int("JOURNAL_DAYS", default=90)
SECRET_MAX_AGE_DAYS = env.int("SECRET_MAX_AGE_DAYS", default=180)
BALANCE_EVERY_MINUTES = env.int("BALANCE_EVERY_MINUTES", default=10)
DAILY_LIMITS: dict[str, int] = {
    "messages": env.int("DAILY_MESSAGES", default=200_000),
    "codes": env.int("DAILY_CODES", default=2_000),
    "orders": env.int("DAILY_ORDERS", default=200),
}
CODES_PER_NUMBER = env.int("CODES_PER_NUMBER", default=10)
CODES_PER_PREFIX = env.int("CODES_PER_PREFIX", default=100)
CODE_ALARM_SENT = env.int("CODE_ALARM_SENT", default=10)
CODE_ALARM_PERCENT = env.int("CODE_ALARM_PERCENT", default=40)
CODE_BURST = env.int("CODE_BURST", default=20)
BATCH_ROWS = env.int("BATCH_ROWS", default=100_000)
BATCH_FIRST_MESSAGES = env.int("BATCH_FIRST_MESSAGES", default=500)
BATCH_PAUSE_PERCENT = env.int("BATCH_PAUSE_PERCENT", default=40)
BATCH_MEGABYTES = env.int("BATCH_MEGABYTES", default=20)
PAGE_MEMORY_SECONDS = 3
FILE_UPLOAD_HANDLERS = [
    "core.uploads.CappedUpload",
    "django.core.files.uploadhandler.MemoryFileUploadHandler",
    "django.core.files.uploadhandler.TemporaryFileUploadHandler",
]
BALANCE_READING_DAYS = env.int("BALANCE_READING_DAYS", default=400)
BACKUP_DIR = env.str("BACKUP_DIR", default="")
BACKUP_KEEP = env.int("BACKUP_KEEP", default=14)
BACKUP_AT = env.str("BACKUP_AT", default="03:10")
BACKUP_PASSPHRASE = env.str("BACKUP_PASSPHRASE", default="")
BACKUP_PASSPHRASE_FILE = env.str("BACKUP_PASSPHRASE_FILE", default="")
POSTGRESQL_BIN = env.str("POSTGRESQL_BIN", default="")
METRICS_TOKEN = env.str("METRICS_TOKEN", default="")
METRICS_NETWORKS: list[str] = env.list("METRICS_NETWORKS", default=[])
FIRST_ADMIN_NAME = env.str("FIRST_ADMIN_NAME", default="")
FIRST_ADMIN_PASSWORD_FILE = env.str("FIRST_ADMIN_PASSWORD_FILE", default="")

# --- applications ----------------------------------------------------------
INSTALLED_APPS = [
    # Its default configuration would replace our admin site.
    "unfold.apps.BasicAppConfig",
    "unfold.contrib.filters",
    "unfold.contrib.forms",
    "smsportal.apps.PortalAdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.forms",
    "axes",
    *sign_in.APPS,
    "auditlog",
    "core",
    "providers",
    "messaging",
    "otp",
    "rentals",
    "figures",
    "lookup",
    "audit",
    "privacy",
    "alerts",
    "smsportal",
    "django_q",  # After the portal's own app, whose `qcluster` takes precedence.
]
MIDDLEWARE = [
    "smsportal.middleware.request_id.RequestIdMiddleware",
    "smsportal.probes.middleware.ProbeMiddleware",
    "smsportal.middleware.known_hosts.KnownHostMiddleware",
    "smsportal.middleware.sub_path.SubPathMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "smsportal.web_server.static_files.StaticFilesMiddleware",
    # Compresses what all others have made of a page.
    "smsportal.middleware.compression.CompressionMiddleware",
    "csp.middleware.CSPMiddleware",
    "smsportal.middleware.browser_headers.BrowserHeaders",
    "smsportal.middleware.session_cookie.SessionCookieMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "smsportal.localization.time_zones.TimeZoneMiddleware",
    "smsportal.middleware.null_characters.NullCharactersMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "smsportal.middleware.audit_log.AuditMiddleware",
    "smsportal.sign_in.limits.SignInMiddleware",
    *sign_in.MIDDLEWARE,
    "smsportal.middleware.load_limits.LoadLimitMiddleware",
    "axes.middleware.AxesMiddleware",
]
ROOT_URLCONF = "smsportal.urls"
WSGI_APPLICATION = "smsportal.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
FORMS_URLFIELD_ASSUME_HTTPS = True
FORM_RENDERER = "django.forms.renderers.TemplatesSetting"

# --- database and cache ----------------------------------------------------
DATABASES: dict[str, dict[str, Any]] = {
    "default": env.db_url("DATABASE_URL", default=f"sqlite:///{DATA_DIR / 'portal.sqlite3'}")
}
_database = DATABASES["default"]
ON_SQLITE = _database["ENGINE"] == "django.db.backends.sqlite3"
_database["CONN_MAX_AGE"] = None
if ON_SQLITE:
    # Without IMMEDIATE a transaction that reads, then writes fails if another wrote in between.
    # FULL, since NORMAL may lose commits in a power cut (core.database_sessions).
    _database["OPTIONS"] = {
        "timeout": 20,
        "transaction_mode": "IMMEDIATE",
        "init_command": (
            "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA temp_store=MEMORY;"
            " PRAGMA mmap_size=134217728; PRAGMA cache_size=-20000;"
            " PRAGMA journal_size_limit=27103364;"
        ),
    }
else:
    _database["CONN_HEALTH_CHECKS"] = True
    # A host that does not answer must not stop a process for minutes.
    _database.setdefault("OPTIONS", {}).setdefault("connect_timeout", 10)
DATABASE_MAY_LOSE_COMMITS = False
"""True in tests only, whose server need not survive a power cut."""
CACHES: dict[str, dict[str, Any]] = {
    # Processes share state, such as the heartbeat of a queue, through the cache.
    "default": {
        "BACKEND": "core.caches.JsonFileCache",
        "LOCATION": str(DATA_DIR / "cache"),
        # The default of 300 would throw away which codes were used, and who tried too often.
        "OPTIONS": {"MAX_ENTRIES": 10_000},
    }
    if ON_SQLITE
    else {
        "BACKEND": "core.caches.JsonDatabaseCache",
        # Not portal_cache: the version before keeps pickles there.
        "LOCATION": "portal_json_cache",
    }
}

# --- sign-in ---------------------------------------------------------------
AUTHENTICATION_BACKENDS = [
    "axes.backends.AxesStandaloneBackend",
    "django.contrib.auth.backends.ModelBackend",
]
PASSWORD_HASHERS = sign_in.PASSWORD_HASHERS
AUTH_PASSWORD_VALIDATORS = sign_in.PASSWORD_VALIDATORS
globals().update(sign_in.LIBRARY)
SECOND_FACTOR_ROLES: list[str] = env.list(
    "SECOND_FACTOR_ROLES", default=[] if DEMO else ["manager", "superuser"]
)
IDLE_MINUTES = env.int("IDLE_MINUTES", default=30)
CONFIRM_MINUTES = env.int("CONFIRM_MINUTES", default=15)
IDENTITY_PROVIDER, IDENTITY_PROVIDER_GAPS = identity_provider.read(env)
LOCAL_SIGN_IN = env.bool("LOCAL_SIGN_IN", default=True)
EMERGENCY_ACCOUNT = env.str("EMERGENCY_ACCOUNT", default="")
LOGIN_URL = "admin:login"
LOGIN_REDIRECT_URL = "admin:index"
LOGOUT_REDIRECT_URL = "admin:login"
PASSWORD_RESET_TIMEOUT = 24 * 3600
AXES_FAILURE_LIMIT = env.int("LOGIN_FAILURE_LIMIT", default=8)
AXES_COOLOFF_TIME = 0.25
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_RESET_ON_SUCCESS = True
# Otherwise each further try writes to the database, and a stranger can prolong the lock for ever.
AXES_RESET_COOL_OFF_ON_FAILURE_DURING_LOCKOUT = False
AXES_HANDLER = "smsportal.sign_in.limits.LimitHandler"
LOGIN_FAILURES_PER_ADDRESS = env.int("LOGIN_FAILURES_PER_ADDRESS", default=40)
AXES_LOCKOUT_TEMPLATE = "registration/locked.html"
AXES_LOCKOUT_CALLABLE = "smsportal.errors.locked"
AXES_VERBOSE = False
AXES_CLIENT_IP_CALLABLE = "core.client_address.address_for_lockout"

# --- browser security ------------------------------------------------------
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = env.bool("SECURE_COOKIES", default=_HTTPS)
LANGUAGE_COOKIE_SECURE, LANGUAGE_COOKIE_SAMESITE = SESSION_COOKIE_SECURE, "Lax"
SESSION_ENGINE = "smsportal.session_store"
# Browsers accept this prefix by https from this host only. The version before does not know it.
_PREFIX = "__Host-" if env.bool("HOST_COOKIES", default=False) and SESSION_COOKIE_SECURE else ""
SESSION_COOKIE_NAME = env.str("SESSION_COOKIE_NAME", default=f"{_PREFIX}smsportal_session")
CSRF_COOKIE_NAME = f"{_PREFIX}csrftoken"
SESSION_COOKIE_AGE = env.int("SESSION_HOURS", default=12) * 3600
SESSION_COOKIE_HTTPONLY = CSRF_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"
CSRF_FAILURE_VIEW = "smsportal.errors.form_too_old"
SECURE_SSL_REDIRECT = env.bool("SSL_REDIRECT", default=False)
SECURE_HSTS_SECONDS = env.int("HSTS_SECONDS", default=86_400 if _HTTPS else 0)
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
# Subdomains and the preload list are for the owner of the domain to decide.
SILENCED_SYSTEM_CHECKS = ["security.W005", "security.W021"]
if env.bool("BEHIND_TLS_PROXY", default=False):
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    # The proxy redirects.
    SILENCED_SYSTEM_CHECKS += ["security.W008"]

# --- language and time -----------------------------------------------------
LANGUAGE_CODE = env.str("LANGUAGE_CODE", default="en")
LANGUAGES = [("en", "English"), ("zh-hans", "简体中文")]
# The theme ships no translations, and errors are said in plainer words than Django's, in English
# too. From locale itself, makemessages would remove these texts.
LOCALE_PATHS = [BASE_DIR / "locale" / part for part in ("", "theme", "errors")]
USE_TZ = True
TIME_ZONE = env.str("TIME_ZONE", default="Asia/Shanghai")

# --- static files ----------------------------------------------------------
STATIC_URL = "static/"
STATIC_ROOT = env.str("STATIC_ROOT", default=str(DATA_DIR / "static"))
STATICFILES_DIRS = [BASE_DIR / "static"]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "smsportal.web_server.static_names.StaticNames"},
}
# Nothing requests the unhashed files, and compressing them would take as long again.
WHITENOISE_KEEP_ONLY_HASHED_FILES = True

# --- logs ------------------------------------------------------------------
LOG_FORMAT = env.str("LOG_FORMAT", default="plain")
LOGGING = configure_logs(LOG_FORMAT, env.str("LOG_LEVEL", default="INFO"))
SENTRY_DSN = env.str("SENTRY_DSN", default="")

env.stop_if_wrong()
