"""The callback address: what it stores and how it answers."""

from __future__ import annotations

import gzip
import json
from io import BytesIO
from typing import Any
from unittest.mock import patch

import pytest
from django.core.handlers.wsgi import WSGIRequest
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


def test_callback_is_stored_unchanged_and_answered_ok(account: Account) -> None:
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


def test_query_is_stored_undecoded() -> None:
    push_get(make_account("otpservice"), "STATUS=SUCCESS&MSG=%ff%00%E4%BD&TYPE=0")
    assert only_callback().query == "STATUS=SUCCESS&MSG=%ff%00%E4%BD&TYPE=0"


def test_repeated_callback_is_only_counted(account: Account) -> None:
    for _ in range(5):
        push_json(account, REPORT)
    assert only_callback().times == 5


def test_compressed_body_is_stored_as_its_content(account: Account) -> None:
    assert push_compressed(account, gzip.compress(json.dumps(REPORT).encode())) == 200
    assert json.loads(bytes(only_callback().body)) == REPORT


@pytest.mark.parametrize(
    "broken",
    [b"{}", gzip.compress(b"x" * 1000)[:-9], gzip.compress(b"x", mtime=0) * 2, b""],
    ids=["not compressed", "cut off", "with more behind it", "empty"],
)
def test_broken_compressed_body_is_stored_as_it_came(account: Account, broken: bytes) -> None:
    assert push_compressed(account, broken) == 200
    assert bytes(only_callback().body) == broken


def test_compressed_body_has_the_same_limit(account: Account) -> None:
    assert push_compressed(account, gzip.compress(b" " * (receive.MAX_BODY + 1))) == 413
    assert not Callback.objects.exists()


def push_compressed(account: Account, body: bytes) -> int:
    path = f"/callbacks/{token_of(account)}/"
    answer: Any = Client().post(
        path, body, "application/json", headers={"content-encoding": "gzip"}
    )
    return int(answer.status_code)


def test_different_order_of_names_is_a_repetition(account: Account) -> None:
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
def test_different_content_is_another_callback(one: str, other: str) -> None:
    account = make_account("otpservice")
    push_get(account, one)
    push_get(account, other)
    assert Callback.objects.count() == 2


def test_different_content_type_is_another_callback(account: Account) -> None:
    path = f"/callbacks/{token_of(account)}/"
    for kind in ("application/json", "application/x-www-form-urlencoded"):
        Client().generic("POST", path, b"uid=1&DLRStatus=Delivered", kind)
    assert Callback.objects.count() == 2


def test_accounts_do_not_share_a_row(account: Account) -> None:
    push_json(account, REPORT)
    push_json(make_account("haorui"), REPORT)
    assert [row.times for row in Callback.objects.all()] == [1, 1]


# --- access --------------------------------------------------------------------


@pytest.mark.parametrize("token", ["x" * 43, "short", "a%2Fb", "%ff", "../admin"])
def test_wrong_token_is_answered_404_and_not_stored(account: Account, token: str) -> None:
    answer = push_json(account, REPORT, token=token)
    assert answer.status_code == 404
    assert not Callback.objects.exists()


def test_truncated_token_is_answered_404(account: Account) -> None:
    assert push_json(account, REPORT, token=token_of(account)[:-1]).status_code == 404


def test_wrong_token_gets_the_same_answer_for_every_method(account: Account) -> None:
    answers = {Client().generic(method, "/callbacks/nobody/") for method in ("GET", "POST", "PUT")}
    assert {(each.status_code, each.content) for each in answers} == {(404, b"Not found")}


def test_old_address_keeps_working_beside_a_new_one(account: Account) -> None:
    old = token_of(account)
    accounts.new_callback_token(account)
    assert push_json(account, REPORT, token=old).status_code == 200
    assert push_json(account, REPORT).status_code == 200


def test_revoked_address_is_answered_404(account: Account) -> None:
    account.callback_tokens.update(revoked_at="2026-01-01T00:00Z")
    accounts.callback_tokens_changed.send(Account)
    assert push_json(account, REPORT).status_code == 404


@pytest.mark.parametrize(("sender", "status"), [("198.51.100.7", 200), ("198.51.101.7", 404)])
def test_sender_outside_the_networks_of_the_account_is_rejected(sender: str, status: int) -> None:
    account = make_account("haorui", callback_networks="198.51.100.0/24\n2001:db8::/32")
    assert push_json(account, REPORT, REMOTE_ADDR=sender).status_code == status


