"""Pages of accounts: permissions, adding, changing, malformed requests."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.test import Client as Browser
from django.urls import reverse

from core.admin.history import log_text
from providers import account_checks, accounts
from providers.models import Account, Enquiry
from tests.factories.accounts import make_account
from tests.support.signed_in import browser_of, member

from .account_form_data import CANARY, PROVIDERS, add_url, form_data, stored_form_data, url_of
from .account_pages import text_of

pytestmark = pytest.mark.django_db
LIST = reverse("admin:providers_account_changelist")
ROLES = ("viewer", "operator", "manager", "auditor")


# --- permissions -------------------------------------------------------------

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


def url_for(page: str, account: Account) -> str:
    if page in ("changelist", "add"):
        return reverse(f"admin:providers_account_{page}")
    return url_of(account, page)


@pytest.mark.parametrize("role", [*ROLES, "nobody"])
def test_each_role_can_open_only_its_pages(role: str, account: Account) -> None:
    browser = browser_of(member(*([role] if role != "nobody" else [])))
    statuses = {page: browser.get(url_for(page, account)).status_code for page in GET_PAGES}
    assert statuses == {page: allowed[role] for page, allowed in GET_PAGES.items()}


@pytest.mark.parametrize("page", POST_PAGES)
@pytest.mark.parametrize("role", [*ROLES, "nobody"])
def test_each_role_can_perform_only_its_actions(page: str, role: str, account: Account) -> None:
    accounts.pause(account, "credentials")
    browser = browser_of(member(*([role] if role != "nobody" else [])))
    assert browser.post(url_for(page, account)).status_code == POST_PAGES[page][role]
    account.refresh_from_db()
    may_resume = POST_PAGES[page][role] == 302 and page == "resume"
    assert account.is_paused != may_resume
    requested = POST_PAGES[page][role] == 302 and page == "check"
    assert account.enquiries.exists() == requested


@pytest.mark.parametrize("page", GET_PAGES)
def test_signed_out_visitor_sees_nothing(page: str, account: Account, client: Browser) -> None:
    answer = client.get(url_for(page, account))
    assert answer.status_code in (302, 401)
    assert account.name not in answer.content.decode()


@pytest.mark.parametrize("page", ["change", "add", "check", "pause", "resume"])
def test_post_without_a_csrf_token_is_refused(page: str, account: Account) -> None:
    browser = Browser(enforce_csrf_checks=True)
    browser.force_login(member("manager"))
    assert browser.post(url_for(page, account)).status_code == 403


def test_accounts_cannot_be_deleted(account: Account) -> None:
    superuser = browser_of(member(superuser=True))
    url = reverse("admin:providers_account_delete", args=[account.public_id])
    assert superuser.get(url).status_code == 403
    assert superuser.post(url, {"post": "yes"}).status_code == 403
    assert Account.objects.filter(pk=account.pk).exists()


def test_invalid_id_is_not_found(manager: Browser) -> None:
    for odd in ("nosuch", "1", "%00", "_5F", "a" * 500):
        assert manager.get(f"{LIST}{odd}/change/").status_code == 404
        assert manager.post(f"{LIST}{odd}/check/").status_code == 404


def test_page_without_change_permission_has_no_form_and_no_callback_address(
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


def test_missing_address_settings_are_named(settings: Any, manager: Browser) -> None:
    settings.PUBLIC_ADDRESS = ""
    settings.OUTGOING_ADDRESSES = []
    page = text_of(manager, url_of(make_account("haorui")))
    assert "PUBLIC_ADDRESS" in page
    assert "OUTGOING_ADDRESSES" in page


def test_outgoing_addresses_can_be_copied(settings: Any, manager: Browser) -> None:
    settings.OUTGOING_ADDRESSES = ["203.0.113.7"]
    assert 'data-copy="203.0.113.7"' in text_of(manager, add_url("haorui"))


# --- adding and changing -----------------------------------------------------


def test_first_step_offers_every_client(manager: Browser) -> None:
    page = text_of(manager, reverse("admin:providers_account_add"))
    for provider in PROVIDERS:
        assert f"?provider={provider}" in page


def test_unknown_provider_leads_back_to_the_choice(manager: Browser) -> None:
    assert "?provider=haosms" in text_of(manager, add_url("<script>"))
    assert manager.post(add_url("nosuch"), {}).status_code == 302


@pytest.mark.parametrize("provider", PROVIDERS)
def test_saving_requests_a_check_and_redirects_to_the_account(
    provider: str, manager: Browser
) -> None:
    answer = manager.post(add_url(provider), form_data(provider), follow=True)
    account = Account.objects.get()
    assert answer.redirect_chain[0][0] == url_of(account)
    enquiry = account.enquiries.get()
    assert enquiry.kind == Enquiry.Kind.CHECK
    assert (enquiry.state == Enquiry.State.QUEUED) == account_checks.is_checkable(account.client)
    assert CANARY not in answer.content.decode()


def test_warning_about_a_secret_is_shown_after_saving(manager: Browser) -> None:
    answer = manager.post(add_url("gosms"), form_data("gosms", secret_api_key="sk_x"), follow=True)
    assert "usually begins with ch_" in answer.content.decode()


def test_failed_form_keeps_the_input_and_links_the_error(
    manager: Browser,
) -> None:
    answer = manager.post(add_url("haorui"), form_data("haorui", base_url="ftp://x"))
    page = answer.content.decode()
    assert "Error: Add account" in page
    assert 'href="#id_base_url"' in page
    assert 'value="haorui main"' in page
    assert CANARY not in page
    assert "Enter this again" in page


def test_provider_of_an_account_cannot_change(account: Account, manager: Browser) -> None:
    data = {**stored_form_data(account, name="renamed"), "provider": "haorui"}
    manager.post(f"{url_of(account)}?provider=haorui", data)
    account.refresh_from_db()
    assert (account.provider, account.name) == ("gosms", "renamed")


def test_account_of_a_removed_client_can_be_opened(account: Account, manager: Browser) -> None:
    Account.objects.filter(pk=account.pk).update(provider="retired")
    assert "no longer supports “retired”" in text_of(manager, url_of(account))
    assert manager.post(url_of(account), form_data("gosms")).status_code == 302
    assert "retired" in text_of(manager, LIST)


def test_log_names_the_changed_fields(account: Account, manager: Browser) -> None:
    changes = {"secret_api_key": "ch_new", "per_second": "7", "option_exclusive_key": None}
    manager.post(url_of(account), stored_form_data(account, **changes))
    entry = LogEntry.objects.get()
    assert log_text(entry) == "Changed: Calls per second, API key"


# --- odd requests ----------------------------------------------------------


@pytest.mark.parametrize(
    "search", ["%", "_", "\\", "x" * 10_000, "a\x00b", "' OR 1=1 --", " ".join("abc" * 20)]
)
def test_hostile_search_causes_no_error(search: str, manager: Browser) -> None:
    make_account("gosms")
    assert manager.get(LIST, {"q": search}).status_code in (200, 302)


@pytest.mark.parametrize("query", ["p=99999", "p=-1", "p=x", "o=99.-99", "e=1", "all=", "nosuch=1"])
def test_malformed_query_of_the_list_causes_no_error(query: str, manager: Browser) -> None:
    assert manager.get(f"{LIST}?{query}").status_code in (200, 302)
