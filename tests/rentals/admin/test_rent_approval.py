"""Renting beyond a limit on the page "Rent a number"."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from django.utils.html import strip_tags

from providers.approvals import requests
from providers.models import Account, Approval, ApprovalLimit
from rentals.models import Order
from tests.factories.accounts import make_account
from tests.factories.approvals import make_approvers, make_limited
from tests.factories.orders import make_rented
from tests.factories.staff import make_staff

pytestmark = pytest.mark.django_db
RENT = reverse("admin:rentals_order_rent")


@pytest.fixture
def account() -> Account:
    account = make_account("gosms")
    make_rented(account)
    return account


@pytest.fixture
def asker(account: Account) -> User:
    make_approvers()
    return make_limited(orders=1)


@pytest.fixture
def browser(client: Client, asker: User) -> Client:
    client.force_login(asker)
    return client


def rent(browser: Client, account: Account, **values: str) -> str:
    data = {
        "account": account.public_id,
        "project": "whatsapp",
        "region": "ID",
        "count": "3",
        "without_sms": "wait",
        "form_token": "one form",
        **values,
    }
    answer = browser.post(RENT, data, follow=True)
    return " ".join(strip_tags(answer.content.decode()).split())


def test_direct_post_beyond_the_limit_orders_nothing(
    browser: Client, account: Account, asker: User
) -> None:
    page = rent(browser, account)
    assert "Beyond your limit: a second person must agree." in page
    assert "Limit in 24 hours: 1, used before: 0." in page
    # Neither does the confirmation of several.
    confirmed = f"{account.public_id}:whatsapp:ID:3"
    assert "Beyond your limit" in rent(browser, account, confirmed=confirmed)
    assert not Order.objects.filter(created_by=asker).exists()


def test_request_needs_a_reason_and_orders_wait(
    browser: Client, account: Account, asker: User
) -> None:
    assert "Say why." in rent(browser, account, ask="on")
    page = rent(browser, account, ask="on", why="A customer needs them.")
    assert "Approval requested." in page
    orders = Order.objects.filter(created_by=asker)
    assert set(orders.values_list("state", flat=True)) == {"awaiting_approval"}
    assert "already submitted" in rent(browser, account, ask="on", why="Again.")
    assert orders.count() == 3
    order = reverse("admin:rentals_order_change", args=[orders[0].public_id])
    page = strip_tags(browser.get(order).content.decode())
    assert "Waiting for approval, requested by" in page
    assert "Cancel order…" not in page
    board = browser.get(reverse("admin:rentals_order_board")).content.decode()
    assert board.count("Waiting for approval") >= 3


def test_request_that_is_no_longer_needed_orders_nothing(
    browser: Client, account: Account, asker: User
) -> None:
    ApprovalLimit.objects.all().delete()
    page = rent(browser, account, count="1", ask="on", why="A customer.")
    assert "Approval is no longer needed." in page
    assert not Order.objects.filter(created_by=asker).exists()


def test_page_of_the_request_shows_the_orders(
    browser: Client, account: Account, asker: User
) -> None:
    rent(browser, account, ask="on", why="A customer needs them.")
    approval = Approval.objects.get()
    client = Client()
    client.force_login(make_staff("manager"))
    page = strip_tags(
        client.get(reverse("admin:approval", args=[approval.public_id])).content.decode()
    )
    for text in ("Approve 3 numbers", "about 1.50", "last price 0.50 each", "A customer needs"):
        assert text in page
    requests.reject(approval, make_approvers(1)[0], "One is enough.")
    order = Order.objects.filter(created_by=asker)[0]
    url = reverse("admin:rentals_order_change", args=[order.public_id])
    assert "One is enough." in strip_tags(browser.get(url).content.decode())
