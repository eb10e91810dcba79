"""A provider's secret is stored only encrypted, in its own table."""

from __future__ import annotations

import logging
from io import StringIO
from typing import Any

import pytest
from auditlog.models import LogEntry as AuditEntry
from django.contrib.admin.models import LogEntry
from django.core.management import call_command
from django.db import connection
from django.test import Client as Browser
from django.urls import reverse

from core.admin.history import log_text
from providers import accounts
from providers.models import Account
from tests.support.signed_in import browser_of, member

from .admin.account_form_data import (
    CANARY,
    PROVIDERS,
    add_url,
    content_of_pages,
    form_data,
    stored_form_data,
    url_of,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def superuser() -> Browser:
    return browser_of(member(superuser=True))


@pytest.fixture
def log(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    caplog.set_level(logging.DEBUG)
    return caplog


def add(browser: Browser, provider: str) -> Account:
    assert browser.post(add_url(provider), form_data(provider)).status_code == 302
    return Account.objects.get()


def change(browser: Browser, account: Account, **changes: Any) -> None:
    secrets = {f"secret_{c.name}": f"{CANARY}-new" for c in account.credentials.all()}
    data = stored_form_data(account, **{**secrets, **changes})
    assert browser.post(url_of(account), data).status_code in (200, 302)


@pytest.mark.parametrize("provider", PROVIDERS)
def test_no_page_of_the_account_contains_a_secret(provider: str, superuser: Browser) -> None:
    account = add(superuser, provider)
    change(superuser, account, name="")
    change(superuser, account)
    pages = [url_of(account), url_of(account, "checked"), url_of(account, "pause")]
    lists = [reverse("admin:providers_account_changelist"), reverse("admin:index")]
    assert CANARY not in content_of_pages(superuser, *pages, *lists)


@pytest.mark.parametrize("provider", PROVIDERS)
def test_no_log_of_changes_contains_a_secret(
    provider: str, superuser: Browser, log: pytest.LogCaptureFixture
) -> None:
    account = add(superuser, provider)
    change(superuser, account, per_second="8")
    entries = LogEntry.objects.values_list("change_message", "object_repr")
    audited = AuditEntry.objects.values_list("changes", "object_repr", "additional_data")
    assert entries
    assert any("per_second" in str(row) for row in audited)
    assert CANARY not in str(list(entries)) + str(list(audited)) + log.text


@pytest.mark.parametrize("provider", PROVIDERS)
def test_log_names_every_replaced_secret(provider: str, superuser: Browser) -> None:
    account = add(superuser, provider)
    change(superuser, account)
    entry = LogEntry.objects.order_by("pk").last()
    assert entry is not None
    client = account.client
    assert client is not None
    assert all(field.label in log_text(entry) for field in client.credential_fields)


def test_database_dump_contains_no_secret_or_callback_address(
    superuser: Browser,
) -> None:
    account = add(superuser, "haorui")
    token = account.callback_tokens.get().value.reveal()
    out = StringIO()
    call_command("dumpdata", stdout=out)
    assert "encrypted:" in out.getvalue()
    assert CANARY not in out.getvalue()
    assert token not in out.getvalue()


def test_no_table_contains_a_secret_in_plain_text(superuser: Browser) -> None:
    account = add(superuser, "haorui")
    change(superuser, account)
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f'SELECT * FROM "{table}"')
            assert CANARY not in str(cursor.fetchall()), table


def test_printed_objects_do_not_show_secrets(superuser: Browser) -> None:
    account = add(superuser, "haorui")
    credentials = list(account.credentials.all())
    shown = [account, credentials, [vars(each) for each in credentials], vars(account)]
    shown += [accounts.login_of(account), accounts.callback_url(account)]
    assert CANARY not in "".join(repr(thing) + str(thing) for thing in shown)


def test_form_errors_do_not_repeat_a_secret(
    superuser: Browser, log: pytest.LogCaptureFixture
) -> None:
    data = form_data("gosms", secret_api_key=f"{CANARY}\x00", name="x" * 100, base_url="")
    answer = superuser.post(add_url("gosms"), data)
    assert answer.status_code == 200
    assert CANARY not in answer.content.decode() + log.text


def test_no_log_contains_a_callback_address(superuser: Browser) -> None:
    account = add(superuser, "haorui")
    token = account.callback_tokens.get().value.reveal()
    audited = list(AuditEntry.objects.values_list("changes", "object_repr"))
    assert token not in str(audited) + str(list(LogEntry.objects.values()))
