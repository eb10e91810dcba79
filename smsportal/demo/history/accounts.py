"""Prices, a paused account, pauses of the past, and balances over the month."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Final

from django.conf import settings

from messaging.models import Message
from messaging.states import NEVER_LEFT, MessageState
from providers.accounts import create_account
from providers.gateway.vocabulary import Reason
from providers.models import Account, AccountPause, BalanceReading, CallbackToken, Credential
from sandbox import credentials as practice

from ..accounts import COUNTRIES
from .ground import Ground

SECOND: Final = "HAORUI (second)"
PAUSED_DAYS_AGO: Final = 3.2
WRONG_LOGIN: Final = "Invalid API ID or Password"
"""The sandbox's own words, so that a check of the account says the same."""
PRICES: Final = {"haosms": "0.0450", "haorui": "0.0320", "otpservice": "0.0580"}
"""Per segment."""
LAST_BALANCE: Final = Decimal(1_000_000)
"""The balance with which the sandbox's HaoSMS begins."""
READ_EVERY: Final = timedelta(hours=3)


def prepare_accounts(ground: Ground) -> None:
    """Give the accounts prices and an age, and add one that is paused because of its login."""
    second = ground.accounts["second"] = create_account(
        name=SECOND,
        provider="haorui",
        base_url=f"{settings.SANDBOX_URL}/haorui",
        credentials={"api_id": practice.HAORUI_API_ID, "api_password": "changed-by-the-provider"},
        options={"sender_ids": ["PORTAL"]},
        allowed_countries=list(COUNTRIES),
    )
    paused_at = ground.days_ago(PAUSED_DAYS_AGO)
    created = {"created_at": ground.days_ago(45)}
    for provider, price in PRICES.items():
        rows = Account.objects.filter(provider=provider, price_per_segment=None)
        rows.update(price_per_segment=Decimal(price))
    Account.objects.filter(pk=second.pk).update(
        paused_at=paused_at, pause_reason=Reason.CREDENTIALS, pause_words=WRONG_LOGIN
    )
    ours = [account.pk for account in ground.accounts.values()]
    Account.objects.filter(pk__in=ours).update(**created)
    CallbackToken.objects.filter(account__in=ours).update(
        **created, last_used_at=ground.now - timedelta(minutes=30)
    )
    Credential.objects.filter(account__in=ours).update(saved_at=created["created_at"])
    began = ground.days_ago(13.4)
    AccountPause.objects.bulk_create(
        [
            AccountPause(
                account=ground.accounts["haorui"],
                reason=Reason.NO_BALANCE,
                started_at=began,
                ended_at=began + timedelta(minutes=47),
                resumed_by=ground.people["manager"],
            ),
            AccountPause(account=second, reason=Reason.CREDENTIALS, started_at=paused_at),
        ]
    )
    for account in ground.accounts.values():
        account.refresh_from_db()


def write_balances(ground: Ground) -> None:
    """Balances of HaoSMS every few hours: they fall with each code, and rise when it is topped up.

    Those of GoSMS come with its transactions (`rentals`).
    """
    account = ground.accounts["haosms"]
    sent = Message.objects.filter(account=account).exclude(
        state__in=(*NEVER_LEFT, MessageState.QUEUED)
    )
    spent_at = sorted(sent.values_list("created_at", flat=True))
    top_ups = [(ground.days_ago(day), Decimal(20)) for day in (23.7, 16.6, 9.5, 2.6)]
    price = Decimal(PRICES["haosms"])
    balance = LAST_BALANCE + price * len(spent_at) - sum(amount for _, amount in top_ups)
    rows, position = [], 0
    at = ground.start + timedelta(minutes=7)
    while at < ground.now - timedelta(minutes=5):
        while position < len(spent_at) and spent_at[position] < at:
            balance -= price
            position += 1
        while top_ups and top_ups[0][0] < at:
            balance += top_ups.pop(0)[1]
        rows.append(BalanceReading(account=account, read_at=at, balance=balance))
        at += READ_EVERY
    rows.append(
        BalanceReading(
            account=account, read_at=ground.now - timedelta(minutes=5), balance=LAST_BALANCE
        )
    )
    BalanceReading.objects.bulk_create(rows, 500)
