"""An account with a balance, and a manager's browser."""

from __future__ import annotations

from decimal import Decimal

import pytest
from django.test import Client as Browser

from providers.models import Account
from tests.factories.accounts import make_account
from tests.support.signed_in import browser_of, member


@pytest.fixture
def account() -> Account:
    return make_account("gosms", name="GoSMS main", low_balance=Decimal(1000))


@pytest.fixture
def manager() -> Browser:
    return browser_of(member("manager"))
