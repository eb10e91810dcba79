"""The form, the board, the order's page and the lists: their actions and their permissions."""

from __future__ import annotations

import re
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from django.utils.html import strip_tags

from core.admin.history import log_text
from core.secrets import Secret
from providers import accounts
from providers.models import Account, DailyLimit
from rentals.models import FoundOrder, Order, Transaction
from tests.factories.accounts import make_account
from tests.factories.orders import change, make_order, make_rented
from tests.factories.staff import make_staff, make_user

pytestmark = pytest.mark.django_db

CODE = "482913"
TEXT = "Your WhatsApp code is 482913"
NUMBER = "81234567890"
RENT = "rentals.rent_order"
VIEW = "rentals.view_order"


def list_url(name: str, *args: str) -> str:
    return reverse(f"admin:rentals_{name}", args=args)


def order_url(order: Order, name: str = "change") -> str:
    return list_url(f"order_{name}", order.public_id)


def signed_in(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def form_data(account: Account, **changes: Any) -> dict[str, Any]:
    return {
        "account": account.public_id,
        "project": "whatsapp",
        "region": "ID",
        "count": "1",
        "without_sms": "wait",
        "form_token": "one",
        **changes,
    }


def make_received(**fields: Any) -> Order:
    now = timezone.now()
    texts = {"code": Secret(CODE), "content": Secret(TEXT)}
    return make_rented(**{"state": "received", "sms_at": now, **texts, **fields})


# --- renting -----------------------------------------------------------------


def test_renting_one_number_opens_its_page() -> None:
    by = make_user(RENT)
    account = make_account("gosms")
    response = signed_in(by).post(list_url("order_rent"), form_data(account))
    order = Order.objects.get()
    assert response["Location"] == order_url(order)
    assert (order.created_by, order.held_by, order.state) == (by, by, "queued")


def test_form_submitted_twice_orders_once() -> None:
    client, account = signed_in(make_user(RENT)), make_account("gosms")
    first = client.post(list_url("order_rent"), form_data(account))
    second = client.post(list_url("order_rent"), form_data(account))
    assert Order.objects.count() == 1
    assert first["Location"] == second["Location"]


def test_several_numbers_are_ordered_only_after_confirmation() -> None:
    client, account = signed_in(make_user(RENT)), make_account("gosms")
    confirmation = client.post(list_url("order_rent"), form_data(account, count="3"))
    assert Order.objects.count() == 0
    mark = confirmation.context["confirm"]
    text = strip_tags(confirmation.content.decode())
    assert "Rent 3 numbers?" in text
    assert "WhatsApp · Indonesia" in text
    assert "Price unknown" in text
    client.post(list_url("order_rent"), form_data(account, count="4", confirmed=mark))
    assert Order.objects.count() == 0

    response = client.post(list_url("order_rent"), form_data(account, count="3", confirmed=mark))

    assert Order.objects.count() == 3
    assert response["Location"].startswith(list_url("order_board"))


def chosen_in(html: str, field: str) -> str:
    select = html.partition(f'name="{field}"')[2].partition("</select>")[0]
    found = re.search(r'<option value="([^"]*)" selected', select)
    return found[1] if found else ""


def test_nothing_is_chosen_on_a_first_visit() -> None:
    make_account("gosms")
    page = signed_in(make_user(RENT)).get(list_url("order_rent")).content.decode()
    assert (chosen_in(page, "project"), chosen_in(page, "region")) == ("", "")
    assert "Choose an app and a country/region to see the last price." in page
    assert "Choose an app and a country/region first." in page


def test_last_pair_of_the_person_is_not_chosen_again() -> None:
    by, account = make_user(RENT), make_account("gosms")
    make_order(account, by=by, project="telegram", region="ID")
    page = signed_in(by).get(list_url("order_rent")).content.decode()
    assert (chosen_in(page, "project"), chosen_in(page, "region")) == ("", "")
    assert "Telegram" in page


@pytest.mark.parametrize(
    ("missing", "text"),
    [("project", "Choose an app."), ("region", "Choose a country/region.")],
)
def test_form_without_a_choice_orders_nothing_and_says_what_is_missing(
    missing: str, text: str
) -> None:
    client, account = signed_in(make_user(RENT)), make_account("gosms")
    for changes in ({missing: ""}, {missing: "", "count": "3"}):
        page = client.post(list_url("order_rent"), form_data(account, **changes)).content.decode()
        assert text in page
    data = form_data(account)
    del data[missing]
    client.post(list_url("order_rent"), data)
    assert Order.objects.count() == 0


def test_paused_account_says_why_and_what_follows() -> None:
    account = make_account("gosms")
    accounts.pause(account, "credentials")
    client = signed_in(make_user(RENT))
    page = client.get(list_url("order_rent")).content.decode()
    assert "The provider did not accept the credentials." in page
    assert "No other account can be used now. Ask a manager to resume this one." in page
    client.post(list_url("order_rent"), form_data(account))
    # A browser does not post an option that is disabled.
    data = {name: value for name, value in form_data(account).items() if name != "account"}
    page = client.post(list_url("order_rent"), data).content.decode()
    assert "Choose an account that can be used now." in page
    assert f'<option value="{account.public_id}" selected' in page
    assert Order.objects.count() == 0


@pytest.mark.parametrize(
    "changes",
    [
        {"count": "0"},
        {"count": "51"},
        {"count": "１"},
        {"project": "nothing"},
        {"region": "id"},
        {"without_sms": "cancel", "cancel_after": ""},
        {"try_on": "on", "keep_trying": "999"},
    ],
    ids=str,
)
def test_invalid_form_orders_nothing(changes: dict[str, str]) -> None:
    client, account = signed_in(make_user(RENT)), make_account("gosms")
    response = client.post(list_url("order_rent"), form_data(account, **changes))
    assert Order.objects.count() == (1 if changes.get("count") == "１" else 0)
    assert response.status_code in (200, 302)


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"count": ""}, "Enter digits only, from 1 to 50."),
        ({"count": "-1"}, "Enter digits only, from 1 to 50."),
        ({"count": "９９"}, "Enter digits only, from 1 to 50."),
        ({"count": "9" * 10_000}, "Enter digits only, from 1 to 50."),
        ({"count": "two"}, "Enter digits only, from 1 to 50."),
        ({"without_sms": "cancel", "cancel_after": "61"}, "Enter digits only, from 1 to 60."),
        ({"try_on": "on", "keep_trying": "0"}, "Enter digits only, from 1 to 60."),
    ],
)
def test_wrong_number_says_what_fits(changes: dict[str, str], text: str) -> None:
    client, account = signed_in(make_user(RENT)), make_account("gosms")
    page = client.post(list_url("order_rent"), form_data(account, **changes)).content.decode()
    assert page.count(text) == 2, "beside the field, and above the form"


