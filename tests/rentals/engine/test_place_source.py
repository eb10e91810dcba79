"""Orders from the request to the code, over real HTTP with the engine's own loop."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest
from django.contrib.auth.models import User
from django.utils import timezone

from providers import clock
from rentals import cancel_requests
from rentals.models import Order
from sandbox.server import Sandbox
from tests.factories.accounts import make_account
from tests.factories.orders import make_order
from tests.factories.staff import make_user
from tests.support.engine import IMPATIENT, run_engine
from tests.support.orders import answered, rent, until_state
from tests.support.threads import at_once

pytestmark = pytest.mark.django_db(transaction=True)


def test_placed_order_is_pending_and_scheduled_for_polling(sandbox: Sandbox) -> None:
    order = rent(make_order(make_account("gosms", sandbox)))

    assert (order.state, order.price) == ("pending", Decimal("0.50"))
    assert order.phone.startswith("+62812")
    assert order.provider_id
    assert order.expires_at is not None
    assert order.next_poll_at is not None


def test_lifetime_of_an_order_counts_by_the_clock_that_all_hosts_share(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    ahead = timedelta(minutes=60)
    monkeypatch.setattr(clock, "now", lambda: timezone.now() + ahead)

    order = rent(make_order(make_account("gosms", sandbox)))

    assert order.expires_at is not None
    assert order.expires_at > timezone.now() + ahead


def test_code_and_whole_text_are_read(sandbox: Sandbox) -> None:
    order = rent(make_order(make_account("gosms", sandbox)))
    sandbox.deliver_sms(order.provider_id, "Your WhatsApp code is 482913")

    order = until_state(order, "received")

    assert order.code.reveal() == "482913"
    assert order.content.reveal() == "Your WhatsApp code is 482913"
    assert order.next_poll_at is None


def test_order_is_not_polled_after_its_sms_is_complete(sandbox: Sandbox) -> None:
    order = rent(make_order(make_account("gosms", sandbox)))
    sandbox.deliver_sms(order.provider_id, "Your code is 482913")
    until_state(order, "received")
    lookups = len(sandbox.book.entries("gosms", "get_order"))

    other = rent(make_order(order.account))

    assert other.state == "pending"
    assert len(sandbox.book.entries("gosms", "get_order")) == lookups


def test_cancel_is_confirmed_by_the_orders_own_answer(sandbox: Sandbox) -> None:
    order = rent(make_order(make_account("gosms", sandbox)))
    assert cancel_requests.request_cancel(order, make_user())

    cancel = answered(order.cancels.get())

    order.refresh_from_db()
    assert (cancel.state, order.state, cancel.refund) == ("accepted", "cancelled", Decimal("0.50"))
    assert len(sandbox.book.entries("gosms", "cancel_order")) == 1


def test_concurrent_cancels_of_an_order_send_one_call(sandbox: Sandbox) -> None:
    order = rent(make_order(make_account("gosms", sandbox)))
    by = make_user()

    results = at_once(lambda: cancel_requests.request_cancel(order, by), 4)

    assert sorted(results) == [False, False, False, True]
    answered(order.cancels.get())
    assert len(sandbox.book.entries("gosms", "cancel_order")) == 1


def test_late_cancel_is_refused_and_the_code_is_read(sandbox: Sandbox) -> None:
    order = rent(make_order(make_account("gosms", sandbox)))
    sandbox.deliver_sms(order.provider_id, "Your code is 482913")
    cancel_requests.request_cancel(order, make_user())

    cancel = answered(order.cancels.get())

    order.refresh_from_db()
    assert (cancel.state, order.state) == ("refused", "received")
    assert order.code.reveal() == "482913"


@pytest.mark.parametrize("accepted", [True, False])
def test_cancel_with_lost_answer_is_decided_by_the_order(sandbox: Sandbox, accepted: bool) -> None:
    order = rent(make_order(make_account("gosms", sandbox)))
    sandbox.fault("json_truncated", provider="gosms", operation="cancel_order", accept=accepted)
    cancel_requests.request_cancel(order, make_user())

    cancel = answered(order.cancels.get())

    order.refresh_from_db()
    assert order.state == ("cancelled" if accepted else "pending")
    assert len(sandbox.book.entries("gosms", "cancel_order")) == 1
    assert cancel.state == ("accepted" if accepted else "not_done")


def test_replacement_is_rented_only_after_the_cancel(sandbox: Sandbox) -> None:
    order = rent(make_order(make_account("gosms", sandbox)))
    cancel_requests.request_cancel(order, make_user("rentals.rent_order"), then_rent=True)
    answered(order.cancels.get())

    other = Order.objects.get(instead_of=order)

    assert rent(other).state == "pending"


def test_no_replacement_is_rented_if_the_sms_was_faster(sandbox: Sandbox) -> None:
    order = rent(make_order(make_account("gosms", sandbox)))
    sandbox.deliver_sms(order.provider_id, "Your code is 482913")
    cancel_requests.request_cancel(order, make_user(), then_rent=True)
    answered(order.cancels.get())

    assert Order.objects.count() == 1


@pytest.mark.parametrize(
    ("project", "region", "reason"),
    [
        ("whatsapp", "AQ", "no_number_available"),
        ("noprice", "ID", "price_not_calculated"),
        ("nothing", "ID", "parameters"),
    ],
)
def test_refused_order_keeps_reason_and_words(
    sandbox: Sandbox, project: str, region: str, reason: str
) -> None:
    order = rent(make_order(make_account("gosms", sandbox), project=project, region=region))

    assert (order.state, order.reason) == ("refused", reason)
    assert order.words


def test_insufficient_balance_pauses_the_account_and_keeps_orders_queued(sandbox: Sandbox) -> None:
    sandbox.change_account("gosms", balance=Decimal(0), credit_limit=Decimal(0))
    account = make_account("gosms", sandbox)
    first, second = make_order(account), make_order(account)

    assert rent(first).reason == "no_balance"

    account.refresh_from_db()
    second.refresh_from_db()
    assert (account.pause_reason, second.state) == ("no_balance", "queued")
    assert len(sandbox.book.entries("gosms", "create_order")) == 1


def test_unavailable_number_is_retried_if_staff_asked_to_keep_trying(sandbox: Sandbox) -> None:
    order = make_order(make_account("gosms", sandbox), region="AQ", keep_trying=10)
    run_engine(lambda: Order.objects.filter(pk=order.pk).exclude(answered_at=None).exists())

    order.refresh_from_db()
    assert (order.state, order.reason) == ("queued", "no_number_available")
    assert order.answered_at is not None
    assert (order.not_before - order.answered_at).total_seconds() == pytest.approx(15, abs=0.5)


def test_lost_answer_never_leads_to_a_second_call(sandbox: Sandbox) -> None:
    sandbox.fault("never_answers", provider="gosms", operation="create_order", accept=True)
    order = make_order(make_account("gosms", sandbox))

    order = until_state(order, "unknown", deadlines=IMPATIENT)

    assert order.reason == "timed_out"
    assert len(sandbox.book.entries("gosms", "create_order")) == 1


def test_queued_order_of_deactivated_person_is_not_placed(sandbox: Sandbox) -> None:
    order = make_order(make_account("gosms", sandbox))
    User.objects.filter(username=order.created_by).update(is_active=False)
    assert rent(order).reason == "order_not_allowed"
    assert not sandbox.book.entries("gosms", "create_order")


def test_orders_of_one_app_and_country_are_placed_one_at_a_time(sandbox: Sandbox) -> None:
    account = make_account("gosms", sandbox)
    made = [make_order(account) for _ in range(6)]

    run_engine(lambda: Order.objects.filter(state="pending").count() == len(made))

    assert sandbox.book.peak("gosms") <= 4
    placed = list(Order.objects.order_by("placed_at").values_list("handed_over_at", "answered_at"))
    times = [moment for pair in placed for moment in pair if moment]
    assert len(times) == 2 * len(made)
    assert times == sorted(times)
