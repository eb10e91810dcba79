"""The portal's system checks."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from django.core.checks import CheckMessage, Tags, run_checks
from pytest_django import Settings

from messaging.admin import MessageAdmin
from smsportal.checks import (
    check_addresses,
    check_database,
    check_keys,
    check_proxies,
    check_queue,
    check_state_folder,
)
from smsportal.configuration.environment import BASE_DIR


def ids(found: list[CheckMessage]) -> list[str]:
    return [str(message.id).removeprefix("smsportal.") for message in found]


@pytest.mark.each_database
def test_default_settings_pass(settings: Settings) -> None:
    assert ids([*check_keys(), *check_queue(), *check_addresses()]) == []


def test_missing_keys_are_reported_with_the_command_that_creates_them(
    settings: Settings,
) -> None:
    settings.SECRET_KEY = ""
    settings.SECRETS_KEYS = []
    found = check_keys()
    assert ids(found) == ["E001", "E002"]
    assert all(
        "python -m smsportal.configuration.environment" in str(message.hint) for message in found
    )


def test_malformed_key_is_reported_by_position_only(settings: Settings) -> None:
    settings.SECRETS_KEYS = [*settings.SECRETS_KEYS, "half-a-key"]
    found = check_keys()
    assert ids(found) == ["E003"]
    assert "Key 2" in found[0].msg
    assert "half-a-key" not in f"{found[0].msg} {found[0].hint}"


UNIX = {"BIND": "unix:/run/portal.sock"}
TLS = {"PUBLIC_ADDRESS": "https://sms.example.com", "ALLOWED_HOSTS": ["sms.example.com"]}
NAMED = {"TRUSTED_PROXIES": ["10.0.0.1"]}


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, []),
        (UNIX, ["W028"]),
        ({**UNIX, "TRUSTED_PROXIES": ["unix"]}, []),
        ({**UNIX, "PROXY_COUNT": 1}, []),
        (TLS, ["W029"]),
        ({**TLS, "PROXY_COUNT": 1}, []),
        ({**TLS, **NAMED}, []),
        ({**TLS, **NAMED, "ALLOWED_HOSTS": ["sms.example.com", "127.0.0.1"]}, []),
        ({**TLS, **NAMED, "ALLOWED_HOSTS": ["sms.example.com", "portal.example.com"]}, ["W030"]),
        (
            {
                **TLS,
                **NAMED,
                "ALLOWED_HOSTS": ["sms.example.com", "portal.example.com"],
                "SECURE_PROXY_SSL_HEADER": ("HTTP_X_FORWARDED_PROTO", "https"),
            },
            [],
        ),
        (
            {
                **TLS,
                **NAMED,
                "ALLOWED_HOSTS": ["sms.example.com", "portal.example.com"],
                "CSRF_TRUSTED_ORIGINS": ["https://sms.example.com", "https://portal.example.com"],
            },
            [],
        ),
    ],
)
def test_settings_that_do_not_fit_the_proxy_are_reported(
    settings: Settings, changes: dict[str, Any], expected: list[str]
) -> None:
    settings.CSRF_TRUSTED_ORIGINS = ["https://sms.example.com"]
    for name, value in changes.items():
        setattr(settings, name, value)
    assert ids(check_proxies()) == expected


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"orm": "other"}, ["E010"]),
        ({"save_limit": 250}, ["E011"]),
        ({"max_attempts": 3}, ["E012"]),
        ({"timeout": 45}, ["E013"]),
        ({"retry": 279}, ["E014"]),
        ({"retry": 280}, []),
        ({"workers": 1, "retry": 300}, ["E014"]),
    ],
)
def test_queue_that_could_repeat_tasks_is_an_error(
    settings: Settings, changes: dict[str, Any], expected: list[str]
) -> None:
    settings.Q_CLUSTER = {**settings.Q_CLUSTER, **changes}
    assert ids(check_queue()) == expected


def test_queue_without_a_timeout_needs_no_longer_retry(settings: Settings) -> None:
    settings.Q_CLUSTER = {**settings.Q_CLUSTER, "ALT_CLUSTERS": {"engine": {"timeout": None}}}
    assert ids(check_queue()) == []


def test_every_queue_is_checked(settings: Settings) -> None:
    settings.Q_CLUSTER = {
        **settings.Q_CLUSTER,
        "ALT_CLUSTERS": {"engine": {"timeout": 60, "retry": 61}},
    }
    found = check_queue()
    assert ids(found) == ["E014"]
    assert "“engine”" in found[0].msg


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("https://sms.example.com", []),
        ("", ["W020"]),
        ("sms.example.com", ["E021"]),
        ("ftp://sms.example.com", ["E021"]),
        ("https://sms.example.com/portal", ["E021"]),
        ("https://elsewhere.example.com", ["E022"]),
        ("http://sms.example.com", ["W023"]),
        ("http://127.0.0.1:8000", []),
        ("http://[::1]:8000", []),
    ],
)
def test_public_address_must_lead_to_the_portal(
    settings: Settings, address: str, expected: list[str]
) -> None:
    settings.ALLOWED_HOSTS = ["sms.example.com", "127.0.0.1", "[::1]"]
    settings.PUBLIC_ADDRESS = address
    assert ids(check_addresses()) == expected


def test_open_hosts_and_debug_cause_warnings(settings: Settings) -> None:
    settings.ALLOWED_HOSTS = ["*"]
    settings.DEBUG = True
    assert ids(check_addresses()) == ["W024", "W025"]


def test_invalid_proxy_is_reported(settings: Settings) -> None:
    settings.TRUSTED_PROXIES = ["10.0.0.0/8", "unix", "the-proxy"]
    (found,) = check_proxies()
    assert "“the-proxy”" in found.msg


@pytest.mark.parametrize(
    ("engine", "version", "expected"),
    [
        ("django.db.backends.sqlite3", (3, 34, 1), ["E040"]),
        ("django.db.backends.sqlite3", (3, 35, 0), []),
        ("django.db.backends.postgresql", (3, 31, 0), []),
    ],
)
def test_old_sqlite_is_an_error(
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
    engine: str,
    version: tuple[int, int, int],
    expected: list[str],
) -> None:
    monkeypatch.setitem(settings.DATABASES["default"], "ENGINE", engine)
    monkeypatch.setattr(sqlite3, "sqlite_version_info", version)
    assert ids(check_database()) == expected


def test_admin_pages_are_checked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(MessageAdmin, "list_display", ["nothing_of_that_name"])
    assert [message.id for message in run_checks(tags=[Tags.admin])] == ["admin.E108"]


def test_process_without_pages_loads_them_for_checks_only_and_keeps_the_audit_log() -> None:
    script = """