def test_dialog_names_the_number_that_the_form_read() -> None:
    client, account = signed_in(make_user(RENT)), make_account("gosms")
    page = client.post(list_url("order_rent"), form_data(account, count="３")).content.decode()
    assert "Rent 3 numbers?" in page
    assert 'value="３"' not in page
    assert Order.objects.count() == 0


def test_daily_limit_rejects_the_whole_request() -> None:
    by = make_user(RENT)
    DailyLimit.objects.create(user=by, what="orders", most=2)
    client, account = signed_in(by), make_account("gosms")
    mark = f"{account.public_id}:whatsapp:ID:3"
    response = client.post(list_url("order_rent"), form_data(account, count="3", confirmed=mark))
    assert Order.objects.count() == 0
    assert "The cap on rented numbers" in response.content.decode()


def test_page_shows_last_price_and_success_rate() -> None:
    account = make_account("gosms")
    now = timezone.now()
    make_received(account=account, placed_at=now - timedelta(seconds=20), sms_at=now)
    make_rented(account, state="expired", sms_at=None)
    query = {"account": account.public_id, "project": "whatsapp", "region": "ID", "count": "2"}
    text = signed_in(make_user(RENT)).get(list_url("order_pair"), query).content.decode()
    assert "Last price 0.50" in text
    assert "50% of 2 orders" in text
    assert "about 1.00" in text


def test_paused_account_rents_nothing() -> None:
    account = make_account("gosms")
    Account.objects.filter(pk=account.pk).update(paused_at=timezone.now())
    signed_in(make_user(RENT)).post(list_url("order_rent"), form_data(account))
    assert Order.objects.count() == 0


# --- permissions and masking ---------------------------------------------------


