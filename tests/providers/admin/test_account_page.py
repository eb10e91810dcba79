"""The page of one account: its state, figures and the age of its secrets; its line in the list."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from cryptography.fernet import Fernet
from django.contrib.admin.models import LogEntry
from django.db import connection
from django.test import Client as Browser
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from core.admin.history import log_text
from providers import accounts
from providers.accounts import BY_HAND
from providers.models import Account, Allowance, ApiCall
from tests.factories.accounts import make_account
from tests.factories.staff import make_user
from tests.support.signed_in import browser_of, member

from .account_form_data import stored_form_data, url_of
from .account_pages import make_reading, text_of

pytestmark = pytest.mark.django_db
LIST = reverse("admin:providers_account_changelist")


# --- state, pausing and resuming ----------------------------------------------


def test_pause_requires_a_reason_and_resume_ends_it(account: Account, manager: Browser) -> None:
    assert manager.post(url_of(account, "pause"), {"reason": " "}).status_code == 200
    manager.post(url_of(account, "pause"), {"reason": "Stock-taking <b>"})
    account.refresh_from_db()
    assert account.is_paused
    page = text_of(manager, url_of(account))
    assert "by manager" in page
    assert "Stock-taking &lt;b&gt;" in page
    manager.post(url_of(account, "resume"))
    account.refresh_from_db()
    assert not account.is_paused
    assert [log_text(entry) for entry in LogEntry.objects.order_by("pk")] == [
        "Paused",
        "Resumed",
    ]


def test_repeated_pause_or_resume_changes_nothing(account: Account, manager: Browser) -> None:
    manager.post(url_of(account, "pause"), {"reason": "first"})
    manager.post(url_of(account, "pause"), {"reason": "second"})
    account.refresh_from_db()
    assert account.pause_words == "first"
    manager.post(url_of(account, "resume"))
    manager.post(url_of(account, "resume"))
    assert LogEntry.objects.count() == 2


def test_paused_account_shows_the_reason_and_the_next_step(manager: Browser) -> None:
    account = make_account("haosms")
    accounts.pause(account, "no_balance", "余额不足 <script>alert(1)</script>")
    page = text_of(manager, url_of(account))
    assert "Insufficient balance." in page
    assert "Top up" in page
    assert "余额不足 &lt;script&gt;" in page
    assert "Check and resume" in page


@pytest.mark.parametrize(
    ("role", "reason", "kind"),
    [
        ("operator", BY_HAND, "balance"),
        ("operator", "credentials", "check"),
        ("manager", BY_HAND, "check"),
    ],
)
def test_check_ends_a_pause_by_hand_only_with_permission(
    role: str, reason: str, kind: str, account: Account
) -> None:
    accounts.pause(account, reason, "words", make_user())
    browser = browser_of(member(role))
    page = text_of(browser, url_of(account))
    assert ("Check and resume" in page) == (kind == "check")
    browser.post(url_of(account, "check"))
    assert account.enquiries.get().kind == kind


def test_saving_the_form_does_not_end_a_pause_by_hand(account: Account, manager: Browser) -> None:
    accounts.pause(account, BY_HAND, "words", make_user())
    manager.post(url_of(account), stored_form_data(account, per_second="7"))
    assert account.enquiries.get().kind == "balance"


def displayed_state(browser: Browser) -> str:
    page = text_of(browser, LIST)
    words = ("Active", "Paused", "Rate limited", "Low balance", "Not checked")
    return next(word for word in words if f"<span>{word}</span>" in page)


def test_list_shows_the_most_important_state(manager: Browser) -> None:
    account = make_account("gosms", low_balance=Decimal(100))
    assert displayed_state(manager) == "Not checked"
    make_reading(account, available=Decimal(500))
    assert displayed_state(manager) == "Active"
    make_reading(account, available=Decimal("99.99"))
    assert displayed_state(manager) == "Low balance"
    Allowance.objects.update(slow_until=timezone.now().timestamp() + 60)
    assert displayed_state(manager) == "Rate limited"
    accounts.pause(account, "credentials")
    assert displayed_state(manager) == "Paused"


def test_uncheckable_account_is_active_after_a_successful_call(
    manager: Browser,
) -> None:
    account = make_account("otpservice")
    assert displayed_state(manager) == "Not checked"
    ApiCall.objects.create(
        account=account,
        operation="start_code",
        started_at=timezone.now(),
        duration=0.1,
        method="GET",
        url="https://example.com",
        outcome="done",
    )
    assert displayed_state(manager) == "Active"


def test_empty_list_offers_to_add_an_account_to_permitted_staff(manager: Browser) -> None:
    title = "No accounts yet. An account is your login with a provider."
    page = text_of(manager, LIST)
    assert title in page
    assert "Add account" in page
    assert "Add account" not in text_of(browser_of(member("viewer")), LIST)


def test_list_needs_a_constant_number_of_queries(manager: Browser) -> None:
    make_reading(make_account("gosms"))
    manager.get(LIST)
    with CaptureQueriesContext(connection) as one:
        manager.get(LIST)
    for _ in range(20):
        make_reading(make_account("gosms"))
    with CaptureQueriesContext(connection) as many:
        manager.get(LIST)
    assert len(many) == len(one)


# --- figures and secrets -------------------------------------------------------


def test_last_twenty_readings_are_shown_as_stated(account: Account, manager: Browser) -> None:
    for minutes in range(25):
        make_reading(
            account, minutes, available=Decimal(1000) + minutes, credit_limit=Decimal(5000)
        )
    page = text_of(manager, url_of(account))
    assert "5,000.00" in page
    assert "1,019.00" in page
    assert "1,020.00" not in page
    assert "¥" not in page


def test_page_suggests_replacing_old_secrets(account: Account, manager: Browser) -> None:
    account.credentials.update(saved_at=timezone.now() - timedelta(days=200))
    page = text_of(manager, url_of(account))
    assert "200 days ago" in page
    assert "Due for replacement" in page


def test_undecryptable_secret_breaks_neither_list_nor_page(
    account: Account, manager: Browser, settings: Any
) -> None:
    settings.SECRETS_KEYS = [Fernet.generate_key().decode()]
    assert account.name in text_of(manager, LIST)
    assert "cannot be decrypted" in text_of(manager, url_of(account))
    answer = manager.post(url_of(account), stored_form_data(account, secret_api_key="ch_new"))
    assert answer.status_code == 302
