"""What placing orders means, for the limits beyond which a second person must agree."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Final

from django.utils.translation import gettext_lazy as _

from core.stored_texts import declare, names
from providers.approvals.kinds import Proposal, Size
from providers.models import Account

from . import success_rates
from .catalogue import project_names
from .models import Order

KIND: Final = "order"
MAX_AGE: Final = timedelta(minutes=30)
"""Orders older than this are not placed: the person who needed the number no longer waits."""
COUNTRY: Final = "country"
TITLE: Final = declare("approval.orders", _("Numbers: %(app)s · %(country)s"))


def size_of(account: Account, project: str, region: str, count: int) -> Size:
    """The provider states the price when it rents; until then, the last price is the estimate."""
    price = success_rates.last_price(account, project, region)
    return Size(count, None if price is None else price * count)


def proposal_of(orders: Sequence[Order]) -> Proposal:
    """Placing these orders, which one form made."""
    first = orders[0]
    size = size_of(first.account, first.project, first.region, len(orders))
    app = project_names(first.account.provider).get(first.project, first.project)
    due = first.created_at + MAX_AGE
    return Proposal(
        kind=KIND,
        subject=f"{KIND}:{first.pk}",
        account=first.account,
        title=TITLE.store(app=app[:60], country=names(COUNTRY, [first.region])),
        size=size,
        facts={
            "project": first.project,
            "region": first.region,
            "keep_trying_until": first.keep_trying_until,
            "cancel_after": first.cancel_after,
        },
        involved=frozenset({first.created_by_id} if first.created_by_id else ()),
        due_at=max(due, first.keep_trying_until) if first.keep_trying_until else due,
    )
