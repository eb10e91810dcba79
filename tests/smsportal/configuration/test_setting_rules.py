"""Every wrong setting is one line that names it, before anything starts."""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path
from typing import Any, Final

import pytest

from smsportal.configuration.environment import BASE_DIR, EXIT_CODE, read_environment
from smsportal.configuration.setting_kinds import Wrong
from smsportal.configuration.setting_rules import RULES, SECRET
from tests.smsportal.test_frozen_names import frozen
from tests.support.hosts import run

A_FILE: Final = str(BASE_DIR / "manage.py")
NUMBERS: Final = ("abc", "-1", "NaN", "inf", "1e3", "99999999999999999999", "1.5", "２")
WRONG: Final[dict[str, tuple[str, ...]]] = {
    "ALLOWED_HOSTS": ("https://sms.example.com", "sms.example.com:443", "a b", "短．．信"),
    "ALLOW_HTTP_PROVIDERS": ("maybe",),
    "ALLOW_PRIVATE_ALERTS": ("2",),
    "ALLOW_PRIVATE_PROVIDERS": ("2",),
    "BACKUP_AT": ("25:00", "02:30", "3:10", "noon"),
    "BACKUP_DIR": (A_FILE,),
    "BACKUP_KEEP": NUMBERS,
    "BACKUP_PASSPHRASE": ("hunter2",),
    "BACKUP_PASSPHRASE_FILE": ("/nowhere/passphrase",),
    "BALANCE_EVERY_MINUTES": (*NUMBERS, "0", "1441"),
    "BALANCE_READING_DAYS": (*NUMBERS, "0"),
    "BATCH_MEGABYTES": (*NUMBERS, "0"),
    "BATCH_FIRST_MESSAGES": (*NUMBERS, "0"),
    "BATCH_PAUSE_PERCENT": (*NUMBERS, "101"),
    "BATCH_ROWS": (*NUMBERS, "0"),
    "BEHIND_TLS_PROXY": ("yes please",),
    "BIND": (
        "8000",
        "localhost",
        ":8000",
        "h:0",
        "h:65536",
        "h:http",
        "fd://3",
        "unix:rel",
        "::1:80",
    ),
    "CODES_PER_NUMBER": (*NUMBERS, "0"),
    "CODES_PER_PREFIX": (*NUMBERS, "0"),
    "CODE_ALARM_PERCENT": (*NUMBERS, "101"),
    "CODE_ALARM_SENT": (*NUMBERS, "0"),
    "CODE_BURST": (*NUMBERS, "0"),
    "CONFIRM_MINUTES": (*NUMBERS, "1441"),
    "CSRF_TRUSTED_ORIGINS": ("sms.example.com", "https://sms.example.com/portal"),
    "DAILY_CODES": NUMBERS,
    "DAILY_MESSAGES": NUMBERS,
    "DAILY_ORDERS": NUMBERS,
    "DATABASE_URL": (
        "mysql-nonsense",
        "mysql://u:hunter2@h/n",
        "sqlite://data/x.sqlite3",
        "sqlite://:memory:",
        "sqlite:///",
        "postgres://u:hunter2@h",
        "postgres://u:hunter2@h:abc/n",
        "postgres://u:hun#ter2@h/n",
        "postgres://u:hunter2@h/" + 64 * "n",
    ),
    "DATA_DIR": (A_FILE, f"{A_FILE}/data"),
    "DEBUG": ("maybe",),
    "DEMO": ("perhaps",),
    "EMERGENCY_ACCOUNT": ("two words", "a,b"),
    "ENCRYPT_FILES": ("perhaps",),
    "ENV_FILE": ("/nowhere/.env", "/"),
    "FIRST_ADMIN_NAME": ("two words", "x" * 151),
    "FIRST_ADMIN_PASSWORD_FILE": ("secrets/password",),
    "HOME_COUNTRY": ("XX", "CHN", "China", "86"),
    "HOST_COOKIES": ("maybe",),
    "HSTS_SECONDS": NUMBERS,
    "IDLE_MINUTES": (*NUMBERS, "1441"),
    "JOURNAL_DAYS": (*NUMBERS, "0"),
    "LANGUAGE_CODE": ("fr", "zh"),
    "LOGIN_FAILURES_PER_ADDRESS": (*NUMBERS, "0"),
    "LOGIN_FAILURE_LIMIT": (*NUMBERS, "0"),
    "LOCAL_SIGN_IN": ("perhaps",),
    "LOG_FORMAT": ("xml",),
    "LOG_LEVEL": ("LOUD", "10"),
    "METRICS_NETWORKS": ("10.0.0.0/33", "monitor.example.com"),
    "METRICS_TOKEN": ("short-token", "a token with spaces in it"),
    "OIDC_CLIENT_ID": ("with a blank",),
    "OIDC_CLIENT_SECRET": ("short", "with a tab\tin it"),
    "OIDC_CREATE_PEOPLE": ("perhaps",),
    "OIDC_FACTOR_VALUES": ("two words",),
    "OIDC_GROUPS_CLAIM": ("two words", "a,b"),
    "OIDC_HOSTS": ("https://id.example.com", "*", ".example.com"),
    "OIDC_ISSUER": ("id.example.com", "http://id.example.com", "https://id.example.com?x=1"),
    "OIDC_LINK_BY_EMAIL": ("perhaps",),
    "OIDC_NAME": ("x" * 61,),
    "OIDC_ROLES": ("managers", "=manager", "managers=", "staff=superuser", "a=viewer,a=manager"),
    "OIDC_SCOPES": ("two words",),
    "OUTGOING_ADDRESSES": ("192.0.2.300", "sms.example.com"),
    "POSTGRESQL_BIN": (A_FILE,),
    "PROXY_COUNT": NUMBERS,
    "PUBLIC_ADDRESS": (
        "sms.example.com",
        "ftp://sms.example.com",
        "https://h/portal",
        "https://h:x",
    ),
    "REPORT_HOURS": (*NUMBERS, "0"),
    "REQUEST_SECONDS": ("abc", "-1", "0", "NaN", "inf", "1e9"),
    "RESUME_WITHIN_MINUTES": NUMBERS,
    "SANDBOX_BIND": ("unix:/run/x.sock", "8801"),
    "SANDBOX_URL": ("127.0.0.1:8801",),
    "SECOND_FACTOR_ROLES": ("x" * 151,),
    "SECRETS_KEYS": ("hunter2", "dGVzdHMtb25seS10ZXN0cy1vbmx5LXRlc3RzLW9ubHk=,hunter2"),
    "SECRET_KEY": ("hunter2",),
    "SECRET_KEY_FALLBACKS": ("hunter3",),
    "SECRET_MAX_AGE_DAYS": (*NUMBERS, "0"),
    "SECURE_COOKIES": ("maybe",),
    "SENTRY_DSN": ("hunter4", "https://hunter4@/1", "ftp://hunter4@h/1", "https://hunter4@h/x"),
    "SESSION_COOKIE_NAME": ("a b", "a;b", "名"),
    "SESSION_HOURS": (*NUMBERS, "0"),
    "SSL_REDIRECT": ("maybe",),
    "STATE_DIR": (A_FILE,),
    "STATIC_ROOT": (A_FILE,),
    "PORTAL_HOST": ("two words", "x" * 91),
    "TIME_ZONE": ("Mars/Base", "Europe", "../etc/passwd", "UTC+8"),
    "TRUSTED_PROXIES": ("the-proxy",),
    "WEB_PROCESSES": (*NUMBERS, "0", "65"),
    "WEB_THREADS": (*NUMBERS, "0"),
}
RIGHT: Final[list[tuple[str, str, Any]]] = [
    ("BATCH_ROWS", " 5000 ", 5000),
    ("REQUEST_SECONDS", "2.5", 2.5),
    ("DEBUG", "Off", False),
    ("HOME_COUNTRY", "cn", "CN"),
    ("LOG_LEVEL", "info", "INFO"),
    ("LANGUAGE_CODE", "zh-Hans", "zh-hans"),
    ("BIND", "127.0.0.1:8000", "127.0.0.1:8000"),
    ("BIND", "[::1]:8000", "[::1]:8000"),
    ("BIND", "unix:/run/smsportal/web.sock", "unix:/run/smsportal/web.sock"),
    ("PUBLIC_ADDRESS", "https://SMS.Example.com:443/", "https://sms.example.com"),
    ("PUBLIC_ADDRESS", "HTTP://Sms.Example.com:80", "http://sms.example.com"),
    ("PUBLIC_ADDRESS", "https://短信.Example/", "https://xn--vuq298g.example"),
    ("PUBLIC_ADDRESS", "https://Bücher.example:8443", "https://xn--bcher-kva.example:8443"),
    ("PUBLIC_ADDRESS", "http://[::1]:8000", "http://[::1]:8000"),
    ("CSRF_TRUSTED_ORIGINS", "https://短信.example:443/", ["https://xn--vuq298g.example"]),
    (
        "ALLOWED_HOSTS",
        "短信.example,.Bücher.example",
        ["xn--vuq298g.example", ".xn--bcher-kva.example"],
    ),
    ("ALLOWED_HOSTS", "a.example, .b.example,[::1],*", ["a.example", ".b.example", "[::1]", "*"]),
    ("TRUSTED_PROXIES", "10.0.0.0/8,unix,::1", ["10.0.0.0/8", "unix", "::1"]),
    ("DATABASE_URL", "sqlite:////srv/portal.sqlite3", "sqlite:////srv/portal.sqlite3"),
    ("DATABASE_URL", "postgres://p@/n?host=/tmp/x", "postgres://p@/n?host=/tmp/x"),
    ("DATABASE_URL", "postgres://p@a:5432,b:5433/n", "postgres://p@a:5432,b:5433/n"),
    ("TIME_ZONE", "Europe/Berlin", "Europe/Berlin"),
]


