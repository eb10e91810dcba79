"""The form, the board, the order's page and the lists: what they do and whom they show what."""

from __future__ import annotations

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

from core.secrets import Secret
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


def page(name: str, *args: str) -> str:
    return reverse(f"admin:rentals_{name}", args=args)


def of(order: Order, name: str = "change") -> str:
    return page(f"order_{name}", order.public_id)


def signed_in(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def filled(account: Account, **changes: Any) -> dict[str, Any]:
    return {
        "account": account.public_id,
        "project": "whatsapp",
        "region": "ID",
        "count": "1",
        "without_sms": "wait",
        "form_token": "one",
        **changes,
    }


def arrived(**fields: Any) -> Order:
    now = timezone.now()
    texts = {"code": Secret(CODE), "content": Secret(TEXT)}
    return make_rented(**{"state": "received", "sms_at": now, **texts, **fields})


# --- renting -----------------------------------------------------------------


def test_one_number_leads_to_its_page() -> None:
    by = make_user(RENT)
    account = make_account("gosms")
    answer = signed_in(by).post(page("order_rent"), filled(account))
    order = Order.objects.get()
    assert answer["Location"] == of(order)
    assert (order.created_by, order.held_by, order.state) == (by, by, "queued")


def test_the_same_form_twice_orders_once() -> None:
    client, account = signed_in(make_user(RENT)), make_account("gosms")
    first = client.post(page("order_rent"), filled(account))
    second = client.post(page("order_rent"), filled(account))
    assert Order.objects.count() == 1
    assert first["Location"] == second["Location"]


def test_several_are_ordered_only_when_it_is_said_once_more() -> None:
    client, account = signed_in(make_user(RENT)), make_account("gosms")
    asked = client.post(page("order_rent"), filled(account, count="3"))
    assert Order.objects.count() == 0
    mark = asked.context["confirm"]
    text = asked.content.decode()
    assert "Rent 3 numbers?" in text
    assert "WhatsApp · Indonesia" in text
    assert "Their price is not known" in text
    client.post(page("order_rent"), filled(account, count="4", confirmed=mark))
    assert Order.objects.count() == 0

    answer = client.post(page("order_rent"), filled(account, count="3", confirmed=mark))

    assert Order.objects.count() == 3
    assert answer["Location"].startswith(page("order_board"))


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
def test_a_wrong_form_orders_nothing(changes: dict[str, str]) -> None:
    client, account = signed_in(make_user(RENT)), make_account("gosms")
    answer = client.post(page("order_rent"), filled(account, **changes))
    assert Order.objects.count() == (1 if changes.get("count") == "１" else 0)
    assert answer.status_code in (200, 302)


def test_a_limit_stops_the_whole_order_and_nothing_is_written() -> None:
    by = make_user(RENT)
    DailyLimit.objects.create(user=by, what="orders", most=2)
    client, account = signed_in(by), make_account("gosms")
    mark = f"{account.public_id}:whatsapp:ID:3"
    answer = client.post(page("order_rent"), filled(account, count="3", confirmed=mark))
    assert Order.objects.count() == 0
    assert "limit" in answer.content.decode()


def test_the_page_tells_the_last_price_and_how_it_went() -> None:
    account = make_account("gosms")
    now = timezone.now()
    arrived(account=account, placed_at=now - timedelta(seconds=20), sms_at=now)
    make_rented(account, state="expired", sms_at=None)
    query = {"account": account.public_id, "project": "whatsapp", "region": "ID", "count": "2"}
    text = signed_in(make_user(RENT)).get(page("order_pair"), query).content.decode()
    assert "Last price 0.50" in text
    assert "50% of 2 orders" in text
    assert "about 1.00" in text


def test_a_paused_account_rents_nothing() -> None:
    account = make_account("gosms")
    Account.objects.filter(pk=account.pk).update(paused_at=timezone.now())
    signed_in(make_user(RENT)).post(page("order_rent"), filled(account))
    assert Order.objects.count() == 0


# --- who may do and see what ---------------------------------------------------


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
def test_each_page_needs_its_permission(path: str, permission: str) -> None:
    make_account("gosms")
    assert signed_in(make_user()).get(page(f"order_{path}")).status_code == 403
    assert signed_in(make_user(permission, VIEW)).get(page(f"order_{path}")).status_code == 200


@pytest.mark.parametrize("action", ["cancel", "settle", "reveal", "hide", "hand"])
def test_each_action_needs_its_permission_and_a_post(action: str) -> None:
    order = make_rented()
    client = signed_in(make_user(VIEW))
    assert client.post(of(order, action)).status_code == 403
    chief = signed_in(make_user(is_superuser=True))
    assert chief.get(of(order, action)).status_code == 405
    order.refresh_from_db()
    assert (order.state, order.cancels.count()) == ("pending", 0)


def everything_shown(client: Client, order: Order) -> str:
    addresses = [
        page("order_board") + "?scope=team",
        page("order_board_changes"),
        page("order_changelist"),
        page("order_changelist") + f"?q={order.phone}",
        of(order),
        of(order, "live"),
    ]
    text = "".join(client.get(address).content.decode() for address in addresses)
    # What was typed into the search comes back as it was typed.
    return text.replace(order.phone.removeprefix("+"), "")


def test_without_reveal_neither_number_nor_code_nor_text_is_on_any_page() -> None:
    text = everything_shown(signed_in(make_staff("viewer")), arrived())
    assert CODE not in text
    assert NUMBER not in text.replace(" ", "").replace(f"%2B62{NUMBER}", "")
    assert TEXT not in text


@pytest.mark.parametrize("part", ["created_by", "held_by"])
def test_who_placed_or_holds_an_order_sees_it_whole(part: str) -> None:
    user = make_user(VIEW)
    order = change(arrived(), **{part: user})
    text = everything_shown(signed_in(user), order)
    assert CODE in text
    assert TEXT in text


def test_a_reveal_needs_a_reason_and_is_written_down() -> None:
    order = arrived()
    client = signed_in(make_staff("manager"))
    assert CODE not in client.post(of(order, "reveal"), {"reason": "other"}).content.decode()
    answer = client.post(of(order, "reveal"), {"reason": "customer"})
    assert CODE in answer.content.decode()
    assert "no-store" in answer["Cache-Control"]
    assert LogEntry.objects.get().change_message == "Revealed: The customer asks"


def test_an_export_holds_no_code_and_no_whole_number_of_others() -> None:
    arrived()
    client = signed_in(make_user(VIEW, "rentals.export_order"))
    body = b"".join(client.get(page("order_export"))).decode()
    assert CODE not in body
    assert NUMBER not in body
    assert LogEntry.objects.count() == 1


# --- the board -----------------------------------------------------------------


def test_500_open_orders_take_at_most_12_queries() -> None:
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
    client.get(page("order_board"))
    with CaptureQueriesContext(connection) as asked:
        answer = client.get(page("order_board"))
    assert answer.content.decode().count('id="order-') == 500
    assert len(asked) <= 12, "\n".join(one["sql"][:150] for one in asked)


def test_a_refresh_sends_changed_rows_only() -> None:
    account, by = make_account("gosms"), make_staff("operator")
    long_ago = timezone.now() - timedelta(minutes=5)
    for _ in range(3):
        make_rented(account, by=by, changed_at=long_ago)
    order = arrived(account=account, by=by)
    since = (timezone.now() - timedelta(seconds=1)).isoformat()
    news = signed_in(by).get(page("order_board_changes"), {"since": since}).json()
    assert list(news["rows"]) == [order.public_id]
    assert CODE in news["rows"][order.public_id]["html"]
    assert CODE not in news["rows"][order.public_id]["arrived"]


@pytest.mark.parametrize("since", ["", "never", "2026-01-01", "2026-13-99T00:00:00Z", "\x00"])
def test_a_refresh_bears_whatever_stands_in_its_address(since: str) -> None:
    client = signed_in(make_staff("operator"))
    assert client.get(page("order_board_changes"), {"since": since}).status_code == 200


# --- cancelling, settling, importing ---------------------------------------------


def test_an_order_that_was_not_placed_yet_is_simply_withdrawn() -> None:
    order = make_order()
    signed_in(make_staff("operator")).post(of(order, "cancel"))
    order.refresh_from_db()
    assert (order.state, order.cancels.count()) == ("cancelled", 0)


def test_a_second_cancel_says_that_it_is_being_cancelled() -> None:
    order = make_rented()
    client = signed_in(make_staff("operator"))
    client.post(of(order, "cancel"))
    answer = client.post(of(order, "cancel"), follow=True)
    assert "being cancelled already" in answer.content.decode()
    assert order.cancels.count() == 1


def test_cancel_is_offered_for_a_pending_order_only() -> None:
    client = signed_in(make_staff("operator"))
    assert "Cancel order…" in client.get(of(make_rented())).content.decode()
    assert "Cancel order…" not in client.get(of(arrived())).content.decode()


def test_staff_settle_an_unknown_order_with_a_reason() -> None:
    order = make_order(state="unknown", answered_at=timezone.now(), reason="timed_out")
    client = signed_in(make_staff("manager"))
    client.post(of(order, "settle"), {"outcome": "not_made", "reason": "other", "other": ""})
    order.refresh_from_db()
    assert order.state == "unknown"
    client.post(of(order, "settle"), {"outcome": "not_made", "reason": "console"})
    order.refresh_from_db()
    assert (order.state, order.settled_because) == (
        "not_created",
        "Seen in the provider's console",
    )


def test_a_manager_takes_an_order_over_that_was_not_placed_here() -> None:
    found = FoundOrder.objects.create(
        account=make_account("gosms"),
        provider_id="4711",
        project="whatsapp",
        region="ID",
        phone="+6281234567890",
        stated="pending",
        created_there=timezone.now(),
    )
    chief = make_staff("manager")
    assert NUMBER not in signed_in(chief).get(page("order_found")).content.decode()
    signed_in(chief).post(page("order_found"), {"found": found.public_id})
    order = Order.objects.get(provider_id="4711")
    assert (order.held_by, order.imported, order.state) == (chief, True, "pending")


# --- transactions ----------------------------------------------------------------


def test_totals_are_never_added_up_across_accounts() -> None:
    for number in (1, 2):
        Transaction.objects.create(
            account=make_account("gosms", name=f"Account {number}"),
            provider_id="1",
            type="Hold",
            amount=Decimal("0.50"),
            created_there=timezone.now(),
        )
    answer = signed_in(make_staff("viewer")).get(page("transaction_changelist"))
    totals = answer.context["money"]["totals"]
    assert [group["account"] for group in totals] == ["Account 1", "Account 2"]
    assert all(group["totals"][0].amount == Decimal("0.50") for group in totals)


@pytest.mark.parametrize("query", ["?page=999999", "?type=%00", "?q=" + "9" * 5000, "?o=99"])
def test_odd_addresses_of_the_lists_are_borne(query: str) -> None:
    client = signed_in(make_user(is_superuser=True))
    for name in ("order_changelist", "transaction_changelist", "finding_changelist"):
        assert client.get(page(name) + query, follow=True).status_code == 200
