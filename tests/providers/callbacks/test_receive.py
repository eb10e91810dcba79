"""What the callback address answers, and what it keeps."""

from __future__ import annotations

import json
from io import BytesIO
from typing import Any
from unittest.mock import patch

import pytest
from django.db import OperationalError
from django.test import Client, RequestFactory
from pytest_django import Settings

from providers import accounts
from providers.callbacks import receive, wake
from providers.callbacks.tokens import WrongTokens
from providers.models import Account, Callback
from tests.factories.accounts import make_account

from .pushes import only_callback, push_get, push_json, token_of

pytestmark = pytest.mark.django_db

REPORT = {"uid": "a" * 32, "message_id": "26471304", "DLRStatus": "Delivered"}


@pytest.fixture
def account() -> Account:
    return make_account("haorui")


def test_a_callback_is_stored_as_it_came_and_answered_with_ok(account: Account) -> None:
    answer = push_json(account, REPORT, REMOTE_ADDR="203.0.113.7")
    row = only_callback()
    assert (answer.status_code, answer.content) == (200, b"OK")
    assert (row.account_id, row.method, row.query) == (account.pk, "POST", "")
    assert json.loads(bytes(row.body)) == REPORT
    assert (row.content_type, row.sender, row.state) == (
        "application/json",
        "203.0.113.7",
        "received",
    )


def test_the_query_is_kept_undecoded() -> None:
    push_get(make_account("otpservice"), "STATUS=SUCCESS&MSG=%ff%00%E4%BD&TYPE=0")
    assert only_callback().query == "STATUS=SUCCESS&MSG=%ff%00%E4%BD&TYPE=0"


def test_the_same_again_only_counts(account: Account) -> None:
    for _ in range(5):
        push_json(account, REPORT)
    assert only_callback().times == 5


def test_the_order_of_names_makes_no_other_callback(account: Account) -> None:
    push_json(account, REPORT)
    push_json(account, dict(reversed(REPORT.items())))
    assert only_callback().times == 2


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("STATUS=ERROR&STATUS=SUCCESS", "STATUS=SUCCESS&STATUS=ERROR"),
        ("STATUS=ERROR", "STATUS=SUCCESS"),
        ("MSG=", ""),
        ("MSG=%ff%fe", "MSG=%fe%ff"),
    ],
)
def test_what_says_something_else_is_another_callback(one: str, other: str) -> None:
    account = make_account("otpservice")
    push_get(account, one)
    push_get(account, other)
    assert Callback.objects.count() == 2


def test_the_same_bytes_of_another_kind_are_another_callback(account: Account) -> None:
    path = f"/callbacks/{token_of(account)}/"
    for kind in ("application/json", "application/x-www-form-urlencoded"):
        Client().generic("POST", path, b"uid=1&DLRStatus=Delivered", kind)
    assert Callback.objects.count() == 2


def test_two_accounts_do_not_share_a_row(account: Account) -> None:
    push_json(account, REPORT)
    push_json(make_account("haorui"), REPORT)
    assert [row.times for row in Callback.objects.all()] == [1, 1]


# --- who is let in -------------------------------------------------------------


@pytest.mark.parametrize("token", ["x" * 43, "short", "a%2Fb", "%ff", "../admin"])
def test_a_wrong_token_finds_nothing_and_leaves_nothing(account: Account, token: str) -> None:
    answer = push_json(account, REPORT, token=token)
    assert answer.status_code == 404
    assert not Callback.objects.exists()


def test_a_truncated_token_finds_nothing(account: Account) -> None:
    assert push_json(account, REPORT, token=token_of(account)[:-1]).status_code == 404


def test_a_wrong_token_answers_alike_whatever_the_method(account: Account) -> None:
    answers = {Client().generic(method, "/callbacks/nobody/") for method in ("GET", "POST", "PUT")}
    assert {(each.status_code, each.content) for each in answers} == {(404, b"Not found")}


def test_an_old_address_goes_on_working_beside_a_new_one(account: Account) -> None:
    old = token_of(account)
    accounts.new_callback_token(account)
    assert push_json(account, REPORT, token=old).status_code == 200
    assert push_json(account, REPORT).status_code == 200


def test_a_revoked_address_is_a_wrong_one(account: Account) -> None:
    account.callback_tokens.update(revoked_at="2026-01-01T00:00Z")
    accounts.callback_tokens_changed.send(Account)
    assert push_json(account, REPORT).status_code == 404


@pytest.mark.parametrize(("sender", "status"), [("198.51.100.7", 200), ("198.51.101.7", 404)])
def test_an_account_may_take_reports_from_its_networks_only(sender: str, status: int) -> None:
    account = make_account("haorui", callback_networks="198.51.100.0/24\n2001:db8::/32")
    assert push_json(account, REPORT, REMOTE_ADDR=sender).status_code == status


def test_a_forged_forwarding_header_opens_nothing() -> None:
    account = make_account("haorui", callback_networks="198.51.100.0/24")
    answer = push_json(account, REPORT, HTTP_X_FORWARDED_FOR="198.51.100.7")
    assert answer.status_code == 404


