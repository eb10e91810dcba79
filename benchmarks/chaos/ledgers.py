"""The portal's journal, transactions and ledger check against the provider's records."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

import requests

from messaging.models import Message
from otp.models import Attempt
from providers.gateway.vocabulary import Outcome
from providers.models import Account, ApiCall
from rentals import ledger
from rentals.models import Finding, Order, Transaction
from sandbox.remote import Remote

PAGE_SIZE = 100
BOOKED = {
    "received": {"Hold": 1},
    "completed": {"Hold": 1, "Release": 1},
    "cancelled": {"Hold": 1, "Refund": 1},
    "expired": {"Hold": 1, "Refund": 1},
}
"""The provider's transactions for an order, by the order's state there."""


def wrong_journal() -> Iterator[str]:
    """Results without a journal row, or the reverse: both are written in one transaction.

    The journal also has calls that were certainly not made.
    """
    done = ApiCall.objects.filter(outcome=Outcome.DONE)
    calls = Counter(done.values_list("operation", "subject"))
    by_subject: Counter[str] = Counter()
    for (operation, subject), number in calls.items():
        if operation not in ("fetch_order", "cancel_order", "check_code"):
            by_subject[subject] += number
    sent = Message.objects.filter(state="submitted", settled_at=None)
    subjects = [f"message:{pk}" for pk in sent.values_list("pk", flat=True)]
    placed = Order.objects.filter(imported=False, settled_at=None).exclude(provider_id="")
    subjects += [f"order:{pk}" for pk in placed.values_list("pk", flat=True)]
    yield from (
        f"{subject} has {by_subject[subject]} journal rows"
        for subject in subjects
        if by_subject[subject] != 1
    )
    answered = Attempt.objects.filter(account__provider="otpservice", state__in=("right", "wrong"))
    for session, number in Counter(answered.values_list("session_id", flat=True)).items():
        subject = f"session:{session}"
        if calls["check_code", subject] != number:
            every = Counter(
                ApiCall.objects.filter(subject=subject).values_list("outcome", flat=True)
            )
            yield f"{subject} has {number} answered checks, and journal rows {dict(every)}"


def wrong_transactions(remote: Remote, account: Account) -> Iterator[str]:
    """Compare transactions row by row.

    For an order without a row of ours, the provider may have added transactions since the portal
    read its list.
    """
    provider_rows = {
        str(row["id"]): _comparable(row) for row in _fetch_list(remote, account, "transactions")
    }
    ours = {
        row.provider_id: (row.type, row.amount.normalize(), row.order_provider_id)
        for row in Transaction.objects.filter(account=account)
    }
    known = set(Order.objects.filter(account=account).values_list("provider_id", flat=True))
    for number in provider_rows.keys() | ours.keys():
        row = provider_rows.get(number)
        if ours.get(number) != row and (row is None or row[2] in known or number in ours):
            yield f"transaction {number}: {ours.get(number)} here, {row} there"


def wrong_charges(remote: Remote, account: Account) -> Iterator[str]:
    """Orders of ours that have another state at the provider or were not charged exactly once."""
    provider_rows = {str(row["order_id"]): row for row in _fetch_list(remote, account, "orders")}
    booked: dict[str, Counter[str]] = {}
    for row in Transaction.objects.filter(account=account):
        booked.setdefault(row.order_provider_id, Counter())[row.type] += 1
    for order in Order.objects.filter(account=account).exclude(provider_id=""):
        state = str(provider_rows.get(order.provider_id, {}).get("status", "missing"))
        same = "received" if (order.state, state) == ("received", "completed") else state
        if same != order.state:
            yield f"order {order.pk} is {order.state} here and {state} there"
        elif booked.get(order.provider_id) != Counter(BOOKED.get(state)):
            yield f"order {order.pk} is {state}, and booked {booked.get(order.provider_id)}"


def wrong_findings(account: Account, taken_back: int = 0) -> Iterator[str]:
    """Findings of the ledger check, other than money held for a lost order.

    `taken_back`: orders whose rows a restore took back.
    """
    lost = taken_back + Order.objects.filter(account=account, state="unknown").count()
    held = 0
    for finding in ledger.check(account):
        if finding.kind == Finding.Kind.HOLD_WITHOUT_ORDER:
            held += 1
        else:
            yield f"the ledger check found {finding}"
    if held > lost:
        yield f"money is held for {held} orders that no row holds, and {lost} are lost"


def _comparable(row: dict[str, Any]) -> tuple[str, Any, str]:
    amount = Transaction._meta.get_field("amount").to_python(str(row["amount"]))
    return str(row["type"]), amount.normalize(), str(row.get("order_id", ""))


def _fetch_list(remote: Remote, account: Account, name: str) -> list[dict[str, Any]]:
    """A list of the provider, fetched directly."""
    remote.change_settings("gosms", list_order="oldest")
    key = account.credentials.get(name="api_key").value.reveal()
    rows: list[dict[str, Any]] = []
    with requests.Session() as session:
        session.trust_env = False
        while True:
            page = session.get(
                f"{account.base_url}/user/{name}",
                params={"page": str(len(rows) // PAGE_SIZE + 1), "page_size": str(PAGE_SIZE)},
                headers={"Authorization": f"Bearer {key}"},
                timeout=30,
            ).json()
            rows += page[name]
            if not page[name] or len(rows) >= page["total"]:
                return rows