@pytest.mark.parametrize(
    ("path", "permission"),
    [
        ("rent", RENT),
        ("pair", RENT),
        ("board", VIEW),
        ("board_changes", VIEW),
        ("found", "rentals.import_order"),
        ("export", "rentals.export_order"),
        ("changes", VIEW),
    ],
)
def test_each_page_requires_its_permission(path: str, permission: str) -> None:
    make_account("gosms")
    assert signed_in(make_user()).get(list_url(f"order_{path}")).status_code == 403
    assert signed_in(make_user(permission, VIEW)).get(list_url(f"order_{path}")).status_code == 200


@pytest.mark.parametrize("action", ["cancel", "settle", "reveal", "hide", "hand"])
def test_each_action_requires_its_permission_and_post(action: str) -> None:
    order = make_rented()
    client = signed_in(make_user(VIEW))
    assert client.post(order_url(order, action)).status_code == 403
    manager = signed_in(make_user(is_superuser=True))
    assert manager.get(order_url(order, action)).status_code == 405
    order.refresh_from_db()
    assert (order.state, order.cancels.count()) == ("pending", 0)


def text_of_all_pages(client: Client, order: Order) -> str:
    addresses = [
        list_url("order_board") + "?scope=team",
        list_url("order_board_changes"),
        list_url("order_changelist"),
        list_url("order_changelist") + f"?q={order.phone}",
        order_url(order),
        order_url(order, "live"),
    ]
    text = "".join(client.get(address).content.decode() for address in addresses)
    # The search box repeats the typed number.
    return text.replace(order.phone.removeprefix("+"), "")


def test_viewer_sees_no_number_code_or_text_on_any_page() -> None:
    text = text_of_all_pages(signed_in(make_staff("viewer")), make_received())
    assert CODE not in text
    assert NUMBER not in text.replace(" ", "").replace(f"%2B62{NUMBER}", "")
    assert TEXT not in text


@pytest.mark.parametrize("part", ["created_by", "held_by"])
def test_creator_and_holder_see_the_order_unmasked(part: str) -> None:
    user = make_user(VIEW)
    order = change(make_received(), **{part: user})
    text = text_of_all_pages(signed_in(user), order)
    assert CODE in text
    assert TEXT in text


def test_reveal_requires_a_reason_and_is_logged() -> None:
    order = make_received()
    client = signed_in(make_staff("manager"))
    assert CODE not in client.post(order_url(order, "reveal"), {"reason": "other"}).content.decode()
    response = client.post(order_url(order, "reveal"), {"reason": "customer"})
    assert CODE in response.content.decode()
    assert "no-store" in response["Cache-Control"]
    assert log_text(LogEntry.objects.get()) == "Revealed: Customer request"


def test_export_contains_no_code_and_no_unmasked_number_of_others() -> None:
    make_received()
    client = signed_in(make_user(VIEW, "rentals.export_order"))
    body = b"".join(client.get(list_url("order_export"))).decode()
    assert CODE not in body
    assert NUMBER not in body
    assert LogEntry.objects.count() == 1


def test_exports_state_amounts_that_a_spreadsheet_can_add_up() -> None:
    order = make_rented(price=Decimal("1234.5000"))
    Transaction.objects.create(
        account=order.account,
        provider_id="7",
        type="Hold",
        amount=Decimal("-0.1234"),
        balance_after=Decimal("1234.5000"),
    )
    client = signed_in(make_user(is_superuser=True))
    orders = b"".join(client.get(list_url("order_export"))).decode()
    assert '"1234.50"' in orders
    transactions = b"".join(client.get(list_url("transaction_export"))).decode()
    assert '"-0.1234","1234.50"' in transactions


# --- the board -----------------------------------------------------------------


def test_board_of_500_open_orders_takes_few_queries() -> None:
    account, by = make_account("gosms"), make_staff("operator")
    now = timezone.now()
    Order.objects.bulk_create(
        Order(
            account=account,
            project="whatsapp",
            region="ID",
            state="pending",
            provider_id=str(number),
            phone="+6281234567890",
            held_by=by,
            created_by=by,
            expires_at=now + timedelta(minutes=9),
        )
        for number in range(500)
    )
    client = signed_in(by)
    client.get(list_url("order_board"))
    with CaptureQueriesContext(connection) as queries:
        response = client.get(list_url("order_board"))
    assert response.content.decode().count('id="order-') == 500
    assert len(queries) <= 21, "\n".join(one["sql"][:150] for one in queries)


