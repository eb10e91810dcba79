"""Checks of the connection: queueing, result texts and polling."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client as Browser
from django.utils import timezone
from django_q.models import OrmQ

from providers import accounts
from providers.clock import database_now
from providers.engine.leases import TIME_TO_LIVE
from providers.models import Account, ApiCall, Enquiry, Lease
from tests.factories.accounts import make_account
from tests.factories.staff import make_user

from .account_form_data import PROVIDERS, url_of
from .account_pages import make_reading, text_of

pytestmark = pytest.mark.django_db


def make_engine_alive() -> None:
    Lease.objects.update(holder="a" * 32, expires_at=database_now() + TIME_TO_LIVE)


def test_check_is_queued_without_calling_the_provider(account: Account, manager: Browser) -> None:
    answer = manager.post(url_of(account, "check"), headers={"hx-request": "true"})
    page = answer.content.decode()
    assert "The queue is not running" in page
    assert "every 2s" in page
    assert account.enquiries.get().state == Enquiry.State.QUEUED
    assert OrmQ.objects.count() == 1
    assert not ApiCall.objects.exists()


def test_repeated_request_creates_one_check(account: Account, manager: Browser) -> None:
    for _ in range(3):
        manager.post(url_of(account, "check"))
    assert account.enquiries.count() == 1


def test_page_shows_that_the_provider_is_asked_while_the_engine_runs(
    account: Account, manager: Browser
) -> None:
    make_engine_alive()
    manager.post(url_of(account, "check"))
    assert "Checking with GoSMS" in text_of(manager, url_of(account, "checked"))


def test_page_polls_less_often_after_the_first_minute(account: Account, manager: Browser) -> None:
    manager.post(url_of(account, "check"))
    account.enquiries.update(asked_at=timezone.now() - timedelta(seconds=61))
    assert "every 5s" in text_of(manager, url_of(account, "checked"))


def make_ended_check(account: Account, **fields: Any) -> None:
    by = make_user()
    Enquiry.objects.create(
        account=account, kind="check", asked_by=by, ended_at=timezone.now(), **fields
    )


def test_successful_check_stops_polling_and_updates_the_figures(
    account: Account, manager: Browser
) -> None:
    make_ended_check(account, state="answered", reading=make_reading(account))
    page = text_of(manager, url_of(account, "checked"))
    assert "Connection works. Available 938.00, account active." in page
    assert "hx-get" not in page
    assert 'id="account-figures" hx-swap-oob' in page


@pytest.mark.parametrize(
    ("reading", "text"),
    [
        ({"is_active": None}, "Connection works. Available 938.00."),
        ({"is_active": False}, "the provider reports the account as inactive"),
        ({"available": None, "balance": None}, "Connection works."),
    ],
)
def test_check_shows_only_facts_that_the_provider_stated(
    account: Account, manager: Browser, reading: dict[str, Any], text: str
) -> None:
    make_ended_check(account, state="answered", reading=make_reading(account, **reading))
    assert text in text_of(manager, url_of(account, "checked"))


def test_failed_check_shows_reason_next_step_and_the_providers_words(
    account: Account, manager: Browser
) -> None:
    make_ended_check(account, state="failed", reason="credentials", words="<b>密钥</b> \u202eevil")
    page = text_of(manager, url_of(account, "checked"))
    assert "The provider did not accept the credentials." in page
    assert "Replace the key, then check the connection." in page
    assert "&lt;b&gt;密钥&lt;/b&gt;" in page
    assert 'dir="auto"' in page
    assert "may have been charged" not in page


@pytest.mark.parametrize("provider", [p for p in PROVIDERS if p in ("haorui", "otpservice")])
def test_check_without_a_free_call_is_answered_at_once(provider: str, manager: Browser) -> None:
    account = make_account(provider)
    accounts.pause(account, "credentials")
    page = manager.post(url_of(account, "check"), headers={"hx-request": "true"}).content.decode()
    assert "cannot be checked without sending" in page
    assert "does not provide the balance" in text_of(manager, url_of(account))
    assert "hx-get" not in page
    account.refresh_from_db()
    assert account.is_paused


def test_poll_of_a_signed_out_page_is_answered_401_without_a_form(
    account: Account, client: Browser
) -> None:
    answer = client.get(url_of(account, "checked"))
    assert answer.status_code == 401
    assert "<form" not in answer.content.decode()
