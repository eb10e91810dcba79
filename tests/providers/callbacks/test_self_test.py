"""The self-test of the callback address."""

from __future__ import annotations

import re

import pytest
import requests
import responses
from django.core import signing
from django.test import Client
from pytest_django import Settings
from pytest_django.live_server_helper import LiveServer

from providers.callbacks import self_test
from providers.models import Account, Callback, CallbackTest
from providers.presentation.callback_texts import verdict_text
from tests.factories.accounts import make_account

from .pushes import token_of

pytestmark = pytest.mark.django_db
ADDRESS = re.compile(r"http://testserver/callbacks/.*")


def run_test(account: Account) -> CallbackTest:
    CallbackTest.objects.get_or_create(account=account)
    self_test.run(account)
    return CallbackTest.objects.get(account=account)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("provider", ["haorui", "otpservice"])
def test_working_address_passes(live_server: LiveServer, settings: Settings, provider: str) -> None:
    settings.PUBLIC_ADDRESS = live_server.url
    test = run_test(make_account(provider))
    assert (test.problem, verdict_text(test)) == (
        "",
        "The callback address can be reached from outside.",
    )
    assert not Callback.objects.exists()


@pytest.mark.parametrize(
    ("error", "problem"),
    [
        (requests.exceptions.SSLError("certificate"), "tls"),
        (requests.exceptions.ConnectTimeout("slow"), "timed_out"),
        (requests.exceptions.ReadTimeout("slow"), "timed_out"),
        (requests.exceptions.ConnectionError("NameResolutionError('x')"), "no_name"),
        (requests.exceptions.ConnectionError("refused"), "refused"),
    ],
)
def test_error_of_the_call_is_classified(error: Exception, problem: str) -> None:
    with responses.RequestsMock() as answers:
        answers.post(ADDRESS, body=error)
        assert run_test(make_account("haorui")).problem == problem


@pytest.mark.parametrize("status", [301, 403, 404, 502])
def test_unexpected_status_is_reported(status: int) -> None:
    with responses.RequestsMock() as answers:
        answers.post(ADDRESS, status=status)
        test = run_test(make_account("haorui"))
    assert (test.problem, test.detail) == ("status", f"HTTP {status}")
    assert f"HTTP {status}" in verdict_text(test)


def test_answer_of_another_server_is_detected() -> None:
    with responses.RequestsMock() as answers:
        answers.post(ADDRESS, body="OK")
        assert run_test(make_account("haorui")).problem == "somebody_else"


def test_missing_public_address_is_reported(settings: Settings) -> None:
    settings.PUBLIC_ADDRESS = ""
    assert run_test(make_account("haorui")).problem == "no_address"


def test_self_test_is_exempt_from_the_list_of_networks() -> None:
    account = make_account("haorui", callback_networks="198.51.100.0/24")
    value = signing.dumps(account.pk, salt=self_test.SALT)
    path = f"/callbacks/{token_of(account)}/"
    assert Client().post(path, headers={"X-Portal-Test": value}).status_code == 200


def test_lost_test_ends_after_the_timeout() -> None:
    test = CallbackTest(account=make_account("haorui"))
    assert self_test.is_running(test)
    test.asked_at -= self_test.TEST_TIMEOUT
    assert not self_test.is_running(test)
    assert "did not finish" in verdict_text(test)


def test_forged_test_request_is_answered_404() -> None:
    account, other = make_account("haorui"), make_account("haorui")
    forged = [signing.dumps(other.pk, salt=self_test.SALT), signing.dumps(account.pk), "x"]
    for value in forged:
        answer = Client().post(f"/callbacks/{token_of(account)}/", headers={"X-Portal-Test": value})
        assert answer.status_code == 404


def test_verdict_does_not_contain_the_address(settings: Settings) -> None:
    account = make_account("haorui")
    settings.PUBLIC_ADDRESS = "http://127.0.0.1:9"
    test = run_test(account)
    assert test.problem == "refused"
    assert token_of(account) not in f"{test.detail} {verdict_text(test)}"
