"""The pages of accounts: who may do what, what stands there, and what never does."""

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
from django_q.models import OrmQ

from providers import accounts, enquiries
from providers.engine.leases import TIME_TO_LIVE
from providers.models import Account, Allowance, ApiCall, BalanceReading, Enquiry, Lease
from tests.builders import make_account, make_user
from tests.smsportal.people import browser_of, member

from .account_forms import CANARY, PROVIDERS, add_url, typed, typed_again, url_of

pytestmark = pytest.mark.django_db
LIST = reverse("admin:providers_account_changelist")
ROLES = ("viewer", "operator", "manager", "auditor")


@pytest.fixture
def account() -> Account:
    return make_account("gosms", name="GoSMS main", low_balance=Decimal(1000))


@pytest.fixture
def manager() -> Browser:
    return browser_of(member("manager"))


def read(account: Account, minutes: int = 0, **fields: Any) -> BalanceReading:
    stated = {"balance": Decimal("950.5"), "available": Decimal("938"), "is_active": True}
    at = timezone.now() - timedelta(minutes=minutes)
    return BalanceReading.objects.create(account=account, read_at=at, **{**stated, **fields})


def text_of(browser: Browser, url: str) -> str:
    answer = browser.get(url)
    assert answer.status_code == 200
    return answer.content.decode()


# --- who may do what ---------------------------------------------------------

GET_PAGES = {
    "changelist": {"viewer": 200, "operator": 200, "manager": 200, "auditor": 200, "nobody": 403},
    "change": {"viewer": 200, "operator": 200, "manager": 200, "auditor": 200, "nobody": 403},
    "add": {"viewer": 403, "operator": 403, "manager": 200, "auditor": 403, "nobody": 403},
    "pause": {"viewer": 403, "operator": 403, "manager": 200, "auditor": 403, "nobody": 403},
    "checked": {"viewer": 200, "operator": 200, "manager": 200, "auditor": 200, "nobody": 403},
    "check": {"viewer": 403, "operator": 405, "manager": 405, "auditor": 403, "nobody": 403},
    "resume": {"viewer": 403, "operator": 403, "manager": 405, "auditor": 403, "nobody": 403},
}
POST_PAGES = {
    "change": {"viewer": 403, "operator": 403, "manager": 200, "auditor": 403, "nobody": 403},
    "add": {"viewer": 403, "operator": 403, "manager": 302, "auditor": 403, "nobody": 403},
    "check": {"viewer": 403, "operator": 302, "manager": 302, "auditor": 403, "nobody": 403},
    "pause": {"viewer": 403, "operator": 403, "manager": 200, "auditor": 403, "nobody": 403},
    "resume": {"viewer": 403, "operator": 403, "manager": 302, "auditor": 403, "nobody": 403},
}


def address(page: str, account: Account) -> str:
    if page in ("changelist", "add"):
        return reverse(f"admin:providers_account_{page}")
    return url_of(account, page)


@pytest.mark.parametrize("page", GET_PAGES)
@pytest.mark.parametrize("role", [*ROLES, "nobody"])
def test_each_role_opens_what_it_may(page: str, role: str, account: Account) -> None:
    browser = browser_of(member(*([role] if role != "nobody" else [])))
    assert browser.get(address(page, account)).status_code == GET_PAGES[page][role]


@pytest.mark.parametrize("page", POST_PAGES)
@pytest.mark.parametrize("role", [*ROLES, "nobody"])
def test_each_role_does_what_it_may(page: str, role: str, account: Account) -> None:
    accounts.pause(account, "credentials")
    browser = browser_of(member(*([role] if role != "nobody" else [])))
    assert browser.post(address(page, account)).status_code == POST_PAGES[page][role]
    account.refresh_from_db()
    may_resume = POST_PAGES[page][role] == 302 and page == "resume"
    assert account.is_paused != may_resume
    asked = POST_PAGES[page][role] == 302 and page == "check"
    assert account.enquiries.exists() == asked


@pytest.mark.parametrize("page", GET_PAGES)
def test_whoever_is_signed_out_sees_nothing(page: str, account: Account, client: Browser) -> None:
    answer = client.get(address(page, account))
    assert answer.status_code in (302, 401)
    assert account.name not in answer.content.decode()


@pytest.mark.parametrize("page", ["change", "add", "check", "pause", "resume"])
def test_a_post_without_its_token_does_nothing(page: str, account: Account) -> None:
    browser = Browser(enforce_csrf_checks=True)
    browser.force_login(member("manager"))
    assert browser.post(address(page, account)).status_code == 403


