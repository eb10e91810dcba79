"""An order's page and the live list: hand-overs, concurrent tabs, live updates."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import User
from django.utils import timezone

from core.secrets import Secret
from rentals.models import Cancel, Order, Transaction
from rentals.presentation.timeline import timeline
from tests.factories.accounts import make_account
from tests.factories.orders import change, make_rented
from tests.factories.staff import make_staff, make_user

from .test_orders import CODE, NUMBER, RENT, VIEW, list_url, make_received, order_url, signed_in

pytestmark = pytest.mark.django_db


# --- handing over --------------------------------------------------------------


@pytest.fixture
def holder() -> User:
    return make_staff("operator")


def test_holder_reassigns_order_and_new_holder_sees_code(holder: User) -> None:
    order, other = make_received(by=holder), make_staff("operator")
    assert CODE not in signed_in(other).get(order_url(order)).content.decode()
    assert other.username in signed_in(holder).get(order_url(order)).content.decode()

    signed_in(holder).post(order_url(order, "hand"), {"to": other.pk})

    text = signed_in(other).get(order_url(order)).content.decode()
    assert CODE in text
    assert f"Reassigned by {holder.username} to {other.username}" in text
    assert LogEntry.objects.get().user == holder


@pytest.mark.parametrize("permissions", [(VIEW,), (VIEW, RENT), (VIEW, "rentals.reveal_order")])
def test_reassigning_requires_holding_or_revealing_the_order(permissions: tuple[str, ...]) -> None:
    order, other = make_received(), make_staff("operator")
    stranger = signed_in(make_user(*permissions))
    assert "Reassign" not in stranger.get(order_url(order)).content.decode()
    assert stranger.post(order_url(order, "hand"), {"to": other.pk}).status_code == 403
    order.refresh_from_db()
    assert order.held_by != other


def test_manager_assigns_order_without_holder(holder: User) -> None:
    order = change(make_received(), held_by=None, imported=True)
    signed_in(make_staff("manager")).post(order_url(order, "hand"), {"to": holder.pk})
    order.refresh_from_db()
    assert order.held_by == holder


@pytest.mark.parametrize("to", ["", "x", "99999999999999999999", "viewer", "former"])
def test_order_cannot_be_handed_to_ineligible_person(holder: User, to: str) -> None:
    order = make_received(by=holder)
    former = make_staff("operator")
    User.objects.filter(pk=former.pk).update(is_active=False)
    people = {"viewer": make_staff("viewer").pk, "former": former.pk}
    response = signed_in(holder).post(
        order_url(order, "hand"), {"to": people.get(to, to)}, follow=True
    )
    assert "choose who takes over the order" in response.content.decode()
    order.refresh_from_db()
    assert order.held_by == holder


def test_ended_order_cannot_be_reassigned(holder: User) -> None:
    order = make_rented(by=holder, state="expired")
    response = signed_in(holder).post(order_url(order, "hand"), {"to": make_staff("operator").pk})
    assert response.status_code == 403


# --- two tabs --------------------------------------------------------------------


def test_two_tabs_cancel_the_same_order_once(holder: User) -> None:
    order = make_rented(by=holder)
    first, second = signed_in(holder), signed_in(holder)
    for tab in (first, second):
        assert "Cancel order…" in tab.get(order_url(order)).content.decode()

    done = first.post(order_url(order, "cancel"), follow=True)
    late = second.post(order_url(order, "cancel"), {"then_rent": "yes"}, follow=True)

    assert "Cancellation requested." in done.content.decode()
    assert "it was not requested twice" in late.content.decode()
    assert [one.then_rent for one in Cancel.objects.all()] == [False]


@pytest.mark.parametrize(
    ("state", "explanation"),
    [
        ("placing", "The order is being placed"),
        ("received", "the SMS has already arrived"),
        ("expired", "the order is no longer pending"),
    ],
)
def test_cancel_from_outdated_page_explains_why_it_failed(
    holder: User, state: str, explanation: str
) -> None:
    order = make_rented(by=holder, state=state)
    if state == "received":
        change(order, sms_at=timezone.now())
    response = signed_in(holder).post(order_url(order, "cancel"), follow=True)
    assert explanation in response.content.decode()
    assert not Cancel.objects.exists()


# --- answers that differ ------------------------------------------------------------


def test_differing_code_is_shown_only_to_readers_of_the_order(holder: User) -> None:
    now = timezone.now().isoformat()
    kept = json.dumps([{"field": "code", "value": "111222", "at": now}])
    order = make_received(by=holder, differing_texts=Secret(kept), conflict=True)
    assert "111222" in signed_in(holder).get(order_url(order)).content.decode()
    assert "111222" not in signed_in(make_staff("viewer")).get(order_url(order)).content.decode()
    revealed = signed_in(make_staff("manager")).post(
        order_url(order, "reveal"), {"reason": "customer"}
    )
    assert "111222" in revealed.content.decode()


def test_page_states_that_provider_does_not_know_the_order(holder: User) -> None:
    order = make_rented(by=holder, not_found=3)
    text = signed_in(holder).get(order_url(order)).content.decode()
    assert "The provider reports that it has no such order." in text
    assert "This may have been charged" in text


# --- the list ----------------------------------------------------------------------


def list_updates(user: User, *orders: Order, query: str = "") -> dict[str, object]:
    rows = ",".join(order.public_id for order in orders)
    response = signed_in(user).get(list_url("order_changes") + query, headers={"X-Rows": rows})
    updates: dict[str, object] = response.json()
    return updates


def test_list_updates_its_rows_and_announces_newer_ones(holder: User) -> None:
    account = make_account("gosms")
    first, shown = make_rented(account, by=holder), make_received(account=account, by=holder)
    make_rented(account, by=holder)
    updates = list_updates(holder, shown, first)
    assert set(updates["rows"]) == {first.public_id, shown.public_id}  # type: ignore[call-overload]
    row = updates["rows"][shown.public_id]  # type: ignore[index]
    assert "SMS received" in row["state_"]
    assert CODE in row["number"]
    assert updates["newer"] == "Show 1 new"
    assert list_updates(holder, shown, query="?shown=expired")["newer"] == ""


def test_live_updates_are_masked_like_the_list() -> None:
    order = make_received()
    text = json.dumps(list_updates(make_staff("viewer"), order)).replace(" ", "")
    assert CODE not in text
    assert NUMBER not in text


@pytest.mark.parametrize("rows", ["", "x,y,,z", "a" * 5000, "1," * 500])
def test_list_updates_tolerate_malformed_row_ids(rows: str) -> None:
    client = signed_in(make_staff("viewer"))
    response = client.get(list_url("order_changes") + "?shown=%00&page=x", headers={"X-Rows": rows})
    assert response.json() == {"rows": {}, "newer": ""}


def test_row_committed_late_still_reaches_the_board(holder: User) -> None:
    order = make_received(by=holder, changed_at=timezone.now() - timedelta(seconds=6))
    since = (timezone.now() - timedelta(seconds=1)).isoformat()
    updates = signed_in(holder).get(list_url("order_board_changes"), {"since": since}).json()
    assert list(updates["rows"]) == [order.public_id]


def test_timeline_puts_whole_second_times_after_their_cause(
    holder: User,
) -> None:
    second = timezone.now().replace(microsecond=0)
    order = make_rented(by=holder, created_at=second + timedelta(milliseconds=400))
    for kind, moment in (("Hold", second), ("Refund", second + timedelta(seconds=1))):
        Transaction.objects.create(
            account=order.account,
            provider_id=kind,
            type=kind,
            amount=1,
            order_provider_id=order.provider_id,
            created_there=moment,
        )
    lines = [line.text.split()[0] for line in timeline(order, with_calls=False, with_money=True)]
    assert lines.index("Ordered") < lines.index("Hold") < lines.index("Refund")


@pytest.mark.parametrize("state", ["cancelled", "expired", "expired_unconfirmed", "stale"])
def test_order_that_ended_without_sms_has_no_switches_and_says_so(holder: User, state: str) -> None:
    pending = signed_in(holder).get(order_url(make_rented(by=holder))).content.decode()
    assert "data-switch=" in pending
    assert "No SMS yet" in pending

    ended = signed_in(holder).get(order_url(make_rented(by=holder, state=state))).content.decode()

    assert "data-switch=" not in ended
    assert "No SMS yet" not in ended
    assert "No SMS arrived." in ended
