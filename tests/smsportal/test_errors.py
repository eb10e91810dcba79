"""Error pages: plain words, a way on, and a reference that is also in the log."""

from __future__ import annotations

import logging
import re
from typing import Any

import pytest
from django.db import OperationalError
from django.http import HttpRequest
from django.test import Client, RequestFactory
from django.urls import reverse
from django.utils import timezone

from smsportal import dashboard, errors, request_id
from tests.support.signed_in import browser_of, member

pytestmark = pytest.mark.django_db

REFERENCE = re.compile(r"[2-9A-Z]{4}-[2-9A-Z]{4}")


@pytest.fixture
def browser() -> Client:
    client = browser_of(member("viewer"))
    client.raise_request_exception = False
    return client


def test_a_page_that_is_not_there_offers_a_search_and_keeps_the_navigation(
    browser: Client,
) -> None:
    answer = browser.get("/no/such/page/")
    page = answer.content.decode()
    assert answer.status_code == 404
    assert "This page does not exist." in page
    assert "nav-sidebar" in page
    assert 'name="q"' in page


def test_a_refusal_names_the_permission(browser: Client) -> None:
    answer = browser.get(reverse("admin:auth_user_changelist"))
    assert answer.status_code == 403
    assert "It needs the permission “See: Users”." in answer.content.decode()


def test_the_reference_on_the_page_is_in_the_header_and_in_the_log(
    browser: Client, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.handler.addFilter(request_id.RequestIdFilter())
    answer = browser.get("/no/such/page/")
    found = REFERENCE.search(answer.content.decode())
    assert found
    assert answer["X-Request-ID"] == found.group()
    records: list[Any] = [one for one in caplog.records if one.name.startswith(("smsportal", "dj"))]
    assert {record.request_id for record in records} == {found.group()}


def test_every_request_has_a_reference_of_its_own(browser: Client) -> None:
    assert browser.get("/")["X-Request-ID"] != browser.get("/")["X-Request-ID"]


def test_a_log_line_outside_of_a_request_has_no_reference() -> None:
    record: Any = logging.makeLogRecord({})
    request_id._current.set("")
    assert request_id.RequestIdFilter().filter(record)
    assert record.request_id == "-"


def test_a_fault_says_to_look_before_sending_again(
    browser: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(_request: HttpRequest) -> dict[str, Any]:
        raise ZeroDivisionError("secret detail")

    monkeypatch.setattr(dashboard, "dashboard_context", broken)
    answer = browser.get("/")
    page = answer.content.decode()
    assert answer.status_code == 500
    assert "The portal has a fault." in page
    assert "look in Messages before sending it again" in page
    assert REFERENCE.search(page)
    assert "secret detail" not in page


def test_a_fault_of_the_error_page_itself_still_gives_a_page(
    browser: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(dashboard, "dashboard_context", broken)
    monkeypatch.setattr(errors, "error_page", broken)
    answer = browser.get("/")
    assert answer.status_code == 500
    assert "The portal has a fault." in answer.content.decode()


def test_a_database_that_is_away_gives_a_page_that_tries_again(
    browser: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(_request: HttpRequest) -> dict[str, Any]:
        raise OperationalError

    monkeypatch.setattr(dashboard, "dashboard_context", away)
    answer = browser.get("/")
    page = answer.content.decode()
    assert answer.status_code == 503
    assert "What was queued is kept." in page
    assert answer["Retry-After"] == "15"
    assert 'http-equiv="refresh"' in page


def test_a_form_without_its_token_was_not_sent_and_can_be_opened_again() -> None:
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(member("manager"))
    page = reverse("admin:auth_user_add")
    answer = strict.post(page, {"username": "x"})
    assert answer.status_code == 403
    assert "This form can no longer be sent." in answer.content.decode()
    assert f'href="{page}"' in answer.content.decode()


def test_a_form_that_is_too_large_is_told_the_limit(browser: Client) -> None:
    answer = browser.post(reverse("admin:password_change"), {"old_password": "x" * 3_000_000})
    assert answer.status_code == 413
    assert "The limit is 2 MB." in answer.content.decode()


def test_our_own_limit_says_when_to_come_back() -> None:
    request = RequestFactory().get("/")
    request.user = member("viewer")
    answer = errors.too_many_requests(request, timezone.now())
    assert answer.status_code == 429
    assert "Try again at" in answer.content.decode()


def test_an_unknown_permission_is_shown_by_its_name() -> None:
    assert errors._permission_label("rentals.rent_number") == "rentals.rent_number"