def test_forged_forwarding_header_is_ignored() -> None:
    account = make_account("haorui", callback_networks="198.51.100.0/24")
    answer = push_json(account, REPORT, HTTP_X_FORWARDED_FOR="198.51.100.7")
    assert answer.status_code == 404


def test_forwarding_header_of_a_trusted_proxy_is_used(settings: Settings) -> None:
    settings.TRUSTED_PROXIES = ["127.0.0.0/8"]
    account = make_account("haorui", callback_networks="198.51.100.0/24")
    answer = push_json(account, REPORT, HTTP_X_FORWARDED_FOR="10.0.0.1, 198.51.100.7")
    assert answer.status_code == 200


def test_undocumented_method_is_refused() -> None:
    answer = push_json(make_account("otpservice"), REPORT)
    assert (answer.status_code, answer["Allow"]) == (405, "GET")


def test_only_wrong_tokens_are_limited(account: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(receive, "wrong_tokens", WrongTokens())
    answers = [push_json(account, REPORT, token="guess").status_code for _ in range(61)]
    assert answers[-2:] == [404, 429]
    assert push_json(account, REPORT).status_code == 200


# --- odd requests ------------------------------------------------------------------


def test_too_large_request_is_refused(account: Account) -> None:
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
def test_any_body_is_stored_without_an_error(
    account: Account, body: bytes, content_type: str
) -> None:
    path = f"/callbacks/{token_of(account)}/"
    answer: Any = Client().generic("POST", path, body, content_type)
    assert answer.status_code == 200
    assert bytes(only_callback().body) == body


@pytest.mark.parametrize("slash", ["", "/"])
def test_trailing_slash_is_optional(account: Account, slash: str) -> None:
    answer = Client().post(f"/callbacks/{token_of(account)}{slash}", "{}", "application/json")
    assert answer.status_code == 200


def test_chunked_body_is_read(account: Account) -> None:
    request = RequestFactory().post("/", b"", "application/json")
    request.META.pop("CONTENT_LENGTH", None)
    request.META |= {"HTTP_TRANSFER_ENCODING": "chunked", "wsgi.input": BytesIO(b'{"uid": "1"}')}
    assert receive.callback(request, token_of(account)).status_code == 200
    assert bytes(only_callback().body) == b'{"uid": "1"}'


def test_body_cut_off_before_its_stated_length_is_not_stored(account: Account) -> None:
    body = b'{"uid": "1"}'
    environ = RequestFactory().post("/", body, "application/json").environ
    cut_off = {"CONTENT_LENGTH": str(len(body) + 1), "wsgi.input": BytesIO(body)}
    request = WSGIRequest({**environ, **cut_off})
    assert receive.callback(request, token_of(account)).status_code == 400
    assert not Callback.objects.exists()


# --- overload and failures -------------------------------------------------------------


def test_unavailable_database_is_answered_503(account: Account) -> None:
    with patch.object(receive, "store", side_effect=OperationalError("gone")):
        answer = push_json(account, REPORT)
    assert (answer.status_code, answer["Retry-After"]) == (503, "30")


def test_callback_without_a_database_slot_is_answered_503(
    account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(receive, "SLOT_TIMEOUT", 0.01)
    monkeypatch.setattr(receive, "_full_until", float("-inf"))
    held = 0
    while receive._slots.acquire(blocking=False):
        held += 1
    try:
        assert push_json(account, REPORT).status_code == 503
    finally:
        for _ in range(held):
            receive._slots.release()


def test_callbacks_stop_waiting_after_one_timed_out(
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


def test_broken_body_is_answered_400(account: Account) -> None:
    class Broken:
        def read(self, size: int) -> bytes:
            raise RuntimeError("a chunk without an end")

    request = RequestFactory().post("/", b"", "application/json")
    request.META.pop("CONTENT_LENGTH", None)
    request.META |= {"HTTP_TRANSFER_ENCODING": "chunked", "wsgi.input": Broken()}
    assert receive.callback(request, token_of(account)).status_code == 400


def test_many_callbacks_start_one_run(account: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    starts: list[str] = []
    monkeypatch.setattr(wake, "_woken_at", float("-inf"))
    monkeypatch.setattr(wake, "async_task", lambda task, **_: starts.append(task))
    for number in range(20):
        push_json(account, {**REPORT, "message_id": number})
    assert starts == ["providers.tasks.digest_callbacks"]
