"""An order's page and the live list: handing over, two tabs, what follows by itself."""

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

from .test_orders import CODE, NUMBER, RENT, VIEW, arrived, of, page, signed_in

pytestmark = pytest.mark.django_db


# --- handing over --------------------------------------------------------------


@pytest.fixture
def holder() -> User:
    return make_staff("operator")


def test_who_holds_an_order_hands_it_to_somebody_who_then_sees_it(holder: User) -> None:
    order, other = arrived(by=holder), make_staff("operator")
    assert CODE not in signed_in(other).get(of(order)).content.decode()
    assert other.username in signed_in(holder).get(of(order)).content.decode()

    signed_in(holder).post(of(order, "hand"), {"to": other.pk})

    text = signed_in(other).get(of(order)).content.decode()
    assert CODE in text
    assert f"Handed over by {holder.username} to {other.username}" in text
    assert LogEntry.objects.get().user == holder


@pytest.mark.parametrize("permissions", [(VIEW,), (VIEW, RENT), (VIEW, "rentals.reveal_order")])
def test_who_neither_holds_nor_reveals_it_hands_nothing_over(permissions: tuple[str, ...]) -> None:
    order, other = arrived(), make_staff("operator")
    stranger = signed_in(make_user(*permissions))
    assert "Hand over" not in stranger.get(of(order)).content.decode()
    assert stranger.post(of(order, "hand"), {"to": other.pk}).status_code == 403
    order.refresh_from_db()
    assert order.held_by != other


def test_a_manager_gives_an_order_that_nobody_holds_to_somebody(holder: User) -> None:
    order = change(arrived(), held_by=None, imported=True)
    signed_in(make_staff("manager")).post(of(order, "hand"), {"to": holder.pk})
    order.refresh_from_db()
    assert order.held_by == holder


@pytest.mark.parametrize("to", ["", "x", "99999999999999999999", "viewer", "gone"])
def test_an_order_goes_to_nobody_who_may_not_hold_it(holder: User, to: str) -> None:
    order = arrived(by=holder)
    gone = make_staff("operator")
    User.objects.filter(pk=gone.pk).update(is_active=False)
    known = {"viewer": make_staff("viewer").pk, "gone": gone.pk}
    answer = signed_in(holder).post(of(order, "hand"), {"to": known.get(to, to)}, follow=True)
    assert "choose who goes on with it" in answer.content.decode()
    order.refresh_from_db()
    assert order.held_by == holder


def test_an_order_that_has_ended_is_handed_to_nobody(holder: User) -> None:
    order = make_rented(by=holder, state="expired")
    answer = signed_in(holder).post(of(order, "hand"), {"to": make_staff("operator").pk})
    assert answer.status_code == 403


# --- two tabs --------------------------------------------------------------------


def test_two_tabs_that_cancel_the_same_order_cancel_it_once(holder: User) -> None:
    order = make_rented(by=holder)
    first, second = signed_in(holder), signed_in(holder)
    for tab in (first, second):
        assert "Cancel order…" in tab.get(of(order)).content.decode()

    done = first.post(of(order, "cancel"), follow=True)
    late = second.post(of(order, "cancel"), {"then_rent": "yes"}, follow=True)

    assert "The provider is asked to cancel it." in done.content.decode()
    assert "nothing was asked twice" in late.content.decode()
    assert [one.then_rent for one in Cancel.objects.all()] == [False]


@pytest.mark.parametrize(
    ("state", "said"),
    [
        ("placing", "It is being ordered right now"),
        ("received", "The SMS had already come"),
        ("expired", "the order waits no more"),
    ],
)
def test_a_cancel_from_a_page_that_is_out_of_date_says_why_not(
    holder: User, state: str, said: str
) -> None:
    order = make_rented(by=holder, state=state)
    if state == "received":
        change(order, sms_at=timezone.now())
    answer = signed_in(holder).post(of(order, "cancel"), follow=True)
    assert said in answer.content.decode()
    assert not Cancel.objects.exists()


# --- answers that differ ------------------------------------------------------------


def test_a_code_that_differs_is_shown_to_those_who_see_the_order(holder: User) -> None:
    now = timezone.now().isoformat()
    kept = json.dumps([{"field": "code", "value": "111222", "at": now}])
    order = arrived(by=holder, differing_texts=Secret(kept), conflict=True)
    assert "111222" in signed_in(holder).get(of(order)).content.decode()
    assert "111222" not in signed_in(make_staff("viewer")).get(of(order)).content.decode()
    revealed = signed_in(make_staff("manager")).post(of(order, "reveal"), {"reason": "customer"})
    assert "111222" in revealed.content.decode()


def test_an_order_that_the_provider_does_not_know_says_so(holder: User) -> None:
    order = make_rented(by=holder, not_found=3)
    text = signed_in(holder).get(of(order)).content.decode()
    assert "The provider says that it has no such order." in text
    assert "Money may have been spent" in text


# --- the list ----------------------------------------------------------------------


def news_of(user: User, *orders: Order, query: str = "") -> dict[str, object]:
    rows = ",".join(order.public_id for order in orders)
    answer = signed_in(user).get(page("order_changes") + query, headers={"X-Rows": rows})
    news: dict[str, object] = answer.json()
    return news


def test_the_list_follows_its_rows_and_announces_newer_ones(holder: User) -> None:
    account = make_account("gosms")
    first, shown = make_rented(account, by=holder), arrived(account=account, by=holder)
    make_rented(account, by=holder)
    news = news_of(holder, shown, first)
    assert set(news["rows"]) == {first.public_id, shown.public_id}  # type: ignore[call-overload]
    row = news["rows"][shown.public_id]  # type: ignore[index]
    assert "SMS received" in row["state_"]
    assert CODE in row["number"]
    assert news["newer"] == "1 new – show"
    assert news_of(holder, shown, query="?shown=expired")["newer"] == ""


def test_what_the_list_follows_is_masked_like_the_list() -> None:
    order = arrived()
    text = json.dumps(news_of(make_staff("viewer"), order)).replace(" ", "")
    assert CODE not in text
    assert NUMBER not in text


@pytest.mark.parametrize("rows", ["", "x,y,,z", "a" * 5000, "1," * 500])
def test_the_list_bears_whatever_rows_it_is_asked_about(rows: str) -> None:
    client = signed_in(make_staff("viewer"))
    answer = client.get(page("order_changes") + "?shown=%00&page=x", headers={"X-Rows": rows})
    assert answer.json() == {"rows": {}, "newer": ""}


def test_a_row_that_was_written_down_late_still_reaches_the_board(holder: User) -> None:
    order = arrived(by=holder, changed_at=timezone.now() - timedelta(seconds=6))
    since = (timezone.now() - timedelta(seconds=1)).isoformat()
    news = signed_in(holder).get(page("order_board_changes"), {"since": since}).json()
    assert list(news["rows"]) == [order.public_id]


def test_what_the_provider_states_in_whole_seconds_comes_after_what_led_to_it(
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


def test_nothing_open_in_the_ledger_is_good_news_and_no_filter_too_many() -> None:
    client = signed_in(make_staff("manager"))
    assert (
        "Everything agrees."
        in client.get(page("finding_changelist") + "?open=open").content.decode()
    )
    explained = client.get(page("finding_changelist") + "?open=explained").content.decode()
    assert "Nothing matches these filters." in explained
