"""The balance over time is drawn above the list of transactions."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest
from django.urls import reverse
from django.utils import timezone

from core.templatetags.charts import chart
from providers.models import BalanceReading
from rentals.admin.money_page import balance_chart
from sandbox.server import Sandbox
from tests.factories.accounts import make_account
from tests.factories.staff import make_staff
from tests.support.signed_in import browser_of

pytestmark = pytest.mark.django_db


def test_the_chart_has_the_readings_and_the_limit(sandbox: Sandbox) -> None:
    account = make_account("gosms", sandbox, low_balance=Decimal(150))
    now = timezone.now()
    for hours, amount in ((72, "4812.40"), (24, "4000"), (1, "120")):
        BalanceReading.objects.create(
            account=account, read_at=now - timedelta(hours=hours), available=Decimal(amount)
        )
    drawing = balance_chart(account, now)
    assert drawing is not None
    assert [cells for _, cells in drawing.rows] == [["4,812.40"], ["4,000.00"], ["120.00"]]
    assert drawing.lines[0].path.startswith("M0 ")
    assert "H666.67V" in drawing.lines[0].path, "a balance stays until the next reading"
    assert "Low-balance warning: 150.00" in chart(drawing)
    assert len(drawing.ticks) >= 2


def test_the_list_of_transactions_draws_the_balance(sandbox: Sandbox) -> None:
    account = make_account("gosms", sandbox, low_balance=Decimal(150))
    for amount in (200, 100):
        BalanceReading.objects.create(account=account, available=amount, read_at=timezone.now())
    browser = browser_of(make_staff("manager"))
    page = browser.get(reverse("admin:rentals_transaction_changelist")).content.decode()
    assert '<path class="line-1" d="M' in page
    assert "Show as table" in page
    assert "Low-balance warning: 150.00" in page


def test_without_readings_there_is_no_chart(sandbox: Sandbox) -> None:
    account = make_account("gosms", sandbox)
    assert balance_chart(account) is None
