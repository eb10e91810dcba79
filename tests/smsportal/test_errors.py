"""Error pages: plain words, a next step, and a reference that is also in the log."""

from __future__ import annotations

import logging
import re
from typing import Any

import pytest
from django.db import InternalError, OperationalError
from django.http import HttpRequest
from django.test import Client, RequestFactory
from django.urls import reverse
from django.utils import timezone
from pytest_django import Settings

from core import request_reference
from smsportal import errors
from smsportal.middleware import request_id
from smsportal.overview import dashboard
from smsportal.probes import readiness
from tests.support.signed_in import browser_of, member

pytestmark = pytest.mark.django_db

REFERENCE = re.compile(r"[2-9A-Z]{4}-[2-9A-Z]{4}")


@pytest.fixture
def browser() -> Client:
    client = browser_of(member("viewer"))
    client.raise_request_exception = False
    return client


def test_missing_page_offers_a_search_and_keeps_the_navigation(
    browser: Client,
) -> None:
    response = browser.get("/no/such/page/")
    page = response.content.decode()
    assert response.status_code == 404
    assert "This page does not exist." in page
    assert "nav-sidebar" in page
    assert "find-here" in page
    assert "Check the address, or search for the number or id." in page


def test_forbidden_page_names_the_permission(browser: Client) -> None:
    response = browser.get(reverse("admin:auth_user_changelist"))
    assert response.status_code == 403
    assert "It requires the permission “View: Staff”." in response.content.decode()


def test_reference_is_on_the_page_in_the_header_and_in_the_log(
    browser: Client, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.handler.addFilter(request_id.RequestIdFilter())
    response = browser.get("/no/such/page/")
    found = REFERENCE.search(response.content.decode())
    assert found
    assert response["X-Request-ID"] == found.group()
    records: list[Any] = [one for one in caplog.records if one.name.startswith(("smsportal", "dj"))]
    assert {record.request_id for record in records} == {found.group()}


def test_every_request_has_its_own_reference(browser: Client) -> None:
    assert browser.get("/")["X-Request-ID"] != browser.get("/")["X-Request-ID"]


def test_log_record_outside_of_a_request_has_no_reference() -> None:
    record: Any = logging.makeLogRecord({})
    request_reference.set_current("")
    assert request_id.RequestIdFilter().filter(record)
    assert record.request_id == "-"


def test_server_error_advises_to_check_before_sending_again(
    browser: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(_request: HttpRequest) -> dict[str, Any]:
        raise ZeroDivisionError("secret detail")

    monkeypatch.setattr(dashboard, "dashboard_context", broken)
    response = browser.get("/")
    page = response.content.decode()
    assert response.status_code == 500
    assert "Something went wrong in the portal." in page
    assert "check Messages before sending it again" in page
    assert REFERENCE.search(page)
    assert "secret detail" not in page


def test_failing_error_page_still_returns_a_page(
    browser: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(dashboard, "dashboard_context", broken)
    monkeypatch.setattr(errors, "error_page", broken)
    response = browser.get("/")
    assert response.status_code == 500
    assert "Something went wrong in the portal." in response.content.decode()


def test_fault_before_sign_in_is_looked_up_is_logged_once(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail() -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(readiness, "read", fail)
    response = Client(raise_request_exception=False).get("/readyz")
    assert response.status_code == 500
    assert response["X-Request-ID"] in response.content.decode()
    assert [record.exc_info and record.exc_info[0] for record in caplog.records] == [
        ZeroDivisionError
    ]


@pytest.mark.parametrize("error", [OperationalError(), InternalError("read-only transaction")])
def test_unreachable_database_returns_a_page_that_reloads(
    browser: Client, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    def raise_unreachable(_request: HttpRequest) -> dict[str, Any]:
        raise error

    monkeypatch.setattr(dashboard, "dashboard_context", raise_unreachable)
    response = browser.get("/")
    page = response.content.decode()
    assert response.status_code == 503
    assert "Queued items are not lost." in page
    assert response["Retry-After"] == "15"
    assert 'http-equiv="refresh"' in page


def test_form_without_its_token_can_be_opened_again() -> None:
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(member("manager"))
    page = reverse("admin:auth_user_add")
    response = strict.post(page, {"username": "x"})
    assert response.status_code == 403
    assert "This form has expired." in response.content.decode()
    assert f'href="{page}"' in response.content.decode()


@pytest.mark.parametrize(
    ("address", "text"),
    [
        (
            "https://sms.example.com",
            "the page is at https://other.example.com, but the portal's address is https",
        ),
        ("", "the page is at https://other.example.com, which the portal does not know"),
    ],
)
def test_form_from_another_address_says_that_the_address_does_not_match(
    settings: Settings, address: str, text: str
) -> None:
    settings.PUBLIC_ADDRESS = address
    settings.CSRF_TRUSTED_ORIGINS = [address] if address else []
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(member("manager"))
    page = reverse("admin:auth_user_add")
    origin = {"Origin": "https://other.example.com"}
    response = strict.post(page, {"username": "x"}, headers=origin)
    answer = response.content.decode()
    assert response.status_code == 403
    assert text in answer
    assert "This form has expired." not in answer


def test_form_from_a_page_of_the_public_address_is_taken(settings: Settings) -> None:
    settings.PUBLIC_ADDRESS = "https://sms.example.com"
    settings.CSRF_TRUSTED_ORIGINS = ["https://sms.example.com"]
    strict = Client(enforce_csrf_checks=True)
    strict.get(reverse("admin:login"))
    token = strict.cookies["csrftoken"].value
    response = strict.post(
        reverse("admin:login"),
        {"username": "x", "password": "y", "csrfmiddlewaretoken": token},
        headers={"Origin": "https://sms.example.com"},
    )
    assert response.status_code == 200


def test_oversized_form_shows_the_limit(browser: Client) -> None:
    response = browser.post(reverse("admin:password_change"), {"old_password": "x" * 3_000_000})
    assert response.status_code == 413
    assert "The limit is 2 MB." in response.content.decode()


def test_rate_limit_page_shows_when_to_try_again() -> None:
    request = RequestFactory().get("/")
    request.user = member("viewer")
    response = errors.too_many_requests(request, timezone.now())
    assert response.status_code == 429
    assert "Try again at" in response.content.decode()


def test_unknown_permission_is_shown_by_its_name() -> None:
    assert errors._permission_label("rentals.rent_number") == "rentals.rent_number"