import sys, django
PAGES = ("messaging.admin", "providers.admin", "core.admin.base", "openpyxl")
django.setup()
from auditlog.registry import auditlog
print(*sorted(model._meta.label for model in auditlog.get_models()))
print(*(name in sys.modules for name in PAGES))
django.core.checks.run_checks()
print(*(name in sys.modules for name in PAGES))
"""
    environment = {**os.environ, "DJANGO_SETTINGS_MODULE": "tests.settings"}
    completed = subprocess.run(
        [sys.executable, "-c", script],
        cwd=BASE_DIR,
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    audited, before, after = completed.stdout.splitlines()
    assert audited == "auth.Group auth.User providers.Account providers.DailyLimit"
    assert (before, after) == ("False False False False", "True True True False")


@pytest.mark.parametrize(
    ("folder", "expected"),
    [("outside", []), ("", ["W050"]), ("data/state", ["W051"]), ("file/state", ["W052"])],
)
def test_state_folder_must_be_writable_and_outside_the_data_folder(
    settings: Settings,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    folder: str,
    expected: list[str],
) -> None:
    """Root may write into any folder, but not into a file."""
    settings.DATA_DIR = tmp_path / "data"
    (tmp_path / "file").write_text("")
    settings.STATE_DIR = str(tmp_path / folder) if folder else ""
    assert ids(check_state_folder()) == expected


def test_gap_must_be_at_least_a_minute(settings: Settings, tmp_path: Path) -> None:
    settings.STATE_DIR = str(tmp_path)
    settings.RESUME_WITHIN_MINUTES = 0
    assert ids(check_state_folder()) == ["E053"]