def test_board_update_sends_changed_rows_only() -> None:
    account, by = make_account("gosms"), make_staff("operator")
    long_ago = timezone.now() - timedelta(minutes=5)
    for number in range(3):
        make_rented(account, by=by, changed_at=long_ago, phone=f"+628123456700{number}")
    order = make_received(account=account, by=by)
    since = (timezone.now() - timedelta(seconds=1)).isoformat()
    updates = signed_in(by).get(list_url("order_board_changes"), {"since": since}).json()
    assert list(updates["rows"]) == [order.public_id]
    assert CODE in updates["rows"][order.public_id]["html"]
    assert CODE not in updates["rows"][order.public_id]["arrived"]


@pytest.mark.parametrize("since", ["", "never", "2026-01-01", "2026-13-99T00:00:00Z", "\x00"])
def test_board_update_tolerates_malformed_since(since: str) -> None:
    client = signed_in(make_staff("operator"))
    assert client.get(list_url("order_board_changes"), {"since": since}).status_code == 200


# --- cancelling, settling, importing ---------------------------------------------


def test_cancelling_a_queued_order_withdraws_it() -> None:
    order = make_order()
    signed_in(make_staff("operator")).post(order_url(order, "cancel"))
    order.refresh_from_db()
    assert (order.state, order.cancels.count()) == ("cancelled", 0)


def test_second_cancel_reports_that_the_first_is_under_way() -> None:
    order = make_rented()
    client = signed_in(make_staff("operator"))
    client.post(order_url(order, "cancel"))
    response = client.post(order_url(order, "cancel"), follow=True)
    assert "Cancellation is already in progress" in response.content.decode()
    assert order.cancels.count() == 1


def test_cancel_is_offered_for_pending_orders_only() -> None:
    client = signed_in(make_staff("operator"))
    assert "Cancel order…" in client.get(order_url(make_rented())).content.decode()
    assert "Cancel order…" not in client.get(order_url(make_received())).content.decode()


def test_settling_an_unknown_order_requires_a_reason() -> None:
    order = make_order(state="unknown", answered_at=timezone.now(), reason="timed_out")
    client = signed_in(make_staff("manager"))
    client.post(order_url(order, "settle"), {"outcome": "not_made", "reason": "other", "other": ""})
    order.refresh_from_db()
    assert order.state == "unknown"
    client.post(order_url(order, "settle"), {"outcome": "not_made", "reason": "console"})
    order.refresh_from_db()
    assert (order.state, order.settled_because) == (
        "not_created",
        '{"key": "order_outcome.console"}',
    )


def test_manager_imports_a_found_order() -> None:
    found = FoundOrder.objects.create(
        account=make_account("gosms"),
        provider_id="4711",
        project="whatsapp",
        region="ID",
        phone="+6281234567890",
        stated="pending",
        created_there=timezone.now(),
    )
    manager = make_staff("manager")
    assert NUMBER not in signed_in(manager).get(list_url("order_found")).content.decode()
    signed_in(manager).post(list_url("order_found"), {"found": found.public_id})
    order = Order.objects.get(provider_id="4711")
    assert (order.held_by, order.imported, order.state) == (manager, True, "pending")


# --- transactions ----------------------------------------------------------------


def test_totals_are_kept_per_account() -> None:
    for number in (1, 2):
        Transaction.objects.create(
            account=make_account("gosms", name=f"Account {number}"),
            provider_id="1",
            type="Hold",
            amount=Decimal("0.50"),
            created_there=timezone.now(),
        )
    response = signed_in(make_staff("viewer")).get(list_url("transaction_changelist"))
    totals = response.context["money"]["totals"]
    assert [group["account"] for group in totals] == ["Account 1", "Account 2"]
    assert all(group["totals"][0].amount == Decimal("0.50") for group in totals)


@pytest.mark.parametrize("query", ["?page=999999", "?type=%00", "?q=" + "9" * 5000, "?o=99"])
def test_lists_tolerate_malformed_query_strings(query: str) -> None:
    client = signed_in(make_user(is_superuser=True))
    for name in ("order_changelist", "transaction_changelist", "finding_changelist"):
        assert client.get(list_url(name) + query, follow=True).status_code == 200
