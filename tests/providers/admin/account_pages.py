"""What the tests of an account's pages share."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

from django.test import Client as Browser
from django.utils import timezone

from providers.models import Account, BalanceReading


def make_reading(account: Account, minutes_ago: int = 0, **fields: Any) -> BalanceReading:
    defaults = {"balance": Decimal("950.5"), "available": Decimal("938"), "is_active": True}
    at = timezone.now() - timedelta(minutes=minutes_ago)
    return BalanceReading.objects.create(account=account, read_at=at, **{**defaults, **fields})


def text_of(browser: Browser, url: str) -> str:
    answer = browser.get(url)
    assert answer.status_code == 200
    return answer.content.decode()
