"""List, page, board and export state the same about messages, codes, orders and batches."""

from __future__ import annotations

import csv
import io
import re
from decimal import Decimal
from html import unescape
from typing import Any, Final

import pytest
from django.db.models import Model
from django.test import Client as Browser
from django.urls import reverse

from messaging.batches.states import BatchState
from messaging.models import Batch, Message
from messaging.states import MessageState
from otp.models import Session
from otp.states import SessionState
from rentals.models import Order
from rentals.states import OrderState
from tests.factories.batches import make_batch, numbers
from tests.factories.codes import make_session
from tests.factories.messages import make_message
from tests.factories.orders import make_rented
from tests.support.signed_in import browser_of, member

pytestmark = [pytest.mark.django_db, pytest.mark.any_database]

LABEL: Final = re.compile(
    r'<span class="state state-\w+"[^>]*><span[^>]*>\w+</span><span>([^<]+)</span></span>'
)


@pytest.fixture
def manager() -> Browser:
    return browser_of(member("manager"))


def labels_in(html: str) -> list[str]:
    return [unescape(word) for word in LABEL.findall(html)]


def html_of(browser: Browser, name: str, *args: str, **query: Any) -> str:
    answer = browser.get(reverse(f"admin:{name}", args=args), query)
    assert answer.status_code == 200
    return answer.content.decode()


def state_in_list(browser: Browser, name: str) -> str:
    page = html_of(browser, f"{name}_changelist")
    return labels_in(page.partition('id="result_list"')[2])[0]


def state_on_page(browser: Browser, name: str, public_id: str) -> str:
    page = html_of(browser, f"{name}_change", public_id)
    return labels_in(page.partition("status-line")[2])[0]


def exported(browser: Browser, name: str) -> dict[str, str]:
    answer = browser.get(reverse(f"admin:{name}_export"), {"format": "csv"})
    assert answer.status_code == 200
    text = b"".join(answer).decode("utf-8-sig")
    (row,) = csv.DictReader(io.StringIO(text))
    return row


def move(row: Model, **fields: Any) -> None:
    type(row)._default_manager.filter(pk=row.pk).update(**fields)


@pytest.mark.parametrize("state", list(MessageState))
@pytest.mark.parametrize("provider", ["haorui", "haosms"])
def test_message_has_one_state_everywhere(
    manager: Browser, state: MessageState, provider: str
) -> None:
    session = make_session() if provider == "haosms" else None
    message = session.newest_code().message if session else make_message()
    move(message, state=state)
    name = "messaging_message"
    shown = state_in_list(manager, name)
    assert shown == state_on_page(manager, name, message.public_id)
    assert shown == exported(manager, name)["State"]
    assert Message.objects.count() == 1


@pytest.mark.parametrize("state", list(SessionState))
def test_session_has_one_state_everywhere(manager: Browser, state: SessionState) -> None:
    session = make_session()
    move(session, state=state)
    name = "otp_session"
    shown = state_in_list(manager, name)
    assert shown == state_on_page(manager, name, session.public_id)
    assert shown == exported(manager, name)["State"]
    assert Session.objects.count() == 1


@pytest.mark.parametrize("state", list(OrderState))
def test_order_has_one_state_and_price_everywhere(manager: Browser, state: OrderState) -> None:
    order = make_rented(state=state, price=Decimal("1234.5000"))
    name = "rentals_order"
    shown = state_in_list(manager, name)
    assert shown == state_on_page(manager, name, order.public_id)
    row = exported(manager, name)
    assert shown == row["State"]
    assert row["Price"] == "1234.50"
    assert "1,234.50" in html_of(manager, f"{name}_changelist").partition("result_list")[2]
    assert "1,234.50" in html_of(manager, f"{name}_change", order.public_id)
    board = html_of(manager, f"{name}_board", scope="all")
    if f"order-{order.public_id}" in board:
        line = board.partition(f'id="order-{order.public_id}"')[2].partition("</tr>")[0]
        assert labels_in(line)[0] == shown
        assert "1,234.50" in line
    assert Order.objects.count() == 1


@pytest.mark.parametrize("state", list(BatchState))
def test_batch_has_one_state_everywhere(manager: Browser, state: BatchState) -> None:
    batch = make_batch(numbers(2))
    move(batch, state=state)
    name = "messaging_batch"
    shown = state_in_list(manager, name)
    assert shown == state_on_page(manager, name, batch.public_id)
    assert Batch.objects.count() == 1