def test_nobody_deletes_an_account(account: Account) -> None:
    boss = browser_of(member(superuser=True))
    url = reverse("admin:providers_account_delete", args=[account.public_id])
    assert boss.get(url).status_code == 403
    assert boss.post(url, {"post": "yes"}).status_code == 403
    assert Account.objects.filter(pk=account.pk).exists()


def test_an_unknown_or_odd_id_is_not_found(manager: Browser) -> None:
    for odd in ("nosuch", "1", "%00", "_5F", "a" * 500):
        assert manager.get(f"{LIST}{odd}/change/").status_code == 404
        assert manager.post(f"{LIST}{odd}/check/").status_code == 404


def test_without_the_right_to_change_there_is_no_form_no_secret_and_no_callback_address(
    settings: Any,
) -> None:
    settings.PUBLIC_ADDRESS = "https://sms.example.com"
    account = make_account("haorui")
    callback = accounts.callback_url(account)
    assert callback is not None
    page = text_of(browser_of(member("operator")), url_of(account))
    assert "secret_api" not in page
    assert "leave empty to keep" not in page
    assert callback.reveal() not in page
    assert callback.reveal() in text_of(browser_of(member("manager")), url_of(account))


def test_a_missing_public_address_is_named(settings: Any, manager: Browser) -> None:
    settings.PUBLIC_ADDRESS = ""
    settings.OUTGOING_ADDRESSES = []
    page = text_of(manager, url_of(make_account("haorui")))
    assert "PUBLIC_ADDRESS" in page
    assert "OUTGOING_ADDRESSES" in page


def test_the_addresses_for_the_providers_allow_list_can_be_copied(
    settings: Any, manager: Browser
) -> None:
    settings.OUTGOING_ADDRESSES = ["203.0.113.7"]
    assert 'data-copy="203.0.113.7"' in text_of(manager, add_url("haorui"))


# --- adding and changing -----------------------------------------------------


def test_the_first_step_offers_every_client_with_its_job(manager: Browser) -> None:
    page = text_of(manager, reverse("admin:providers_account_add"))
    for provider in PROVIDERS:
        assert f"?provider={provider}" in page


def test_an_unknown_provider_leads_back_to_the_choice(manager: Browser) -> None:
    assert "?provider=haosms" in text_of(manager, add_url("<script>"))
    assert manager.post(add_url("nosuch"), {}).status_code == 302


@pytest.mark.parametrize("provider", PROVIDERS)
def test_saving_checks_the_connection_and_leads_to_the_account(
    provider: str, manager: Browser
) -> None:
    answer = manager.post(add_url(provider), typed(provider), follow=True)
    account = Account.objects.get()
    assert answer.redirect_chain[0][0] == url_of(account)
    enquiry = account.enquiries.get()
    assert enquiry.kind == Enquiry.Kind.CHECK
    assert (enquiry.state == Enquiry.State.QUEUED) == enquiries.can_be_asked(account.client)
    assert CANARY not in answer.content.decode()


def test_a_warning_about_a_secret_follows_the_saving(manager: Browser) -> None:
    answer = manager.post(add_url("gosms"), typed("gosms", secret_api_key="sk_x"), follow=True)
    assert "usually begins with ch_" in answer.content.decode()


def test_a_failed_form_keeps_what_was_typed_and_says_where_the_problem_is(
    manager: Browser,
) -> None:
    answer = manager.post(add_url("haorui"), typed("haorui", base_url="ftp://x"))
    page = answer.content.decode()
    assert "Error: Add account" in page
    assert 'href="#id_base_url"' in page
    assert 'value="haorui main"' in page
    assert CANARY not in page
    assert "Enter this again" in page


def test_the_provider_of_an_account_stays(account: Account, manager: Browser) -> None:
    data = {**typed_again(account, name="renamed"), "provider": "haorui"}
    manager.post(f"{url_of(account)}?provider=haorui", data)
    account.refresh_from_db()
    assert (account.provider, account.name) == ("gosms", "renamed")


def test_an_account_whose_client_is_gone_can_still_be_opened(
    account: Account, manager: Browser
) -> None:
    Account.objects.filter(pk=account.pk).update(provider="retired")
    assert "no client for “retired”" in text_of(manager, url_of(account))
    assert manager.post(url_of(account), typed("gosms")).status_code == 302
    assert "retired" in text_of(manager, LIST)


