"""The list of messages: masked, found, filtered, and as cheap for fifty rows as for one."""

from __future__ import annotations

from collections import defaultdict
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from core.admin.labels import states_of
from messaging.models import Message
from messaging.presentation.labels import shown_state
from messaging.states import MessageState
from tests.factories.accounts import make_account
from tests.factories.messages import make_message
from tests.factories.staff import make_staff, make_user

pytestmark = pytest.mark.django_db
URL = "/messaging/message/"
TEXT = "Flat 12, the key is under the mat"
ROLES = ["viewer", "operator", "manager", "auditor"]


@pytest.fixture
def viewer(client: Client) -> Client:
    client.force_login(make_staff("viewer"))
    return client


@pytest.fixture
def manager(client: Client) -> Client:
    client.force_login(make_staff("manager"))
    return client


def found(client: Client, **query: Any) -> set[Message]:
    response = client.get(URL, query)
    assert response.status_code == 200
    return set(response.context["cl"].result_list)


def shown(client: Client, **query: Any) -> str:
    return str(client.get(URL, query).content.decode())


# --- what is seen ------------------------------------------------------------


@pytest.mark.parametrize("role", ROLES)
def test_nobody_sees_the_numbers_and_texts_of_others(client: Client, role: str) -> None:
    make_message(text=TEXT)
    client.force_login(make_staff(role))
    whole = shown(client)
    assert "+86 139 •••• 5678" in whole
    for hidden in ("13912345678", "139 1234 5678", "12345678", "under the mat"):
        assert hidden not in whole


def test_ones_own_are_whole_for_a_while(client: Client) -> None:
    user = make_staff("operator")
    client.force_login(user)
    make_message(text=TEXT, by=user)
    assert "+86 139 1234 5678" in shown(client)


@pytest.mark.parametrize(
    ("state", "reason", "line"),
    [
        ("refused", "no_balance", "The account has no balance."),
        ("not_sent", "waited_too_long", "This waited "),
        ("not_sent", "portal_fault", "The portal had a fault before anything was sent."),
    ],
)
def test_a_failure_shows_its_reason_in_the_place_of_the_text(
    viewer: Client, state: str, reason: str, line: str
) -> None:
    make_message(state=state, reason=reason)
    assert line in shown(viewer)


def test_an_empty_list_says_so(viewer: Client) -> None:
    assert "No SMS sent yet." in shown(viewer)


@pytest.mark.parametrize(
    ("role", "offered"), [("viewer", False), ("auditor", False), ("operator", True)]
)
def test_sending_is_offered_to_those_who_may(client: Client, role: str, offered: bool) -> None:
    client.force_login(make_staff(role))
    whole = shown(client).partition('id="changelist"')[2] or shown(client)
    assert (f"{URL}send/" in whole) == offered


def test_somebody_signed_out_sees_nothing(client: Client) -> None:
    assert client.get(URL).status_code == 302


# --- search ------------------------------------------------------------------


@pytest.mark.parametrize(
    "typed",
    [
        "13912345678",
        "+86 139-1234-5678",
        "008613912345678",
        "8613912345678",
        "１３９１２３４５６７８",
    ],
)
def test_a_number_is_found_in_any_writing(viewer: Client, typed: str) -> None:
    message, _ = make_message(), make_message(recipient="13900000000")
    assert found(viewer, q=typed) == {message}


@pytest.mark.parametrize("part", ["1391234567", "5678", "139", "12345678"])
def test_a_part_of_a_number_finds_nothing(viewer: Client, part: str) -> None:
    make_message()
    assert found(viewer, q=part) == set()


def test_a_text_is_found_by_those_who_may_reveal_it(manager: Client) -> None:
    message, _ = make_message(text=TEXT), make_message()
    assert found(manager, q="under the") == {message}


@pytest.mark.parametrize("role", ["viewer", "operator", "auditor"])
def test_the_search_is_no_oracle_for_texts(client: Client, role: str) -> None:
    make_message(text=TEXT)
    client.force_login(make_staff(role))
    assert found(client, q="under the mat") == set()


def test_two_letters_of_a_text_are_too_few(manager: Client) -> None:
    make_message(text=TEXT)
    assert found(manager, q="un") == set()


@pytest.mark.parametrize("typed", ["%", "_", "\\", "'", "x" * 10_000, "a " * 500, "\U0001f600"])
def test_an_odd_search_finds_nothing_and_breaks_nothing(manager: Client, typed: str) -> None:
    make_message()
    assert found(manager, q=typed) == set()


