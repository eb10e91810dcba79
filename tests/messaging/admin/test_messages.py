"""The list of messages: masking, search, filters, query count, default period."""

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
from messaging.models import Batch, Message
from messaging.presentation.labels import shown_state
from messaging.states import MessageState
from providers.models import Hold
from tests.factories.accounts import make_account
from tests.factories.batches import make_batch, numbers, start_batch
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


def listed(client: Client, **query: Any) -> set[Message]:
    response = client.get(URL, query)
    assert response.status_code == 200
    return set(response.context["cl"].result_list)


def get_page(client: Client, **query: Any) -> str:
    return str(client.get(URL, query).content.decode())


# --- visibility --------------------------------------------------------------


@pytest.mark.parametrize("role", ROLES)
def test_numbers_and_texts_of_others_are_masked(client: Client, role: str) -> None:
    make_message(text=TEXT)
    client.force_login(make_staff(role))
    whole = get_page(client)
    assert "+86 139 •••• 5678" in whole
    for hidden in ("13912345678", "139 1234 5678", "12345678", "under the mat"):
        assert hidden not in whole


def test_recent_own_message_is_shown_whole(client: Client) -> None:
    user = make_staff("operator")
    client.force_login(user)
    make_message(text=TEXT, by=user)
    assert "+86 139 1234 5678" in get_page(client)


@pytest.mark.parametrize(
    ("state", "reason", "line"),
    [
        ("refused", "no_balance", "Insufficient balance."),
        ("not_sent", "waited_too_long", "Not sent after waiting "),
        ("not_sent", "portal_fault", "The portal failed before anything was sent."),
    ],
)
def test_failed_message_shows_its_reason_instead_of_the_text(
    viewer: Client, state: str, reason: str, line: str
) -> None:
    make_message(state=state, reason=reason)
    assert line in get_page(viewer)


def test_empty_list_shows_a_hint(viewer: Client) -> None:
    assert "No SMS sent yet." in get_page(viewer)


@pytest.mark.parametrize(
    ("role", "offered"), [("viewer", False), ("auditor", False), ("operator", True)]
)
def test_send_button_requires_the_permission(client: Client, role: str, offered: bool) -> None:
    client.force_login(make_staff(role))
    whole = get_page(client).partition('id="changelist"')[2] or get_page(client)
    assert (f"{URL}send/" in whole) == offered


def test_list_requires_login(client: Client) -> None:
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
def test_search_finds_a_number_in_every_notation(viewer: Client, typed: str) -> None:
    message, _ = make_message(), make_message(recipient="13900000000")
    assert listed(viewer, q=typed) == {message}


@pytest.mark.parametrize("part", ["1391234567", "5678", "139", "12345678"])
def test_search_by_part_of_a_number_finds_nothing(viewer: Client, part: str) -> None:
    make_message()
    assert listed(viewer, q=part) == set()


def test_search_by_text_works_with_the_reveal_permission(manager: Client) -> None:
    message, _ = make_message(text=TEXT), make_message()
    assert listed(manager, q="under the") == {message}


@pytest.mark.parametrize("role", ["viewer", "operator", "auditor"])
def test_search_by_text_finds_nothing_without_the_reveal_permission(
    client: Client, role: str
) -> None:
    make_message(text=TEXT)
    client.force_login(make_staff(role))
    assert listed(client, q="under the mat") == set()


def test_search_by_text_needs_three_characters(manager: Client) -> None:
    make_message(text=TEXT)
    assert listed(manager, q="un") == set()


@pytest.mark.parametrize("typed", ["%", "_", "\\", "'", "x" * 10_000, "a " * 500, "\U0001f600"])
def test_odd_search_finds_nothing(manager: Client, typed: str) -> None:
    make_message()
    assert listed(manager, q=typed) == set()


def test_search_without_a_hit_says_what_it_takes(viewer: Client) -> None:
    sentence = "The search of this list takes: Full phone number, our reference or provider ID"
    make_message(recipient="+8613912345678")
    assert sentence in viewer.get(URL, {"q": "139"}).content.decode()
    assert sentence not in viewer.get(URL, {"shown": "unknown"}).content.decode()


@pytest.mark.parametrize(
    "query",
    [{"q": "\x00"}, {"p": "999999"}, {"o": "99"}, {"nonsense": "1"}, {"created_at_from_0": "x"}],
    ids=lambda query: next(iter(query)),
)
def test_list_tolerates_a_malformed_address(viewer: Client, query: dict[str, str]) -> None:
    make_message()
    assert viewer.get(URL, query, follow=True).status_code == 200


# --- filters -----------------------------------------------------------------


def make_one_of_each() -> None:
    haosms, haorui, by = make_account("haosms"), make_account(), make_user()
    for state in MessageState:
        make_message(haorui, by=by, state=state)
    now = timezone.now()
    make_message(haosms, by=by, kind="own_code", state="submitted")
    make_message(haorui, by=by, state="submitted", answered_at=now - timedelta(hours=73))
    make_message(haorui, by=by, state="submitted", answered_at=now)
    make_message(haosms, by=by, kind="own_code", state="submitted", settled_at=now)
    hold = Hold.objects.create(cause=Hold.Cause.BY_HAND)
    make_message(haorui, by=by, state="held", hold=hold)
    batch = start_batch(make_batch(numbers(1), haorui))
    Batch.objects.filter(pk=batch.pk).update(hold=hold)


