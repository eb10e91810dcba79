"""Cookies whose names bind them to this host, once it is asked for."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

from smsportal.configuration.environment import BASE_DIR

PROGRAM = (
    "import json; from django.conf import settings as s;"
    "print(json.dumps([s.SESSION_COOKIE_NAME, s.CSRF_COOKIE_NAME, s.SECURE_HSTS_SECONDS]))"
)


def configured(**environment: str) -> list[object]:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        cwd=BASE_DIR,
        env={
            **os.environ,
            "DJANGO_SETTINGS_MODULE": "smsportal.settings",
            "ENV_FILE": "",
            "SECRET_KEY": "x" * 50,
            "SECRETS_KEYS": "MDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDA=",
            **environment,
        },
        capture_output=True,
        check=True,
        text=True,
    )
    found: list[object] = json.loads(done.stdout)
    return found


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ({}, ["smsportal_session", "csrftoken", 0]),
        # Browsers would reject the prefix, and nobody could sign in.
        ({"HOST_COOKIES": "true"}, ["smsportal_session", "csrftoken", 0]),
        (
            {"PUBLIC_ADDRESS": "https://sms.example.com"},
            ["smsportal_session", "csrftoken", 86_400],
        ),
        (
            {"PUBLIC_ADDRESS": "https://sms.example.com", "HOST_COOKIES": "true"},
            ["__Host-smsportal_session", "__Host-csrftoken", 86_400],
        ),
    ],
)
def test_names_of_cookies_and_hsts(environment: dict[str, str], expected: list[object]) -> None:
    assert configured(**environment) == expected