def test_a_trusted_proxy_is_believed(settings: Settings) -> None:
    settings.TRUSTED_PROXIES = ["127.0.0.0/8"]
    account = make_account("haorui", callback_networks="198.51.100.0/24")
    answer = push_json(account, REPORT, HTTP_X_FORWARDED_FOR="10.0.0.1, 198.51.100.7")
    assert answer.status_code == 200


def test_a_method_that_the_document_does_not_name_is_refused() -> None:
    answer = push_json(make_account("otpservice"), REPORT)
    assert (answer.status_code, answer["Allow"]) == (405, "GET")


def test_only_guesses_are_limited(account: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(receive, "wrong_tokens", WrongTokens())
    answers = [push_json(account, REPORT, token="guess").status_code for _ in range(61)]
    assert answers[-2:] == [404, 429]
    assert push_json(account, REPORT).status_code == 200


# --- odd requests ------------------------------------------------------------------


def test_what_is_too_large_is_refused(account: Account) -> None:
    assert push_json(account, "x" * receive.MAX_BODY).status_code == 413
    assert push_get(account, "x" * (receive.MAX_QUERY + 1)).status_code == 413
    assert not Callback.objects.exists()


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (b"\xff\xfe\x00", "application/json"),
        (b'{"uid": "\\ud800", "DLRStatus": "\\u0000"}', "application/json"),
        (b"[" * 100_000, "application/json"),
        (b'{"a":' * 600 + b"1" + b"}" * 600, "application/json"),
        (b"a[b]=c&a=%00", "application/x-www-form-urlencoded"),
        (b"--x\r\nnot a form", "multipart/form-data; boundary=x"),
        (b"", "text/plain\x00"),
    ],
)
def test_nothing_that_a_body_holds_is_a_fault(
    account: Account, body: bytes, content_type: str
) -> None:
    path = f"/callbacks/{token_of(account)}/"
    answer: Any = Client().generic("POST", path, body, content_type)
    assert answer.status_code == 200
    assert bytes(only_callback().body) == body


@pytest.mark.parametrize("slash", ["", "/"])
def test_the_slash_at_the_end_does_not_matter(account: Account, slash: str) -> None:
    answer = Client().post(f"/callbacks/{token_of(account)}{slash}", "{}", "application/json")
    assert answer.status_code == 200


def test_a_body_without_a_length_is_not_taken_for_empty(account: Account) -> None:
    request = RequestFactory().post("/", b"", "application/json")
    request.META.pop("CONTENT_LENGTH", None)
    request.META |= {"HTTP_TRANSFER_ENCODING": "chunked", "wsgi.input": BytesIO(b'{"uid": "1"}')}
    assert receive.callback(request, token_of(account)).status_code == 200
    assert bytes(only_callback().body) == b'{"uid": "1"}'


# --- when the portal is in trouble -----------------------------------------------------


def test_a_database_that_is_away_asks_the_provider_to_come_again(account: Account) -> None:
    with patch.object(receive, "store", side_effect=OperationalError("gone")):
        answer = push_json(account, REPORT)
    assert (answer.status_code, answer["Retry-After"]) == (503, "30")


def test_a_callback_without_room_is_asked_to_come_again(
    account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(receive, "SLOT_TIMEOUT", 0.01)
    monkeypatch.setattr(receive, "_full_until", float("-inf"))
    taken = 0
    while receive._slots.acquire(blocking=False):
        taken += 1
    try:
        assert push_json(account, REPORT).status_code == 503
    finally:
        for _ in range(taken):
            receive._slots.release()


def test_nobody_waits_for_room_once_somebody_waited_in_vain(
    account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    waits: list[float | None] = []

    class NoFreeSlot:
        def acquire(self, blocking: bool = True, timeout: float | None = None) -> bool:
            waits.append(timeout)
            return False

    monkeypatch.setattr(receive, "_slots", NoFreeSlot())
    monkeypatch.setattr(receive, "_full_until", float("-inf"))
    assert [push_json(account, REPORT).status_code for _ in range(3)] == [503] * 3
    assert [wait for wait in waits if wait] == [receive.SLOT_TIMEOUT]


def test_a_body_that_breaks_off_is_refused_and_no_fault(account: Account) -> None:
    class Broken:
        def read(self, size: int) -> bytes:
            raise RuntimeError("a chunk without an end")

    request = RequestFactory().post("/", b"", "application/json")
    request.META.pop("CONTENT_LENGTH", None)
    request.META |= {"HTTP_TRANSFER_ENCODING": "chunked", "wsgi.input": Broken()}
    assert receive.callback(request, token_of(account)).status_code == 400


def test_many_callbacks_start_one_digest(account: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    kicks: list[str] = []
    monkeypatch.setattr(wake, "_woken_at", float("-inf"))
    monkeypatch.setattr(wake, "async_task", lambda task, **_: kicks.append(task))
    for number in range(20):
        push_json(account, {**REPORT, "message_id": number})
    assert kicks == ["providers.tasks.digest_callbacks"]