def test_state_filter_matches_the_label(viewer: Client) -> None:
    make_one_of_each()
    labelled: dict[str, set[Message]] = defaultdict(set)
    for row in Message.objects.select_related("account"):
        word = shown_state(row)
        labelled["queued" if word == "claimed" else word].add(row)
    words = set(map(str, states_of("message"))) - {"claimed"}
    assert {word: listed(viewer, shown=word) for word in words} == labelled


def test_several_states_can_be_filtered_together(viewer: Client) -> None:
    make_one_of_each()
    states = {row.state for row in listed(viewer, shown=["delivered", "refused"])}
    assert states == {"delivered", "refused"}


@pytest.mark.parametrize(
    ("query", "shown"),
    [
        ({"shown": "nonsense"}, "“State: nonsense” is"),
        ({"shown": ["delivered", "nonsense"]}, "“State: nonsense” is"),
        ({"period": "999"}, "“Period: 999” is"),
        ({"conflict": "maybe\u202e"}, "“Conflict: maybe” is"),
        ({"created_at_from_0": "2026-13-45"}, "2026-13-45” is"),
        ({"nonsense": "1"}, "A filter in the address is unknown, so all"),
        # With one account or no reason, these filters offer no choice.
        ({"account__id__exact": "x"}, "“account: x” is"),
        ({"reason": "nonsense"}, "“Reason: nonsense” is"),
        ({"batch": "9" * 20}, "A filter in the address is unknown, so all"),
    ],
)
def test_filter_that_is_unknown_is_named_above_the_list(
    viewer: Client, query: dict[str, Any], shown: str
) -> None:
    page = viewer.get(URL, query, follow=True).content.decode()
    assert shown in page
    assert page.count("left out.") == 1


@pytest.mark.parametrize(
    "query", [{"shown": "delivered"}, {"period": "all"}, {"created_at_from_0": "2026-01-05"}, {}]
)
def test_known_filter_is_not_called_unknown(viewer: Client, query: dict[str, str]) -> None:
    assert "left out" not in viewer.get(URL, query, follow=True).content.decode()


def test_unknown_state_value_filters_nothing(viewer: Client) -> None:
    make_message()
    assert len(listed(viewer, shown="nonsense")) == 1


def test_list_filters_by_account(viewer: Client) -> None:
    message, _ = make_message(), make_message()
    assert listed(viewer, account__id__exact=message.account_id) == {message}


# --- query count and safety --------------------------------------------------


def count_queries(client: Client) -> int:
    with CaptureQueriesContext(connection) as captured:
        get_page(client)
    return len(captured)


def test_query_count_does_not_grow_with_the_rows_of_a_batch_on_hold(viewer: Client) -> None:
    hold, account = Hold.objects.create(cause=Hold.Cause.BY_HAND), make_account()
    counts = []
    for rows in (1, 5):
        start_batch(make_batch(numbers(rows, 100 * rows), account))
        Batch.objects.update(hold=hold)
        get_page(viewer)
        counts.append(count_queries(viewer))
    assert counts[0] == counts[1]


def test_query_count_does_not_grow_with_the_rows(viewer: Client) -> None:
    make_message(state="refused", reason="no_balance")
    get_page(viewer)
    few = count_queries(viewer)
    for number in range(8):
        to = f"+861391234500{number}"
        make_message(make_account("haosms"), kind="own_code", state="submitted", recipient=to)
        make_message(state="refused", reason="no_balance")
    assert count_queries(viewer) == few


@pytest.mark.parametrize(
    "guess",
    ["recipient__startswith=%2B86139", "text__contains=parcel", "text__regex=.", "code__gt=a"],
)
def test_lookup_parameters_cannot_probe_hidden_fields(viewer: Client, guess: str) -> None:
    make_message()
    assert viewer.get(f"{URL}?{guess}").status_code == 302
    rows = {"X-Rows": make_message().public_id}
    make_message()
    assert viewer.get(f"{URL}changes/?{guess}", headers=rows).json()["newer"] == ""


# --- the default period ------------------------------------------------------


def make_old_message(days: int, **fields: Any) -> Message:
    return make_message(created_at=timezone.now() - timedelta(days=days), **fields)


def test_default_view_shows_the_last_seven_days(viewer: Client) -> None:
    new, _ = make_old_message(6), make_old_message(8)
    assert listed(viewer) == {new}
    assert '<a class="filter-chip" href="?period=all">Last 7 days' in get_page(viewer)


def test_default_period_can_be_removed(viewer: Client) -> None:
    both = {make_old_message(6), make_old_message(8)}
    assert listed(viewer, period="all") == both


def test_paging_and_sorting_keep_the_default_period(viewer: Client) -> None:
    new, _ = make_old_message(6), make_old_message(8)
    assert listed(viewer, o="1", p="1") == {new}


@pytest.mark.parametrize("query", [{"q": "13912345678"}, {"shown": "unknown"}])
def test_search_and_filters_ignore_the_default_period(
    viewer: Client, query: dict[str, str]
) -> None:
    old = make_old_message(400, state="unknown")
    assert listed(viewer, **query) == {old}


def test_chosen_period_combines_with_other_filters(viewer: Client) -> None:
    new, _ = make_old_message(6, state="unknown"), make_old_message(8, state="unknown")
    assert listed(viewer, shown="unknown", period="7") == {new}


def test_empty_default_period_links_to_older_messages(viewer: Client) -> None:
    make_old_message(8)
    whole = get_page(viewer)
    assert "No SMS sent yet." not in whole
    assert 'href="?period=all"' in whole


def test_list_names_the_kind_of_a_text(viewer: Client) -> None:
    make_message(sms_kind="P")
    assert "Marketing" in get_page(viewer)