def test_the_log_names_what_was_changed(account: Account, manager: Browser) -> None:
    changes = {"secret_api_key": "ch_new", "per_second": "7", "option_exclusive_key": None}
    manager.post(url_of(account), typed_again(account, **changes))
    entry = LogEntry.objects.get()
    assert entry.get_change_message() == "Changed Calls a second and API key."


# --- state, pausing and resuming ----------------------------------------------


def test_pausing_takes_a_reason_and_resuming_ends_it(account: Account, manager: Browser) -> None:
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
    assert [entry.change_message for entry in LogEntry.objects.order_by("pk")] == [
        "Paused",
        "Resumed",
    ]


def test_doing_it_twice_says_that_it_was_done(account: Account, manager: Browser) -> None:
    manager.post(url_of(account, "pause"), {"reason": "first"})
    manager.post(url_of(account, "pause"), {"reason": "second"})
    account.refresh_from_db()
    assert account.pause_words == "first"
    manager.post(url_of(account, "resume"))
    manager.post(url_of(account, "resume"))
    assert LogEntry.objects.count() == 2


def test_why_an_account_is_paused_is_said_in_words_with_the_next_step(manager: Browser) -> None:
    account = make_account("haosms")
    accounts.pause(account, "no_balance", "余额不足 <script>alert(1)</script>")
    page = text_of(manager, url_of(account))
    assert "The account has no balance." in page
    assert "Top up" in page
    assert "余额不足 &lt;script&gt;" in page
    assert "Check and resume" in page


def state_shown(browser: Browser) -> str:
    page = text_of(browser, LIST)
    words = ("Active", "Paused", "Slowed down", "Low balance", "Not checked")
    return next(word for word in words if f"<span>{word}</span>" in page)


def test_the_list_shows_the_one_state_that_matters_most(manager: Browser) -> None:
    account = make_account("gosms", low_balance=Decimal(100))
    assert state_shown(manager) == "Not checked"
    read(account, available=Decimal(500))
    assert state_shown(manager) == "Active"
    read(account, available=Decimal("99.99"))
    assert state_shown(manager) == "Low balance"
    Allowance.objects.update(slow_until=timezone.now().timestamp() + 60)
    assert state_shown(manager) == "Slowed down"
    accounts.pause(account, "credentials")
    assert state_shown(manager) == "Paused"


def test_an_account_that_cannot_be_checked_is_active_once_a_call_went_well(
    manager: Browser,
) -> None:
    account = make_account("otpservice")
    assert state_shown(manager) == "Not checked"
    ApiCall.objects.create(
        account=account,
        operation="start_code",
        started_at=timezone.now(),
        duration=0.1,
        method="GET",
        url="https://example.com",
        outcome="done",
    )
    assert state_shown(manager) == "Active"


def test_the_first_day_leads_to_adding_an_account_for_those_who_may(manager: Browser) -> None:
    title = "No accounts yet. An account is your login with a provider."
    page = text_of(manager, LIST)
    assert title in page
    assert "Add account" in page
    assert "Add account" not in text_of(browser_of(member("viewer")), LIST)


def test_the_list_asks_as_many_queries_for_many_accounts_as_for_one(manager: Browser) -> None:
    read(make_account("gosms"))
    manager.get(LIST)
    with CaptureQueriesContext(connection) as one:
        manager.get(LIST)
    for _ in range(20):
        read(make_account("gosms"))
    with CaptureQueriesContext(connection) as many:
        manager.get(LIST)
    assert len(many) == len(one)


# --- checking ----------------------------------------------------------------


def living_engine() -> None:
    from providers.clock import database_now

    Lease.objects.update(holder="a" * 32, expires_at=database_now() + TIME_TO_LIVE)


def test_a_check_is_put_to_the_queue_and_asks_no_provider(
    account: Account, manager: Browser
) -> None:
    answer = manager.post(url_of(account, "check"), headers={"hx-request": "true"})
    page = answer.content.decode()
    assert "The queue does not run" in page
    assert "every 2s" in page
    assert account.enquiries.get().state == Enquiry.State.QUEUED
    assert OrmQ.objects.count() == 1
    assert not ApiCall.objects.exists()


def test_asking_twice_asks_once(account: Account, manager: Browser) -> None:
    for _ in range(3):
        manager.post(url_of(account, "check"))
    assert account.enquiries.count() == 1


def test_while_the_engine_works_the_page_says_that_it_asks(
    account: Account, manager: Browser
) -> None:
    living_engine()
    manager.post(url_of(account, "check"))
    assert "Asking GoSMS" in text_of(manager, url_of(account, "checked"))


