"""Calls that the sandbox's book has more often than our rows explain."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping

from messaging.models import Message
from providers.models import Account
from rentals.models import Cancel, Order

from .accounts import label_of
from .sandbox_book import SandboxBook

Pair = tuple[str, str, str]


def repeated_sends(book: SandboxBook) -> list[str]:
    """Repeated sends by reference. HaoSMS takes none, but each of its numbers gets one code."""
    found = [
        f"{provider} accepted {reference} {times} times"
        for provider, references in book.sent.items()
        for reference, times in references.items()
        if times > 1
    ]
    found += [f"a provider accepted {one} more than once" for one in book.repeated()]
    for recipient, times in sent_by_haosms(book).items():
        rows = Message.objects.filter(recipient=recipient, account__provider="haosms").count()
        if times > rows:
            found.append(f"haosms sent {times} codes to {recipient} for {rows} messages")
    return found


def sent_by_haosms(book: SandboxBook) -> Counter[str]:
    """The number of sends by HaoSMS to each recipient."""
    sent: Counter[str] = Counter()
    for reference, times in book.sent["haosms"].items():
        sent[f"+86{reference.partition(':')[0]}"] += times
    return sent


def repeated_checks(
    checks: Mapping[tuple[str, str], int], wanted: Iterable[tuple[str, str]]
) -> list[str]:
    """Repeated checks. A check uses up a try at the provider, so it is never repeated either.

    Both hold the provider's session id and the code: once for each call, and for each try.
    """
    attempts = Counter(wanted)
    return [
        f"code {code} of {sid} was checked {times} times for {attempts[sid, code]} tries"
        for (sid, code), times in checks.items()
        if times > attempts[sid, code]
    ]


def repeated_orders(book: SandboxBook) -> list[str]:
    """Repeated orders, by app and country.

    An order has no reference, but its app and country belong only to it and its replacement. An
    id that no row has must therefore belong to a row without one.
    """
    labels = {account.pk: label_of(account) for account in Account.objects.all()}
    ids: dict[Pair, set[str]] = defaultdict(set)
    rows: Counter[Pair] = Counter()
    without_id: Counter[Pair] = Counter()
    for order in Order.objects.filter(imported=False):
        pair = labels[order.account_id], order.project, order.region
        rows[pair] += 1
        if order.provider_id:
            ids[pair].add(order.provider_id)
        elif order.handed_over_at is not None:
            without_id[pair] += 1
    found = []
    for pair, made in book.orders.items():
        if len(made) > rows[pair] or len(set(made) - ids[pair]) > without_id[pair]:
            found.append(f"{len(made)} numbers were rented for {rows[pair]} orders of {pair}")
    return found


def repeated_cancels(book: SandboxBook) -> list[str]:
    requests = Counter(Cancel.objects.values_list("order__provider_id", flat=True))
    return [
        f"order {order} was cancelled {times} times for {requests[order]} requests"
        for order, times in book.cancels.items()
        if times > requests[order]
    ]