def test_every_setting_has_a_rule_and_wrong_values_here() -> None:
    foreign = {"DJANGO_SETTINGS_MODULE", "Q_CLUSTER_NAME", "XDG_STATE_HOME"}
    assert sorted(RULES) == sorted(set(frozen()["environment"]) - foreign) == sorted(WRONG)


@pytest.mark.parametrize(
    ("name", "value"), [(name, value) for name, values in WRONG.items() for value in values]
)
def test_wrong_value_is_refused(name: str, value: str) -> None:
    with pytest.raises(Wrong) as wrong:
        RULES[name](value)
    assert re.match(r"must |is |has |lies |cannot ", str(wrong.value))
    assert "\n" not in str(wrong.value)


@pytest.mark.parametrize(("name", "value", "read"), RIGHT)
def test_right_value_is_read(name: str, value: str, read: object) -> None:
    assert RULES[name](value) == read


@pytest.fixture
def clean(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """An environment of its own."""
    environment = {"ENV_FILE": "", "DATA_DIR": str(tmp_path)}
    monkeypatch.setattr(os, "environ", environment)
    monkeypatch.setattr("smsportal.configuration.environment.SOURCES", {})
    return environment


def test_empty_value_counts_as_unset(clean: dict[str, str]) -> None:
    clean["BATCH_ROWS"] = " "
    env, _ = read_environment()
    assert env.int("BATCH_ROWS", default=7) == 7
    assert env.problems == []


def test_problem_names_the_setting_its_value_and_its_file(
    clean: dict[str, str], tmp_path: Path
) -> None:
    file = tmp_path / "portal.env"
    file.write_text("BATCH_ROWS=abc # rows\n")
    clean["ENV_FILE"] = str(file)
    env, _ = read_environment()
    env.int("BATCH_ROWS", default=7)
    assert env.problems == [
        f"BATCH_ROWS=“abc” (from {file}) must be a whole number from 1 to 10000000."
    ]


def test_environment_overrides_the_file(clean: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "portal.env").write_text("BATCH_ROWS=abc\n")
    clean.update(ENV_FILE=str(tmp_path / "portal.env"), BATCH_ROWS="5")
    env, _ = read_environment()
    assert env.int("BATCH_ROWS", default=7) == 5


def test_setting_without_a_rule_cannot_be_read(clean: dict[str, str]) -> None:
    env, _ = read_environment()
    with pytest.raises(LookupError, match="NEW_SETTING has no rule"):
        env.str("NEW_SETTING")


def test_typing_errors_are_warned_of(clean: dict[str, str], tmp_path: Path) -> None:
    file = tmp_path / "portal.env"
    file.write_text("\nWEB_PROCESES=3\nCOMPOSE_PROJECT_NAME=sms\n")
    clean.update(ENV_FILE=str(file), DATABASE_URI="x", LANG="C", HOME="/root")
    env, _ = read_environment()
    assert env.warnings == [
        "DATABASE_URI (from the environment) is no setting. Do you mean DATABASE_URL?",
        f"WEB_PROCESES ({file}, line 2) is no setting. Do you mean WEB_PROCESSES?",
    ]


# --- in real processes ---------------------------------------------------------------------

ENTRANCES: Final = {
    "check": [A_FILE, "check"],
    "portal": [A_FILE, "portal"],
    "queue": [A_FILE, "qcluster", "--skip-checks"],
    "web server": ["-m", "gunicorn", "--config", str(BASE_DIR / "gunicorn.conf.py")],
    "keys": ["-m", "smsportal.configuration.environment"],
}
BESIDE: Final = frozenset({"DEMO", "SANDBOX_BIND", "ENV_FILE", "DATA_DIR"})
"""Left out, since they change which others are read."""


def environment(folder: Path, **settings: str) -> dict[str, str]:
    return {"PATH": os.environ["PATH"], "ENV_FILE": "", "DATA_DIR": str(folder), **settings}


@pytest.mark.any_database
@pytest.mark.parametrize("entrance", sorted(ENTRANCES))
def test_all_wrong_settings_are_reported_at_once(entrance: str, tmp_path: Path) -> None:
    settings = {name: values[0] for name, values in WRONG.items() if name not in BESIDE}
    ended = run(ENTRANCES[entrance], environment(tmp_path, **settings))
    assert ended.returncode == EXIT_CODE
    lines = ended.stderr.splitlines()
    assert sorted(re.split(r"[= ]", line)[0] for line in lines) == sorted(settings)
    for name in SECRET:
        assert settings[name] not in ended.stderr.replace(" key 1 ", "")
    assert not list(tmp_path.iterdir())


@pytest.mark.any_database
@pytest.mark.parametrize("name", sorted(BESIDE))
def test_other_wrong_settings_are_reported_alone(name: str, tmp_path: Path) -> None:
    settings = {name: WRONG[name][0]} | ({"DEMO": "true"} if name == "SANDBOX_BIND" else {})
    ended = run(ENTRANCES["check"], environment(tmp_path) | settings)
    assert ended.returncode == EXIT_CODE
    (line,) = ended.stderr.splitlines()
    assert line.startswith(f"{name}=“{WRONG[name][0]}” (from the environment) ")


@pytest.mark.any_database
@pytest.mark.parametrize("name", ["SCRIPT_NAME", "FORCE_SCRIPT_NAME"])
def test_portal_refuses_to_be_served_below_a_path(name: str, tmp_path: Path) -> None:
    ended = run(ENTRANCES["portal"], environment(tmp_path, **{name: "/sms"}))
    assert ended.returncode == EXIT_CODE
    assert ended.stderr == (
        f"{name} (from the environment) is not supported: the portal cannot be served below a"
        " path, so give it a host name of its own.\n"
    )


@pytest.mark.any_database
@pytest.mark.skipif(os.geteuid() != 0, reason="only root can act as another user")
def test_data_folder_that_is_not_writable_is_named_with_the_user() -> None:
    import subprocess

    ended = subprocess.run(
        [sys.executable, "-m", "smsportal.configuration.environment"],
        env=environment(Path("/root/portal-data")),
        cwd=BASE_DIR,
        capture_output=True,
        text=True,
        user=65534,
        extra_groups=[],
        check=False,
    )
    assert ended.returncode == EXIT_CODE
    assert ended.stderr.startswith("DATA_DIR (from the environment): user id 65534 cannot write ")
    assert ended.stderr.count("\n") == 1
