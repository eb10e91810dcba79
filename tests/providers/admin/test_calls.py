"""The journal of API calls: permissions, search, filters, pages and pruning."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client as Browser
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone, translation

from core import pruning
from providers import journal
from providers.admin.calls import mark_hidden_parts
from providers.models import Account, ApiCall
from tests.factories.accounts import make_account
from tests.factories.staff import make_user
from tests.support.signed_in import browser_of, member

pytestmark = pytest.mark.django_db
LIST = reverse("admin:providers_apicall_changelist")
PERMITTED_ROLES = ("manager", "auditor")


@pytest.fixture
def account() -> Account:
    return make_account("haorui", name="HAORUI main")


@pytest.fixture
def auditor() -> Browser:
    return browser_of(member("auditor"))


def make_call(account: Account, **fields: Any) -> ApiCall:
    return ApiCall.objects.create(
        **{
            "account": account,
            "operation": "send_text",
            "subject": "",
            "started_at": timezone.now(),
            "duration": 0.7,
            "method": "POST",
            "url": "https://api.example.com/api/SendSMS",
            "http_status": 200,
            "outcome": "done",
            "request_body": '{"uid": "u1"}',
            "answer_body": '{"status": "S"}',
            **fields,
        }
    )


def page_of(call: ApiCall) -> str:
    return reverse("admin:providers_apicall_change", args=[call.pk])


def find(browser: Browser, **query: Any) -> set[int]:
    answer = browser.get(LIST, query)
    assert answer.status_code == 200
    return {row.pk for row in answer.context["cl"].result_list}


# --- permissions -------------------------------------------------------------


@pytest.mark.parametrize("role", ["viewer", "operator", "manager", "auditor"])
def test_journal_requires_its_permission(role: str, account: Account) -> None:
    browser = browser_of(member(role))
    expected = 200 if role in PERMITTED_ROLES else 403
    assert browser.get(LIST).status_code == expected
    assert browser.get(page_of(make_call(account))).status_code == expected


def test_calls_cannot_be_added_changed_or_deleted(account: Account) -> None:
    superuser = browser_of(member(superuser=True))
    call = make_call(account)
    assert superuser.post(page_of(call), {"outcome": "done"}).status_code == 403
    assert superuser.get(reverse("admin:providers_apicall_add")).status_code in (403, 404)
    delete = reverse("admin:providers_apicall_delete", args=[call.pk])
    assert superuser.post(delete, {"post": "yes"}).status_code == 403
    action = {"action": "delete_selected", "_selected_action": [call.pk], "post": "yes"}
    superuser.post(LIST, action)
    assert ApiCall.objects.count() == 1


# --- the list ----------------------------------------------------------------


def test_search_finds_calls_by_subject_url_and_answer(account: Account, auditor: Browser) -> None:
    by_subject = make_call(account, subject="message:4711").pk
    by_url = make_call(account, url="https://other.example.net/send").pk
    by_words = make_call(account, answer_body='{"remarks": "余额不足"}').pk
    assert find(auditor, q="message:4711") == {by_subject}
    assert find(auditor, q="other.example.net") == {by_url}
    assert find(auditor, q="余额不足") == {by_words}


def test_filters_by_account_operation_outcome_and_status(
    account: Account, auditor: Browser
) -> None:
    other = make_account("gosms")
    first = make_call(account).pk
    second = make_call(other, operation="place_order", outcome="unknown", http_status=None).pk
    third = make_call(other, operation="fetch_balance", outcome="refused", http_status=429).pk
    assert find(auditor, account=account.public_id) == {first}
    assert find(auditor, operation="place_order") == {second}
    assert find(auditor, operation=["place_order", "send_text"]) == {first, second}
    assert find(auditor, outcome=["unknown", "refused"]) == {second, third}
    assert find(auditor, status="none") == {second}
    assert find(auditor, status="4") == {third}
    assert find(auditor, status="429") == {third}
    assert find(auditor, status="2", account=other.public_id) == set()


def test_filter_of_sending_a_code_covers_both_operations(
    account: Account, auditor: Browser
) -> None:
    both = {
        make_call(account, operation="send_code").pk,
        make_call(account, operation="start_code").pk,
    }
    assert find(auditor, operation="send_code") == both


def test_time_filter_uses_local_time(account: Account, auditor: Browser) -> None:
    young = make_call(account).pk
    old = make_call(account, started_at=timezone.now() - timedelta(days=3)).pk
    day = f"{timezone.localtime() - timedelta(days=1):%Y-%m-%d}"
    assert find(auditor, started_at_from_0=day, started_at_from_1="00:00:00") == {young}
    assert find(auditor, started_at_to_0=day, started_at_to_1="00:00:00") == {old}
    assert find(auditor, started_at_to_0=day) == {old}


@pytest.mark.parametrize(
    "query",
    [
        {"q": "x" * 10_000},
        {"q": "%_\\"},
        {"q": "a\x00b"},
        {"q": "'; DROP TABLE providers_apicall; --"},
        {"q": " ".join("word" for _ in range(500))},
        {"q": "\u202e"},
        {"p": "999999"},
        {"p": "-1"},
        {"p": "x"},
        {"o": "99"},
        {"o": "nosuch"},
        {"account": "nosuch\u0000"},
        {"account": "' OR 1=1"},
        {"operation": "nosuch"},
        {"outcome": ["nosuch", ""]},
        {"status": "nosuch"},
        {"started_at_from_0": "garbage", "started_at_from_1": "25:99"},
        {"started_at_from_0": "9999-12-31", "started_at_from_1": "23:59:59"},
        {"started_at_from_0": "0001-01-01", "started_at_from_1": "00:00:00"},
        {"started_at_to_0": "2025-13-45"},
        {"account__name__startswith": "H"},
        {"request_body__contains": "u1"},
        {"nosuch": "1"},
    ],
)
def test_hostile_query_causes_no_error(
    query: dict[str, Any], account: Account, auditor: Browser
) -> None:
    make_call(account)
    assert auditor.get(LIST, query).status_code in (200, 302)


def test_list_needs_a_constant_number_of_queries(account: Account, auditor: Browser) -> None:
    make_call(account)
    auditor.get(LIST)
    with CaptureQueriesContext(connection) as one:
        auditor.get(LIST)
    for number in range(30):
        make_call(make_account("gosms"), subject=f"nobody:{number}")
    with CaptureQueriesContext(connection) as many:
        auditor.get(LIST)
    assert len(many) == len(one)
    assert not any("request_body" in query["sql"] for query in many)


def test_resolved_subject_of_a_call_is_a_link(
    account: Account, auditor: Browser, monkeypatch: Any
) -> None:
    monkeypatch.setattr(journal, "_resolvers", {})
    journal.register_subject_resolver(
        "parcel", lambda ids: {one: (f"<{one}>", "/parcel/7/") for one in ids}
    )
    make_call(account, subject="parcel:7")
    make_call(account, subject="stranger:9")
    page = auditor.get(LIST).content.decode()
    assert '<a tabindex="-1" href="/parcel/7/">&lt;7&gt;</a>' in page
    assert "stranger:9" in page


# --- one call ----------------------------------------------------------------


def test_page_explains_the_outcome_and_escapes_the_bodies(
    account: Account, auditor: Browser
) -> None:
    call = make_call(
        account,
        outcome="unknown",
        http_status=None,
        reason="timed_out",
        answer_body="<script>alert(1)</script>\x1b",
    )
    page = auditor.get(page_of(call)).content.decode()
    assert "No answer was received in time." in page
    assert "This may have been charged" in page
    assert "&lt;script&gt;alert(1)" in page
    assert "<script>alert(1)" not in page
    assert "␛" in page
    assert "none: no answer" in page


def test_page_of_a_free_call_does_not_mention_money(account: Account, auditor: Browser) -> None:
    call = make_call(account, operation="fetch_balance", outcome="unknown", reason="timed_out")
    page = auditor.get(page_of(call)).content.decode()
    assert "No answer was received in time." in page
    assert "Money" not in page


def test_only_redacted_parts_are_marked(account: Account, auditor: Browser) -> None:
    assert mark_hidden_parts("a=[hidden]&b=<i>") == (
        'a=<span class="chip">hidden</span>&amp;b=&lt;i&gt;'
    )
    call = make_call(account, request_body='{"api_password": "[hidden]"}')
    with translation.override("zh-hans"):
        assert "[hidden]" not in mark_hidden_parts(call.request_body)
    page = auditor.get(page_of(call)).content.decode()
    assert "Secrets and codes are always hidden here." in page


def test_account_is_a_link_only_with_permission_to_view_it(account: Account) -> None:
    only_calls = browser_of(make_user("providers.view_apicall"))
    page = only_calls.get(page_of(make_call(account))).content.decode()
    assert account.name in page
    assert account.public_id not in page


@pytest.mark.parametrize("odd", ["0", "x", "99999999999999999999", "1'", "%00"])
def test_unknown_call_is_not_found(odd: str, auditor: Browser) -> None:
    assert auditor.get(f"{LIST}{odd}/change/").status_code == 404


# --- pruning -----------------------------------------------------------------


def test_only_calls_beyond_the_retention_are_pruned(account: Account, settings: Any) -> None:
    settings.JOURNAL_DAYS = 30
    kept = make_call(account, started_at=timezone.now() - timedelta(days=29))
    for _ in range(3):
        make_call(account, started_at=timezone.now() - timedelta(days=31))
    assert journal.prune() == 3
    assert list(ApiCall.objects.all()) == [kept]
    assert journal.prune() == 0


def test_pruning_deletes_more_than_one_chunk(account: Account, monkeypatch: Any) -> None:
    monkeypatch.setattr(pruning, "CHUNK", 2)
    for _ in range(5):
        make_call(account, started_at=timezone.now() - timedelta(days=1000))
    assert journal.prune() == 5
