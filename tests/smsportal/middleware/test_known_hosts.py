"""A request for an unknown host is refused with 400 and one line in the log, wherever it goes."""

from __future__ import annotations

import logging

import pytest
from django.conf import LazySettings
from django.test import Client
from django.urls import reverse

from providers.models import Callback
from tests.factories.accounts import make_account
from tests.support.signed_in import browser_of, member

pytestmark = pytest.mark.django_db

HOSTS = (
    "evil.example.com",
    "203.0.113.5",
    "[2001:db8::5]",
    "evil.example.com:8000",
    "bad_host",
    "two hosts",
    "",
    "host\r\nX-Other: 1",
    "x" * 5000,
)
PATHS = ("/", "/no/such/page/", "/static/portal/portal.css", "/login/", "/callbacks/made-up/")


@pytest.fixture(autouse=True)
def _hosts(settings: LazySettings) -> None:
    settings.ALLOWED_HOSTS = ["sms.example.com"]


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("host", HOSTS, ids=lambda host: repr(host[:20]))
def test_unknown_host_is_refused_in_one_line(
    client: Client, caplog: pytest.LogCaptureFixture, path: str, host: str
) -> None:
    client.raise_request_exception = False
    with caplog.at_level(logging.INFO):
        response = client.get(path, HTTP_HOST=host)
    assert response.status_code == 400
    assert "Retry-After" not in response
    lines = [record for record in caplog.records if record.name.startswith(("smsportal", "django"))]
    refusals = [record for record in lines if "ALLOWED_HOSTS" in record.getMessage()]
    assert len(refusals) == 1
    assert not any(record.exc_info for record in lines)
    message = refusals[0].getMessage()
    assert "\n" not in message
    assert len(message) < 250


def test_signed_in_staff_get_the_same_answer(client: Client) -> None:
    browser = browser_of(member("manager"))
    assert browser.get("/", HTTP_HOST="evil.example.com").status_code == 400
    assert browser.get("/", HTTP_HOST="sms.example.com").status_code == 200


def test_callback_for_an_unknown_host_is_not_stored(client: Client) -> None:
    account = make_account("haorui")
    token = account.callback_tokens.get().value.reveal()
    path = reverse("callback", args=[token])
    response = client.post(path, {"x": 1}, HTTP_HOST="evil.example.com")
    assert response.status_code == 400
    assert not Callback.objects.exists()


def test_secret_of_a_callback_is_not_logged(
    client: Client, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO):
        client.get("/callbacks/a-secret-token/", HTTP_HOST="evil.example.com")
    assert "a-secret-token" not in caplog.text
