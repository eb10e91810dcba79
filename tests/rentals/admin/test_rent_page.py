"""The page "Rent a number": favourites, what was used last, and the warning about a high price."""

from __future__ import annotations

import re
from decimal import Decimal

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from providers.models import Account
from rentals.models import Favourite, Order
from tests.factories.accounts import make_account
from tests.factories.orders import make_rented
from tests.factories.staff import make_staff

pytestmark = pytest.mark.django_db
RENT = "/rentals/order/rent/"


@pytest.fixture
def account() -> Account:
    return make_account("gosms", highest_price="0.50")


@pytest.fixture
def operator() -> User:
    return make_staff("operator")


@pytest.fixture
def browser(operator: User) -> Client:
    client = Client()
    client.force_login(operator)
    return client


def keep(browser: Client, chosen: Account, *, htmx: bool = False, **values: str) -> tuple[int, str]:
    data = {
        "account": chosen.public_id,
        "project": "whatsapp",
        "region": "ID",
        "count": "1",
        "favourite": "add",
        **values,
    }
    headers = {"HX-Request": "true"} if htmx else {}
    answer = browser.post(reverse("admin:rentals_order_favourite"), data, headers=headers)
    return answer.status_code, answer.content.decode() if htmx else answer.get("Location", "")


def rent_page(browser: Client, **query: str) -> str:
    return browser.get(RENT, query).content.decode()


def test_first_visit_preselects_nothing(browser: Client, account: Account) -> None:
    shown = rent_page(browser)

    for field in ("project", "region"):
        select = re.search(rf'<select name="{field}".*?</select>', shown, re.DOTALL)
        assert select
        assert re.findall(r'<option value="([^"]*)" selected', select[0]) in ([], [""])
    assert "favourite-button" not in shown


def test_last_pair_is_one_click_away_and_not_chosen(
    browser: Client, account: Account, operator: User
) -> None:
    make_rented(account, by=operator)
    form = {"account": account.public_id, "project": "whatsapp", "region": "ID", "count": "1"}
    kept = {**form, "without_sms": "cancel", "cancel_after": "5", "form_token": "t" * 20}
    assert browser.post(RENT, kept).status_code == 302

    shown = rent_page(browser)

    for field in ("project", "region"):
        select = re.search(rf'<select name="{field}".*?</select>', shown, re.DOTALL)
        assert select
        assert re.findall(r'<option value="([^"]*)" selected', select[0]) in ([], [""])
    assert not re.search(r'value="cancel"[^>]*\schecked[\s>]', shown)
    assert 'data-project="whatsapp" data-region="ID"' in shown


def test_favourite_is_kept_shown_and_forgotten(
    browser: Client, account: Account, operator: User
) -> None:
    status, location = keep(browser, account, count="3")

    assert status == 302
    assert f"{RENT}?account={account.public_id}&project=whatsapp&region=ID&count=3" == location
    assert Favourite.objects.get().person == operator
    assert not Order.objects.exists()
    shown = rent_page(browser, project="whatsapp", region="ID")
    assert "Favourites:" in shown
    assert "Remove from favourites" in shown

    keep(browser, account, favourite="remove")

    assert not Favourite.objects.exists()
    assert "Favourites:" not in rent_page(browser)


def test_script_gets_the_part_of_the_page(browser: Client, account: Account) -> None:
    status, part = keep(browser, account, htmx=True)

    assert status == 200
    assert "<html" not in part
    assert 'id="pair-choices"' in part
    assert "Remove from favourites" in part


@pytest.mark.parametrize(
    "values", [{"project": "no-such-app"}, {"region": "XX"}, {"account": "none"}, {"project": ""}]
)
def test_only_what_is_offered_becomes_a_favourite(
    browser: Client, account: Account, values: dict[str, str]
) -> None:
    data = {"account": account.public_id, "project": "whatsapp", "region": "ID", **values}
    answer = browser.post(reverse("admin:rentals_order_favourite"), data)

    assert answer.status_code == 404
    assert not Favourite.objects.exists()


def test_viewer_keeps_no_favourites(account: Account) -> None:
    client = Client()
    client.force_login(make_staff("viewer"))

    assert keep(client, account)[0] == 403


def test_pair_stands_once_as_favourite_or_as_recent(
    browser: Client, account: Account, operator: User
) -> None:
    make_rented(account, by=operator)
    assert "Recent:" in rent_page(browser)

    keep(browser, account)

    shown = rent_page(browser)
    assert "Recent:" not in shown
    assert shown.count('data-project="whatsapp"') == 1


@pytest.mark.parametrize(("price", "warns"), [("0.5001", True), ("0.50", False)])
def test_price_above_the_cap_is_warned_about(
    browser: Client, account: Account, price: str, *, warns: bool
) -> None:
    make_rented(account, price=Decimal(price))

    shown = rent_page(browser, project="whatsapp", region="ID")

    text = f"The last price, {price}, is above the 0.50 that this account should pay."
    assert (text in shown) is warns
    fetched = browser.get(
        reverse("admin:rentals_order_pair"),
        {"account": account.public_id, "project": "whatsapp", "region": "ID", "count": "1"},
    ).content.decode()
    assert (text in fetched) is warns


def test_no_cap_means_no_warning(browser: Client) -> None:
    account = make_account("gosms")
    make_rented(account, price=Decimal(999))

    assert "above the" not in rent_page(browser, project="whatsapp", region="ID")


@pytest.mark.parametrize(("provider", "has"), [("gosms", True), ("haorui", False)])
def test_cap_is_a_field_of_accounts_that_rent(provider: str, *, has: bool) -> None:
    client = Client()
    client.force_login(make_staff("manager"))

    shown = client.get(f"/providers/account/add/?provider={provider}").content.decode()

    assert ('name="highest_price"' in shown) is has
