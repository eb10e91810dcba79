"""New passwords are not what everybody tries first, and the old one cannot be guessed."""

from __future__ import annotations

from datetime import timedelta

import pytest
import time_machine
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django import Settings

from smsportal.sign_in.password_rules import GUESSES_FOR, MAX_GUESSES
from tests.factories.staff import make_staff

PAGE = "admin:password_change"
NEW = "quiet river 7 lamps"


@pytest.mark.parametrize(
    "password",
    [
        "smsportal1",
        "SmsPortal2026!",
        "my-smsportal-7",
        "Haorui2026!!",
        "gosms-gosms",
        "example-2026",
    ],
)
def test_words_of_the_portal_are_no_password(settings: Settings, password: str) -> None:
    settings.PUBLIC_ADDRESS = "https://sms.example.com"
    with pytest.raises(ValidationError):
        validate_password(password)


@pytest.mark.parametrize("password", ["short-9xq", "1234567890", "qwertyuiop"])
def test_short_and_common_passwords_are_refused(password: str) -> None:
    with pytest.raises(ValidationError):
        validate_password(password)


@pytest.mark.parametrize("password", [NEW, "portal of the quiet river", "kX9-vv-Lq2-ww"])
def test_other_passwords_are_accepted(password: str) -> None:
    validate_password(password)


def change(client: Client, old: str) -> int:
    values = {"old_password": old, "new_password1": NEW, "new_password2": NEW}
    return client.post(reverse(PAGE), values).status_code


@pytest.mark.django_db
def test_old_password_can_be_tried_a_few_times_only(client: Client) -> None:
    person = make_staff("operator")
    client.force_login(person)
    with time_machine.travel(timezone.now(), tick=False) as now:
        assert [change(client, f"wrong {n}") for n in range(MAX_GUESSES)] == [200] * MAX_GUESSES
        assert change(client, "secret") == 429
        now.shift(GUESSES_FOR + timedelta(seconds=1))
        assert change(client, "secret") == 302
    person.refresh_from_db()
    assert person.check_password(NEW)


@pytest.mark.django_db
def test_other_mistakes_count_as_no_guess(client: Client) -> None:
    client.force_login(make_staff("operator"))
    for _ in range(MAX_GUESSES + 1):
        values = {"old_password": "secret", "new_password1": NEW, "new_password2": "other"}
        assert client.post(reverse(PAGE), values).status_code == 200
    assert change(client, "secret") == 302
