"""The panel of a list's filters is fetched when it is opened."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from tests.factories.accounts import make_account
from tests.factories.messages import make_message
from tests.factories.staff import make_user

pytestmark = pytest.mark.django_db

URL = "/messaging/message/"
PANEL = 'id="changelist-filter"'


@pytest.fixture
def browser(client: Client) -> Client:
    client.force_login(make_user("messaging.view_message", "messaging.cancel_message"))
    return client


def page_of(browser: Client, **query: Any) -> str:
    return browser.get(URL, query).content.decode()


def test_a_list_leads_to_its_panel_without_holding_it(browser: Client) -> None:
    make_message()
    page = page_of(browser, shown="delivered")
    assert PANEL not in page
    link = page.partition(" data-filters")[0].rpartition("href=")[2]
    assert sorted(link.strip('"?').split("&amp;")) == ["filters=open", "shown=delivered"]


def test_the_panel_alone_has_the_choices_and_what_is_chosen(browser: Client) -> None:
    account = make_account(name="Main account")
    make_message(account)
    make_account(name="Second account")
    panel = page_of(browser, filters="alone", shown="delivered")
    assert PANEL in panel
    assert "<html" not in panel
    assert "Main account" in panel
    assert '<option value="delivered" selected>' in panel
    assert 'name="filters"' not in panel


def test_a_browser_without_scripts_gets_the_list_with_its_panel(browser: Client) -> None:
    message = make_message()
    page = page_of(browser, filters="open")
    assert PANEL in page
    assert message.public_id in page
    # The first view stays the first view: the parameter is no filter.
    assert "Last 7 days" in page.partition('class="filter-chip"')[2].partition("</a>")[0]


def test_choices_are_read_only_for_the_panel_and_for_chips(browser: Client) -> None:
    account = make_account(name="Main account")
    make_message(account)
    make_account(name="Second account")
    page = page_of(browser, account__id__exact=str(account.pk))
    assert "account: Main account" in page.partition('class="filter-chip"')[2]
    assert page.count("Main account") == 2
    assert page_of(browser).count("Main account") == 1


def test_the_panel_needs_the_permission_of_its_list(browser: Client) -> None:
    other = Client()
    other.force_login(make_user("rentals.view_order", username="other"))
    assert other.get(URL, {"filters": "alone"}).status_code == 403
    assert Client().get(URL, {"filters": "alone"}).status_code == 302


def test_a_wrong_filter_is_answered(browser: Client) -> None:
    for _ in range(2):
        make_account()
    answer = browser.get(URL, {"filters": "alone", "account__id__exact": "x"})
    assert answer.status_code in (302, 404)


def test_acts_on_rows_are_done_while_the_panel_is_open(browser: Client) -> None:
    message = make_message(state="queued")
    values = {"action": "cancel_waiting", "_selected_action": [message.pk]}
    for wish in ("open", "alone"):
        answer = browser.post(f"{URL}?filters={wish}", values)
        assert PANEL not in answer.content.decode() or wish == "open"
        assert answer.status_code in (200, 302)