@pytest.mark.parametrize(
    "query",
    [{"q": "\x00"}, {"p": "999999"}, {"o": "99"}, {"nonsense": "1"}, {"created_at_from_0": "x"}],
    ids=lambda query: next(iter(query)),
)
def test_a_strange_address_breaks_nothing(viewer: Client, query: dict[str, str]) -> None:
    make_message()
    assert viewer.get(URL, query, follow=True).status_code == 200


# --- filters -----------------------------------------------------------------


def one_of_each() -> None:
    haosms, haorui, by = make_account("haosms"), make_account(), make_user()
    for state in MessageState:
        make_message(haorui, by=by, state=state)
    now = timezone.now()
    make_message(haosms, by=by, kind="own_code", state="submitted")
    make_message(haorui, by=by, state="submitted", answered_at=now - timedelta(hours=73))
    make_message(haorui, by=by, state="submitted", answered_at=now)
    make_message(haosms, by=by, kind="own_code", state="submitted", settled_at=now)


def test_each_filter_finds_what_the_label_says(viewer: Client) -> None:
    one_of_each()
    labelled: dict[str, set[Message]] = defaultdict(set)
    for row in Message.objects.select_related("account"):
        word = shown_state(row)
        labelled["queued" if word == "claimed" else word].add(row)
    words = set(map(str, states_of("message"))) - {"claimed"}
    assert {word: found(viewer, shown=word) for word in words} == labelled


def test_several_states_can_be_chosen(viewer: Client) -> None:
    one_of_each()
    states = {row.state for row in found(viewer, shown=["delivered", "refused"])}
    assert states == {"delivered", "refused"}


def test_a_state_that_nobody_knows_filters_nothing(viewer: Client) -> None:
    make_message()
    assert len(found(viewer, shown="nonsense")) == 1


def test_the_list_can_be_narrowed_to_an_account(viewer: Client) -> None:
    message, _ = make_message(), make_message()
    assert found(viewer, account__id__exact=message.account_id) == {message}


# --- cost --------------------------------------------------------------------


def queries(client: Client) -> int:
    with CaptureQueriesContext(connection) as asked:
        shown(client)
    return len(asked)


def test_more_rows_do_not_take_more_queries(viewer: Client) -> None:
    make_message(state="refused", reason="no_balance")
    shown(viewer)
    few = queries(viewer)
    for _ in range(8):
        make_message(make_account("haosms"), kind="own_code", state="submitted")
        make_message(state="refused", reason="no_balance")
    assert queries(viewer) == few


@pytest.mark.parametrize(
    "guess",
    ["recipient__startswith=%2B86139", "text__contains=parcel", "text__regex=.", "code__gt=a"],
)
def test_no_field_can_be_guessed_letter_by_letter(viewer: Client, guess: str) -> None:
    make_message()
    assert viewer.get(f"{URL}?{guess}").status_code == 302
    rows = {"X-Rows": make_message().public_id}
    make_message()
    assert viewer.get(f"{URL}changes/?{guess}", headers=rows).json()["newer"] == ""


# --- the first view -----------------------------------------------------------


def old(days: int, **fields: Any) -> Message:
    return make_message(created_at=timezone.now() - timedelta(days=days), **fields)


def test_the_first_view_shows_the_last_days_and_says_so(viewer: Client) -> None:
    new, _ = old(6), old(8)
    assert found(viewer) == {new}
    assert '<a class="filter-chip" href="?period=all">Last 7 days' in shown(viewer)


def test_the_chip_of_the_first_view_can_be_taken_away(viewer: Client) -> None:
    both = {old(6), old(8)}
    assert found(viewer, period="all") == both


def test_another_page_or_order_is_still_the_first_view(viewer: Client) -> None:
    new, _ = old(6), old(8)
    assert found(viewer, o="1", p="1") == {new}


@pytest.mark.parametrize("query", [{"q": "13912345678"}, {"shown": "unknown"}])
def test_whoever_looks_for_something_finds_it_whenever_it_was(
    viewer: Client, query: dict[str, str]
) -> None:
    ancient = old(400, state="unknown")
    assert found(viewer, **query) == {ancient}


def test_a_period_narrows_other_filters_where_it_is_chosen(viewer: Client) -> None:
    new, _ = old(6, state="unknown"), old(8, state="unknown")
    assert found(viewer, shown="unknown", period="7") == {new}


def test_where_only_older_ones_are_the_way_to_them_is_shown(viewer: Client) -> None:
    old(8)
    whole = shown(viewer)
    assert "No SMS sent yet." not in whole
    assert 'href="?period=all"' in whole
