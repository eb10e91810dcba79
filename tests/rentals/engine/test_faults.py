"""Faulty answers of a provider: no order is placed twice, no SMS is lost, and none is stored under
another order. Over real HTTP where the connection matters."""

from __future__ import annotations

from datetime import timedelta
from itertools import product
from typing import Any
from uuid import uuid4

import pytest
from django.utils import timezone

from core.secrets import Secret
from providers.engine.work_source import Result
from providers.gateway.errors import GatewayError, NotDone, OutcomeUnknown, Refused
from providers.gateway.vocabulary import Reason, RentalPage
from rentals.engine.list_poll_source import PollSource
from rentals.engine.lookup_source import LookupJob
from rentals.models import Order, Watch
from sandbox.server import Sandbox
from tests.factories.accounts import make_account
from tests.factories.orders import make_order, make_rented
from tests.factories.staff import make_staff, make_user
from tests.rentals.admin.test_orders import order_url, signed_in
from tests.support.engine import IMPATIENT, run_engine

from .test_list_poll import ChangingLists, ids, rent_at_provider, run_round

UNCLEAR_FAULTS = (
    "html_200",
    "html_500",
    "html_502",
    "html_503",
    "empty_200",
    "json_truncated",
    "json_list",
    "json_string",
    "json_null",
    "json_number",
    "json_deep",
    "json_missing_keys",
    "json_duplicate_keys",
    "bad_utf8",
    "contradiction",
    "reset_after",
    "closed_after",
    "tls_broken",
    "huge_body",
)
"""Faults after which the answer does not show what happened."""
PROJECTS = ("whatsapp", "telegram", "facebook", "google")
REGIONS = ("ID", "US", "GB", "CN", "IN")


@pytest.mark.django_db(transaction=True)
def test_order_is_placed_once_whatever_its_answer(sandbox: Sandbox) -> None:
    sandbox.change_settings("gosms", rate_per_second=10_000, rate_per_minute=100_000)
    account, by = make_account("gosms", sandbox), make_user("rentals.rent_order")
    pairs = list(product(PROJECTS, REGIONS))
    # A new order has no stored fields that an answer could contradict.
    faults = [fault for fault in UNCLEAR_FAULTS if fault != "contradiction"]
    for fault, (project, region) in zip(faults, pairs, strict=False):
        sandbox.fault(fault, provider="gosms", operation="create_order")
        make_order(account, by=by, project=project, region=region)

    run_engine(
        lambda: Order.objects.filter(state="unknown").count() == len(faults),
        at_most=60,
        deadlines=IMPATIENT,
    )

    assert len(sandbox.book.entries("gosms", "create_order")) == len(faults)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    "faults", [UNCLEAR_FAULTS[:10], UNCLEAR_FAULTS[10:]], ids=["first", "others"]
)
def test_sms_is_read_on_the_poll_after_a_unclear_answer(
    sandbox: Sandbox, faults: tuple[str, ...]
) -> None:
    account = make_account("gosms", sandbox)
    for fault in faults:
        sandbox.fault(fault, provider="gosms", operation="get_order")
    placed = rent_at_provider(sandbox, account, 5, next_poll_at=timezone.now())
    for order in placed:
        sandbox.deliver_sms(order.provider_id, f"Your code is 9{order.provider_id}")

    received = Order.objects.filter(state="received").exclude(content="")
    run_engine(lambda: received.count() == len(placed), at_most=40, deadlines=IMPATIENT)

    for order in received:
        assert order.code.reveal() == f"9{order.provider_id}"


@pytest.mark.django_db
@pytest.mark.parametrize(
    "error",
    [
        NotDone(Reason.RATE_LIMITED),
        NotDone(Reason.UNREACHABLE),
        OutcomeUnknown(Reason.TIMED_OUT),
        OutcomeUnknown(Reason.PROVIDER_FAULT, http_status=503),
        Refused(Reason.CREDENTIALS, http_status=401),
        Refused(Reason.ORDER_NOT_FOUND, http_status=404),
        Refused(Reason.CONTRADICTION, http_status=200),
    ],
    ids=lambda error: error.reason,
)
def test_ten_minutes_of_errors_do_not_end_a_live_order(error: GatewayError) -> None:
    order, source, claim = make_rented(), PollSource(), uuid4()
    for _ in range(60):
        Order.objects.update(poll_claim=claim)
        job = LookupJob(
            order.account_id, f"order:{order.pk}", order.pk, timezone.now(), order.provider_id
        )
        source.record([Result(job, error=error)], claim)
    order.refresh_from_db()
    assert (order.state, order.poll_claim) == ("pending", None)
    assert order.next_poll_at is not None
    assert order.next_poll_at > timezone.now()


@pytest.mark.django_db
def test_rate_limited_list_triggers_no_single_lookups() -> None:
    account, claim, source = make_account("gosms"), uuid4(), PollSource()
    later = timezone.now() + timedelta(minutes=5)
    for _ in range(12):
        make_rented(account, next_poll_at=later)
    (job,) = source.claim(account, 5, claim)
    source.record([Result(job, error=NotDone(Reason.RATE_LIMITED))], claim)
    assert not Order.objects.filter(next_poll_at__lt=later - timedelta(seconds=1)).exists()
    assert Watch.objects.get().claim is None


@pytest.mark.django_db
def test_markup_and_links_of_an_sms_are_shown_as_text() -> None:
    user = make_staff("operator")
    text = "<a href='https://evil.example'>x</a> https://evil.example \u202e\u200b😀 " * 100
    order = make_rented(by=user, state="received", content=Secret(text), sms_at=timezone.now())
    page = signed_in(user).get(order_url(order)).content.decode()
    assert "&lt;a href=" in page
    assert 'href="https://evil' not in page
    assert "<a href='https://evil" not in page
    assert "😀" in page


# --- lists -------------------------------------------------------------------------


class SmallPages(ChangingLists):
    """Returns twenty rows, whatever page size is requested."""

    def list_orders(self, *, page: int, page_size: int, state: str) -> RentalPage:
        return super().list_orders(page=page, page_size=20, state=state)


class Repeating(ChangingLists):
    """Repeats the last row of a page at the head of the next one."""

    def list_orders(self, *, page: int, page_size: int, state: str) -> RentalPage:
        whole = super().list_orders(page=page, page_size=page_size, state=state)
        before: Any = self.lists[str(state)][(page - 1) * page_size - 1 :][:1] if page > 1 else []
        again = super().list_orders(page=1, page_size=1, state=state).rentals if before else ()
        return RentalPage((*again, *whole.rentals), whole.total, page, page_size)


@pytest.mark.parametrize("lists", [ChangingLists, SmallPages, Repeating])
def test_missing_order_is_found_however_the_list_is_paged(lists: type[ChangingLists]) -> None:
    assert run_round(lists(ids(249, 1), []), ids(250)).missing == frozenset({"0"})
