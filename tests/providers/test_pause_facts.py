"""Each pause of an account is recorded, and pages tell it as it was."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse

from providers import accounts
from providers.gateway.vocabulary import Reason
from providers.models import Account
from providers.pause_facts import pause_fact
from providers.presentation.account_timeline import timeline
from rentals.models import Order
from rentals.presentation.explanations import explanation_of
from tests.factories.accounts import make_account
from tests.factories.orders import make_order
from tests.factories.staff import make_user
from tests.support.signed_in import browser_of, member

pytestmark = pytest.mark.django_db


@pytest.fixture
def account() -> Account:
    return make_account("gosms")


def test_pause_and_resume_are_recorded_with_their_people(account: Account) -> None:
    pauser, resumer = make_user(), make_user()
    accounts.pause(account, accounts.BY_HAND, "maintenance", pauser)
    pause = account.pauses.get()
    assert (pause.paused_by, pause.ended_at) == (pauser, None)
    accounts.resume(account, resumer)
    pause.refresh_from_db()
    assert pause.resumed_by == resumer
    assert pause.ended_at is not None


def test_second_pause_with_the_same_reason_is_none(account: Account) -> None:
    accounts.pause(account, Reason.CREDENTIALS)
    accounts.pause(account, Reason.CREDENTIALS)
    assert account.pauses.count() == 1


def test_pause_by_hand_ends_the_record_of_the_automatic_one(account: Account) -> None:
    accounts.pause(account, Reason.CREDENTIALS)
    accounts.pause(account, accounts.BY_HAND, "", make_user())
    first, second = account.pauses.order_by("pk")
    assert first.ended_at == second.started_at
    assert second.ended_at is None


def test_resuming_an_account_that_is_not_paused_records_nothing(account: Account) -> None:
    assert not accounts.resume(account)
    assert not account.pauses.exists()


def test_button_records_who_resumed(account: Account) -> None:
    accounts.pause(account, Reason.CREDENTIALS)
    manager = member("manager")
    browser: Client = browser_of(manager)
    browser.post(reverse("admin:providers_account_resume", args=[account.public_id]))
    assert account.pauses.get().resumed_by == manager
    page = browser.get(reverse("admin:providers_account_change", args=[account.public_id]))
    assert "Resumed by manager" in page.content.decode()


def test_reason_that_pauses_nothing_has_no_pause(account: Account) -> None:
    accounts.pause(account, Reason.CREDENTIALS)
    moment = account.pauses.get().started_at
    assert pause_fact(account, Reason.BAD_NUMBER, moment) is None
    assert pause_fact(account, Reason.CREDENTIALS, None) is None
    assert pause_fact(account, Reason.CREDENTIALS, moment) is not None


def test_history_of_an_account_is_in_time(account: Account) -> None:
    for _ in range(2):
        accounts.pause(account, Reason.NO_BALANCE)
        accounts.resume(account)
    lines = timeline(account)
    assert [line.text for line in lines] == [
        "Account added",
        "Paused: Insufficient balance.",
        "Resumed by the portal",
        "Paused: Insufficient balance.",
        "Resumed by the portal",
    ]
    times = [line.at for line in lines if line.at]
    assert times == sorted(times)


def refused_order(account: Account) -> Order:
    order = make_order(account)
    accounts.pause(account, Reason.NO_BALANCE)
    at = account.pauses.get().started_at - timedelta(milliseconds=20)
    changes = {"state": "refused", "reason": Reason.NO_BALANCE, "answered_at": at}
    Order.objects.filter(pk=order.pk).update(**changes)
    return Order.objects.get(pk=order.pk)


def test_order_tells_the_pause_it_led_to_and_a_step_for_the_reader(account: Account) -> None:
    order = refused_order(account)
    operator = make_user("rentals.rent_order")
    paused = explanation_of(order, operator)
    assert "The account has been paused since" in paused.text
    assert paused.next_step.startswith("Ask a manager")
    accounts.resume(account)
    resumed = explanation_of(Order.objects.get(pk=order.pk), operator)
    assert "The account was paused at" in resumed.text
    assert resumed.next_step == "Rent a number again if it is still needed."