def test_after_the_first_minute_the_page_asks_less_often(
    account: Account, manager: Browser
) -> None:
    manager.post(url_of(account, "check"))
    account.enquiries.update(asked_at=timezone.now() - timedelta(seconds=61))
    assert "every 5s" in text_of(manager, url_of(account, "checked"))


def ended(account: Account, **fields: Any) -> None:
    by = make_user()
    Enquiry.objects.create(
        account=account, kind="check", asked_by=by, ended_at=timezone.now(), **fields
    )


def test_a_check_that_went_well_says_so_stops_asking_and_brings_the_figures(
    account: Account, manager: Browser
) -> None:
    ended(account, state="answered", reading=read(account))
    page = text_of(manager, url_of(account, "checked"))
    assert "Connection works. Available 938.00, account active." in page
    assert "hx-get" not in page
    assert 'id="account-figures" hx-swap-oob' in page


@pytest.mark.parametrize(
    ("reading", "says"),
    [
        ({"is_active": None}, "Connection works. Available 938.00."),
        ({"is_active": False}, "the provider calls the account inactive"),
        ({"available": None, "balance": None}, "Connection works."),
    ],
)
def test_a_check_says_what_the_provider_stated_and_no_more(
    account: Account, manager: Browser, reading: dict[str, Any], says: str
) -> None:
    ended(account, state="answered", reading=read(account, **reading))
    assert says in text_of(manager, url_of(account, "checked"))


def test_a_failed_check_gives_reason_next_step_and_the_providers_own_words(
    account: Account, manager: Browser
) -> None:
    ended(account, state="failed", reason="credentials", words="<b>密钥</b> \u202eevil")
    page = text_of(manager, url_of(account, "checked"))
    assert "The provider did not accept the login." in page
    assert "Replace the key, then check the connection." in page
    assert "&lt;b&gt;密钥&lt;/b&gt;" in page
    assert 'dir="auto"' in page
    assert "may have been spent" not in page


@pytest.mark.parametrize("provider", [p for p in PROVIDERS if p in ("haorui", "otpservice")])
def test_where_nothing_can_be_checked_it_says_so_at_once(provider: str, manager: Browser) -> None:
    account = make_account(provider)
    accounts.pause(account, "credentials")
    page = manager.post(url_of(account, "check"), headers={"hx-request": "true"}).content.decode()
    assert "has nothing that can be checked without sending" in page
    assert "hx-get" not in page
    account.refresh_from_db()
    assert account.is_paused


def test_a_signed_out_page_is_told_so_instead_of_getting_a_sign_in_form(
    account: Account, client: Browser
) -> None:
    answer = client.get(url_of(account, "checked"))
    assert answer.status_code == 401
    assert "<form" not in answer.content.decode()


# --- figures and secrets -------------------------------------------------------


def test_the_last_twenty_readings_are_shown_as_stated(account: Account, manager: Browser) -> None:
    for minutes in range(25):
        read(account, minutes, available=Decimal(1000) + minutes, credit_limit=Decimal(5000))
    page = text_of(manager, url_of(account))
    assert "5,000.00" in page
    assert "1,019.00" in page
    assert "1,020.00" not in page
    assert "¥" not in page


def test_old_secrets_are_to_be_replaced(account: Account, manager: Browser) -> None:
    account.credentials.update(saved_at=timezone.now() - timedelta(days=200))
    page = text_of(manager, url_of(account))
    assert "200 days ago" in page
    assert "Time to replace it" in page


def test_a_secret_that_no_key_reads_breaks_neither_list_nor_page(
    account: Account, manager: Browser, settings: Any
) -> None:
    settings.SECRETS_KEYS = [Fernet.generate_key().decode()]
    assert account.name in text_of(manager, LIST)
    assert "cannot be decrypted" in text_of(manager, url_of(account))
    answer = manager.post(url_of(account), typed_again(account, secret_api_key="ch_new"))
    assert answer.status_code == 302


@pytest.mark.parametrize(
    "search", ["%", "_", "\\", "x" * 10_000, "a\x00b", "' OR 1=1 --", " ".join("abc" * 20)]
)
def test_nasty_searches_find_nothing_and_break_nothing(search: str, manager: Browser) -> None:
    make_account("gosms")
    assert manager.get(LIST, {"q": search}).status_code in (200, 302)


@pytest.mark.parametrize("query", ["p=99999", "p=-1", "p=x", "o=99.-99", "e=1", "all=", "nosuch=1"])
def test_odd_addresses_of_the_list_break_nothing(query: str, manager: Browser) -> None:
    assert manager.get(f"{LIST}?{query}").status_code in (200, 302)
