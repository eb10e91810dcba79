"""Saved filters and chosen columns of a list, each person's own."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from django.contrib import admin as django_admin
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from core.admin.base import PortalAdmin
from core.models import OwnList
from core.own_lists import LONGEST_NAME, MOST_FILTERS
from messaging.models import Message
from providers.models import Account
from tests.factories.accounts import make_account
from tests.factories.batches import make_batch
from tests.factories.codes import make_session
from tests.factories.messages import make_message
from tests.factories.orders import make_rented
from tests.factories.staff import make_user

pytestmark = [pytest.mark.django_db, pytest.mark.any_database]

LIST = "/messaging/message/"
PAGE = "/my-lists/messaging.message/"


@pytest.fixture
def person() -> User:
    return make_user("messaging.view_message", "messaging.cancel_message", username="ann")


@pytest.fixture
def browser(client: Client, person: User) -> Client:
    client.force_login(person)
    return client


def save(browser: Client, name: str = "Refused", query: str = "shown=refused", **more: Any) -> Any:
    return browser.post(PAGE, {"act": "save", "name": name, "query": query, **more})


def stored() -> OwnList:
    return OwnList.objects.get()


def key_of(name: str = "Refused") -> str:
    return str(next(one["key"] for one in stored().filters if one["name"] == name))


def columns_of(page: Any) -> list[str]:
    head = page.content.decode().partition("<thead")[2].partition("</thead>")[0]
    return re.findall(r'class="[^"]*column-([\w]+)', head)


def chips_of(page: Any) -> list[str]:
    found = re.findall(r'class="filter-chip" href="([^"]*)">([^<]*)', page.content.decode())
    return [text for _url, text in found]


def choose(browser: Client, *names: str, **more: Any) -> Any:
    return browser.post(PAGE, {"act": "columns", "column": names, "shown": names, **more})


def batch_of(account: Account) -> object:
    return make_batch("13912345678", account)


# --- saved filters -------------------------------------------------------------------------------


def test_a_saved_filter_opens_the_list_with_it(browser: Client) -> None:
    make_message(state="refused")
    answer = save(browser)
    assert answer["Location"] == f"{LIST}?shown=refused&saved={key_of()}"
    page = browser.get(answer["Location"])
    assert "Saved filter: Refused" in chips_of(page)
    assert f'href="?shown=refused&amp;saved={key_of()}"' in page.content.decode()


def test_the_menu_names_the_own_filters_on_every_view_of_the_list(browser: Client) -> None:
    make_message()
    save(browser, "<b>Mine</b>")
    page = browser.get(LIST).content.decode()
    assert "&lt;b&gt;Mine&lt;/b&gt;" in page
    assert "<b>Mine</b>" not in page


def test_saving_under_the_same_name_replaces_the_filter(browser: Client) -> None:
    save(browser)
    key = key_of()
    save(browser, query="shown=delivered")
    assert [one["query"] for one in stored().filters] == ["shown=delivered"]
    assert key_of() == key


def test_only_the_parameters_of_the_list_are_kept(browser: Client) -> None:
    query = "shown=refused&p=3&evil=1&text__startswith=a&recipient=1&saved=x&e=1&_popup=1"
    save(browser, query=query)
    assert stored().filters[0]["query"] == "shown=refused"


def test_relative_periods_stay_relative(browser: Client) -> None:
    save(browser, query="period=30")
    assert stored().filters[0]["query"] == "period=30"


@pytest.mark.parametrize(
    "term", ["+8613912345678", "139 1234 5678", "１３９１２３４５６７８", "1391234", "x13-91-23"]
)
def test_a_search_for_a_number_is_not_saved(browser: Client, term: str) -> None:
    answer = browser.post(
        PAGE,
        {"act": "save", "name": "N", "query": f"shown=refused&q={term.replace('+', '%2B')}"},
        follow=True,
    )
    assert not OwnList.objects.exists()
    assert "A search for a phone number is not saved" in answer.content.decode()
    # No address repeats it.
    assert "q=" not in answer.redirect_chain[0][0]


def test_a_list_with_a_searched_number_leads_to_the_page_without_it(browser: Client) -> None:
    make_message(recipient="+8613912345678")
    make_message(recipient="+8613912345678")
    page = browser.get(LIST, {"q": "+8613912345678", "shown": "queued"}).content.decode()
    assert "13912345678" not in " ".join(re.findall(r'href="(/my-lists/[^"]*)"', page))


def test_a_search_for_a_word_is_saved(browser: Client) -> None:
    save(browser, query="q=parcel")
    assert stored().filters[0]["query"] == "q=parcel"


@pytest.mark.parametrize("name", ["", "   ", "\x00", "n" * (LONGEST_NAME + 1)])
def test_a_name_is_needed_and_bounded(browser: Client, name: str) -> None:
    save(browser, name)
    assert not OwnList.objects.filter(filters__0__isnull=False).exists()


def test_long_filters_and_too_many_are_refused(browser: Client) -> None:
    save(browser, query="q=" + "a" * 1000)
    assert not OwnList.objects.exists() or not stored().filters
    for number in range(MOST_FILTERS + 2):
        save(browser, f"Filter {number}")
    assert len(stored().filters) == MOST_FILTERS
    save(browser, "Filter 3", "shown=delivered")
    assert len(stored().filters) == MOST_FILTERS


def test_without_filters_there_is_nothing_to_save(browser: Client) -> None:
    for query in ("", "p=2", "unknown=1"):
        save(browser, query=query)
    assert not OwnList.objects.exists()


def test_filters_that_the_list_rejects_are_not_saved(browser: Client) -> None:
    make_account()
    make_account()
    assert save(browser, query="account__id__exact=x").status_code == 404
    assert not OwnList.objects.exists()


def test_filters_are_renamed_and_deleted(browser: Client) -> None:
    save(browser)
    save(browser, "Other")
    browser.post(PAGE, {"act": f"rename:{key_of()}", "name": "Not sent"})
    assert [one["name"] for one in stored().filters] == ["Not sent", "Other"]
    browser.post(PAGE, {"act": f"rename:{key_of('Other')}", "name": "Not sent"})
    assert [one["name"] for one in stored().filters] == ["Not sent", "Other"]
    browser.post(PAGE, {"act": f"delete:{key_of('Other')}"})
    assert [one["name"] for one in stored().filters] == ["Not sent"]
    browser.post(PAGE, {"act": "delete:unknown"})
    browser.post(PAGE, {"act": "nonsense"})
    assert [one["name"] for one in stored().filters] == ["Not sent"]


# --- the default ---------------------------------------------------------------------------------


def test_the_list_opens_with_the_default_and_a_chip_removes_it(browser: Client) -> None:
    make_message(state="refused")
    save(browser, opens="1")
    page = browser.get(LIST, follow=True)
    assert page.redirect_chain[0][0] == f"{LIST}?shown=refused&saved={key_of()}"
    assert "Opens with: Refused" in chips_of(page)
    assert 'href="?saved=none">Opens with' in page.content.decode()
    plain = browser.get(LIST, {"saved": "none"})
    # As delivered: the first view has its usual period.
    assert chips_of(plain) == ["Last 7 days"]


def test_no_link_of_the_list_leads_back_to_the_default(browser: Client) -> None:
    make_message(state="refused")
    save(browser, opens="1")
    page = browser.get(LIST, {"shown": "refused"}).content.decode()
    assert 'class="filter-chip" href="?saved=none"' in page
    empty = browser.get(LIST, {"shown": "delivered"}).content.decode()
    assert 'href="?saved=none">Clear filters' in empty


def test_other_filters_and_parts_of_the_list_do_not_get_the_default(browser: Client) -> None:
    message = make_message(state="refused")
    save(browser, opens="1")
    assert browser.get(LIST, {"shown": "delivered"}).status_code == 200
    assert browser.get(LIST, {"filters": "alone"}).status_code == 200
    changes = browser.get(f"{LIST}changes/", headers={"X-Rows": message.public_id})
    assert changes.status_code == 200
    posted = {"action": "cancel_waiting", "_selected_action": [message.pk]}
    assert browser.post(LIST, posted).get("Location", "") != f"{LIST}?shown=refused"


def test_the_default_is_set_and_taken_back(browser: Client) -> None:
    save(browser)
    assert browser.get(LIST).status_code == 200
    browser.post(PAGE, {"act": f"default:{key_of()}"})
    assert browser.get(LIST).status_code == 302
    browser.post(PAGE, {"act": "default:"})
    assert browser.get(LIST).status_code == 200
    browser.post(PAGE, {"act": f"default:{key_of()}"})
    browser.post(PAGE, {"act": f"delete:{key_of()}"})
    assert stored().default == ""
    assert browser.get(LIST).status_code == 200


def test_a_default_that_the_list_rejects_does_not_lock_it(browser: Client, person: User) -> None:
    make_message()
    make_account()
    for query in ("account__id__exact=x", "shown=" + "9" * 20, "created_at__bad=1"):
        filters = [{"key": "k", "name": "N", "query": query, "order": []}]
        OwnList.objects.update_or_create(
            user=person,
            rows_of="messaging.message",
            defaults={"filters": filters, "default": "k"},
        )
        assert browser.get(LIST, follow=True).status_code == 200


# --- the columns ---------------------------------------------------------------------------------

DELIVERED = ["state_", "recipient", "account_", "kind_", "segments", "sender", "time"]


def test_the_list_shows_the_chosen_columns_in_their_order(browser: Client) -> None:
    make_message()
    assert columns_of(browser.get(LIST)) == DELIVERED
    choose(browser, "state_", "time", "recipient")
    page = browser.get(LIST)
    assert columns_of(page) == ["state_", "time", "recipient"]
    row = page.content.decode().partition('<tr class="data-row">')[2].partition("</tr>")[0]
    assert re.findall(r'class="field-(\w+)"', row) == ["state_", "time", "recipient"]
    browser.post(PAGE, {"act": "reset"})
    assert columns_of(browser.get(LIST)) == DELIVERED


def test_the_first_column_always_stays_and_leads_to_the_row(browser: Client) -> None:
    message = make_message()
    choose(browser, "time", "unknown", "text")
    page = browser.get(LIST)
    assert columns_of(page) == ["state_", "time"]
    assert f'<a href="{LIST}{message.public_id}/change/">' in page.content.decode()


def test_a_column_that_leads_to_the_row_stays(browser: Client) -> None:
    client = Client()
    client.force_login(make_user("providers.view_apicall", username="calls"))
    url = "/my-lists/providers.apicall/"
    client.post(url, {"act": "columns", "column": ["http"], "shown": ["http"]})
    assert OwnList.objects.get(rows_of="providers.apicall").columns == ["time", "http"]


def test_columns_move_and_keep_what_is_ticked(browser: Client) -> None:
    names = {"column": DELIVERED, "shown": ["recipient", "account_", "time"]}
    browser.post(PAGE, {"act": "up:time", **names})
    assert stored().columns == ["state_", "recipient", "time", "account_"]
    browser.post(PAGE, {"act": "down:time", "column": stored().columns, "shown": ["time"]})
    assert stored().columns == ["state_", "time"]
    browser.post(PAGE, {"act": "up:state_", "column": ["time", "state_"], "shown": ["time"]})
    assert stored().columns == ["state_", "time"]


def test_masked_numbers_stay_masked(browser: Client) -> None:
    make_message(recipient="+8613912345678")
    choose(browser, "state_", "recipient")
    assert "12345678" not in re.sub(r'href="[^"]*"', "", browser.get(LIST).content.decode())


@pytest.mark.parametrize(
    "columns", ["text", {"a": 1}, [1, None, ["x"]], ["gone", "text", "__str__", "pk", "delete"], []]
)
@pytest.mark.parametrize("filters", ["x", [1, {"key": 1}, {"key": "k", "name": "n"}], {"a": []}])
def test_what_a_later_version_no_longer_knows_is_left_out(
    browser: Client, person: User, columns: Any, filters: Any
) -> None:
    make_message()
    OwnList.objects.create(
        user=person, rows_of="messaging.message", columns=columns, filters=filters, default="k"
    )
    shown = columns_of(browser.get(LIST))
    assert shown[0] == "state_"
    assert set(shown) <= set(DELIVERED)
    assert browser.get(PAGE).status_code == 200
    save(browser)
    assert [one["name"] for one in stored().filters] == ["Refused"]


# --- the order -----------------------------------------------------------------------------------


def link_of_time(page: Any) -> str:
    head = page.content.decode().partition("column-time")[2].partition("</th>")[0]
    return str(re.findall(r'href="\?([^"]*)"', head)[0]).replace("&amp;", "&")


def times_of(page: Any) -> list[int]:
    keys = re.findall(r'name="_selected_action" value="(\d+)"', page.content.decode())
    return [int(key) for key in keys]


def test_a_moved_column_sorts_by_itself(browser: Client) -> None:
    first, second = make_message().pk, make_message().pk
    assert times_of(browser.get(LIST)) == [second, first]
    choose(browser, "state_", "time", "sender")
    query = link_of_time(browser.get(LIST))
    assert "o=2" in query or "o=-2" in query
    assert times_of(browser.get(f"{LIST}?o=2")) == [first, second]
    assert times_of(browser.get(f"{LIST}?o=-2")) == [second, first]
    # The old place of the time is none any more.
    assert times_of(browser.get(f"{LIST}?o=7")) == [second, first]


def test_the_order_stays_when_columns_move(browser: Client) -> None:
    make_message()
    answer = choose(browser, "state_", "time", "sender", order="7", query="shown=queued")
    assert answer["Location"] == f"{LIST}?shown=queued&o=2"


def test_a_saved_filter_keeps_its_order_by_name(browser: Client) -> None:
    save(browser, query="shown=queued", order="7")
    assert stored().filters[0]["order"] == ["time"]
    choose(browser, "state_", "time", "sender")
    make_message()
    assert f"?shown=queued&amp;o=2&amp;saved={key_of()}" in browser.get(LIST).content.decode()
    choose(browser, "state_", "sender")
    assert f"?shown=queued&amp;saved={key_of()}" in browser.get(LIST).content.decode()


@pytest.mark.parametrize("order", ["99", "-", "x", "-1.2.99", "１", "9" * 15])
def test_any_order_is_answered(browser: Client, order: str) -> None:
    make_message()
    assert browser.get(LIST, {"o": order}).status_code == 200
    assert browser.get(PAGE, {"o": order}).status_code == 200
    assert save(browser, order=order).status_code == 302
    assert save(browser, order=order * 5000).status_code == 302


def test_newer_rows_are_counted_whatever_the_columns_are(browser: Client) -> None:
    account = make_account()
    first = make_message(account)
    make_message(account)
    choose(browser, "state_", "time")
    answer = browser.get(f"{LIST}changes/?o=2", headers={"X-Rows": first.public_id}).json()
    assert answer["newer"] == "Show 1 new"
    assert list(answer["rows"]) == [first.public_id]


def test_an_export_keeps_its_own_columns(client: Client) -> None:
    client.force_login(User.objects.create_superuser("boss"))
    make_message()
    whole = client.get(f"{LIST}export/").getvalue()
    choose(client, "state_", "time")
    assert client.get(f"{LIST}export/").getvalue() == whole


def test_an_export_keeps_the_order_of_the_list(client: Client) -> None:
    client.force_login(User.objects.create_superuser("boss"))
    rows = [make_message().reference for _ in range(3)]
    whole = [client.get(f"{LIST}export/?o={order}").getvalue().decode() for order in ("7", "-7")]
    for text, wanted in zip(whole, (rows, rows[::-1]), strict=True):
        assert sorted(rows, key=text.index) == wanted


@pytest.mark.parametrize(
    ("label", "provider", "make", "columns"),
    [
        ("otp.session", "haorui", make_session, ("country_", "verified_", "ended_")),
        ("rentals.order", "gosms", make_rented, ("order_id_", "ends_", "ended_")),
        ("messaging.batch", "haorui", batch_of, ("file_", "started_", "ended_")),
    ],
)
def test_other_columns_of_main_lists_need_no_query_for_each_row(
    client: Client,
    label: str,
    provider: str,
    make: Callable[[Account], object],
    columns: tuple[str, ...],
) -> None:
    person = User.objects.create_superuser("boss")
    client.force_login(person)
    OwnList.objects.create(user=person, rows_of=label, columns=["state_", *columns])
    address = f"/{label.replace('.', '/')}/"
    account = make_account(provider)
    make(account)
    client.get(address)
    counts = []
    for _ in range(2):
        with CaptureQueriesContext(connection) as queries:
            page = client.get(address)
        counts.append(len(queries))
        assert set(columns) <= set(columns_of(page))
        make(account)
    assert counts[1] == counts[0]


# --- whose they are ------------------------------------------------------------------------------


def test_nobody_sees_or_changes_what_another_person_saved(browser: Client, person: User) -> None:
    make_message()
    save(browser, opens="1")
    choose(browser, "state_", "time")
    other = Client()
    other.force_login(make_user("messaging.view_message", username="bob"))
    page = other.get(LIST)
    assert page.status_code == 200
    assert columns_of(page) == DELIVERED
    assert "Refused" not in other.get(PAGE).content.decode()
    key = key_of()
    for act in ("rename", "delete", "default"):
        other.post(PAGE, {"act": f"{act}:{key}", "name": "Stolen"})
    own = OwnList.objects.get(user=person)
    assert [one["name"] for one in own.filters] == ["Refused"]
    assert own.default == own.filters[0]["key"]
    assert not OwnList.objects.exclude(user=person).exclude(default="").exists()


@pytest.mark.parametrize("method", ["get", "post"])
def test_the_page_needs_the_permission_of_its_list(browser: Client, method: str) -> None:
    ask = getattr(browser, method)
    assert ask("/my-lists/rentals.order/").status_code == 403
    for unknown in ("x", "x.y", "messaging.gone", "core.act", "a.b.c"):
        assert ask(f"/my-lists/{unknown}/").status_code == 404
    assert getattr(Client(), method)(PAGE).status_code == 302


def test_the_columns_of_a_reader_are_those_of_the_list(browser: Client) -> None:
    page = browser.get(PAGE).content.decode()
    others = ["country_", "sender_id_", "provider_id_", "reference_"]
    assert re.findall(r'name="column" value="(\w+)"', page) == [*DELIVERED, *others]


def test_columns_that_are_not_delivered_are_offered(browser: Client) -> None:
    message = make_message(sender_id="HOTEL")
    choose(browser, "state_", "reference_", "sender_id_", "country_")
    page = browser.get(LIST)
    assert columns_of(page) == ["state_", "reference_", "sender_id_", "country_"]
    assert message.reference in page.content.decode()
    assert "HOTEL" in page.content.decode()


@pytest.mark.parametrize("part", range(4))
def test_every_list_has_the_page_and_shows_other_columns(client: Client, part: int) -> None:
    client.force_login(User.objects.create_superuser("boss"))
    reverse("admin:index")
    lists = [one for one in django_admin.site._registry.values() if isinstance(one, PortalAdmin)]
    assert len(lists) > 20
    for admin in lists[part::4]:
        page = f"/my-lists/{admin.opts.label_lower}/"
        names = re.findall(r'name="column" value="(\w+)"', client.get(page).content.decode())
        assert names, page
        assert len(set(names)) == len(names)
        values = {"act": "columns", "column": names[::-1], "shown": names[::2]}
        assert client.post(page, values).status_code == 302
        own = OwnList.objects.get(rows_of=admin.opts.label_lower)
        assert own.columns[0] == names[0]
        assert client.get(reverse(admin.url_name("changelist"))).status_code == 200


# --- queries -------------------------------------------------------------------------------------


def test_a_list_asks_once_for_what_its_reader_saved(
    browser: Client, django_assert_max_num_queries: Any
) -> None:
    account = make_account()
    for _ in range(3):
        make_message(account)
    with django_assert_max_num_queries(100) as without:
        browser.get(LIST)
    usual = len(without)
    for number in range(5):
        save(browser, f"Filter {number}", "shown=queued", order="7")
    choose(browser, *reversed(DELIVERED))
    with django_assert_max_num_queries(usual) as queries:
        assert browser.get(LIST).status_code == 200
    asked = [one["sql"] for one in queries.captured_queries if "core_ownlist" in one["sql"]]
    assert len(asked) == 1
    assert Message.objects.count() == 3


def test_refused_name_stays_in_its_field(browser: Client) -> None:
    name = "n" * (LONGEST_NAME + 1)
    page = save(browser, name).content.decode()
    assert "A name has up to 60 characters." in page
    assert f'value="{name}" aria-invalid="true"' in page
