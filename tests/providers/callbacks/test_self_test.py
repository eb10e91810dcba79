"""Our own address, tested by calling it."""

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


def checked(account: Account) -> CallbackTest:
    CallbackTest.objects.get_or_create(account=account)
    self_test.run(account)
    return CallbackTest.objects.get(account=account)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("provider", ["haorui", "otpservice"])
def test_an_address_that_answers_is_told_so(
    live_server: LiveServer, settings: Settings, provider: str
) -> None:
    settings.PUBLIC_ADDRESS = live_server.url
    test = checked(make_account(provider))
    assert (test.problem, verdict_text(test)) == ("", "Our address answers from outside.")
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
def test_what_went_wrong_is_named(error: Exception, problem: str) -> None:
    with responses.RequestsMock() as answers:
        answers.post(ADDRESS, body=error)
        assert checked(make_account("haorui")).problem == problem


@pytest.mark.parametrize("status", [301, 403, 404, 502])
def test_any_other_status_is_told(status: int) -> None:
    with responses.RequestsMock() as answers:
        answers.post(ADDRESS, status=status)
        test = checked(make_account("haorui"))
    assert (test.problem, test.detail) == ("status", f"HTTP {status}")
    assert f"HTTP {status}" in verdict_text(test)


def test_somebody_else_who_says_ok_is_found_out() -> None:
    with responses.RequestsMock() as answers:
        answers.post(ADDRESS, body="OK")
        assert checked(make_account("haorui")).problem == "somebody_else"


def test_without_a_public_address_there_is_nothing_to_test(settings: Settings) -> None:
    settings.PUBLIC_ADDRESS = ""
    assert checked(make_account("haorui")).problem == "no_address"


def test_a_list_of_networks_does_not_keep_our_own_test_out() -> None:
    account = make_account("haorui", callback_networks="198.51.100.0/24")
    value = signing.dumps(account.pk, salt=self_test.SALT)
    path = f"/callbacks/{token_of(account)}/"
    assert Client().post(path, headers={"X-Portal-Test": value}).status_code == 200


def test_a_test_that_the_queue_lost_does_not_go_on_for_ever() -> None:
    test = CallbackTest(account=make_account("haorui"))
    assert self_test.is_running(test)
    test.asked_at -= self_test.TEST_TIMEOUT
    assert not self_test.is_running(test)
    assert "came to no end" in verdict_text(test)


def test_nobody_else_can_ask_for_the_proof() -> None:
    account, other = make_account("haorui"), make_account("haorui")
    forged = [signing.dumps(other.pk, salt=self_test.SALT), signing.dumps(account.pk), "x"]
    for value in forged:
        answer = Client().post(f"/callbacks/{token_of(account)}/", headers={"X-Portal-Test": value})
        assert answer.status_code == 404


def test_no_verdict_holds_the_address(settings: Settings) -> None:
    account = make_account("haorui")
    settings.PUBLIC_ADDRESS = "http://127.0.0.1:9"
    test = checked(account)
    assert test.problem == "refused"
    assert token_of(account) not in f"{test.detail} {verdict_text(test)}"
