"""Orders as what a second person approves: those of one form together."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any, ClassVar

from django.contrib.auth.models import AnonymousUser, User
from django.db.models import Count, Q, QuerySet, Sum
from django.urls import reverse
from django.utils.translation import ngettext

from core.countries import country_name
from providers import clock
from providers.approvals.kinds import ApprovalKind, Proposal, Size
from providers.engine.wake import wake_engine
from providers.models import Account, Approval
from providers.states import ApprovalState

from . import proposals, success_rates
from .catalogue import project_names
from .models import Order
from .place_orders import APPROVAL_TIMED_OUT, NOT_ALLOWED, REJECTED, may_rent
from .states import ORDER_STATES, OrderState

S = OrderState

NOT_STARTED = (S.AWAITING_APPROVAL, S.REJECTED, S.REFUSED, S.NOT_CREATED)
REFUNDED = (S.CANCELLED, S.EXPIRED)


class ApprovedOrders(ApprovalKind):
    name: ClassVar[str] = proposals.KIND
    limit: ClassVar[str] = "orders"
    template: ClassVar[str] = "rentals/approval.html"

    def used(self, person: User, since: datetime, without: str) -> Size:
        """Orders that were placed or will be. Those that the provider refunds cost nothing."""
        own = Order.objects.filter(created_by=person, created_at__gt=since, imported=False)
        own = own.exclude(state__in=NOT_STARTED).exclude(state=S.CANCELLED, provider_id="")
        counts = own.order_by().aggregate(
            count=Count("pk"), cost=Sum("price", filter=~Q(state__in=REFUNDED))
        )
        return Size(counts["count"], (counts["cost"] or Decimal()) + _expected_cost(own))

    def proposal(self, approval: Approval) -> Proposal | None:
        orders = list(_waiting(approval).select_related("account").order_by("pk"))
        return proposals.proposal_of(orders) if orders else None

    def carry_out(self, approval: Approval) -> bool:
        if not may_rent(approval.asked_by):
            _end(approval, S.NOT_CREATED, reason=NOT_ALLOWED)
            return False
        now = clock.now()
        moved = ORDER_STATES.move(
            _waiting(approval),
            S.QUEUED,
            sources=(S.AWAITING_APPROVAL,),
            not_before=now,
            changed_at=now,
        )
        if moved:
            wake_engine()
        return bool(moved)

    def give_back(self, approval: Approval, outcome: ApprovalState, by: User | None) -> None:
        """An order that nobody approved ends: the person who needs the number asks again."""
        match outcome:
            case ApprovalState.REJECTED:
                _end(approval, S.REJECTED, reason=REJECTED)
            case ApprovalState.WITHDRAWN:
                _end(approval, S.CANCELLED, ended_by=by)
            case _:
                _end(approval, S.NOT_CREATED, reason=APPROVAL_TIMED_OUT)

    def url(self, approval: Approval) -> str:
        first = Order.objects.filter(pk=int(approval.subject.rpartition(":")[2])).first()
        if first is None or approval.count > 1:
            return reverse("admin:approval", args=[approval.public_id])
        return reverse("admin:rentals_order_change", args=[first.public_id])

    def preview(self, approval: Approval, reader: User | AnonymousUser) -> dict[str, Any]:
        orders = Order.objects.filter(approval=approval).select_related("account").order_by("pk")
        found = list(orders)
        if not found:
            return {"orders": []}
        first = found[0]
        stats = success_rates.pair_stats(first.account, first.project, first.region)
        app = project_names(first.account.provider).get(first.project, first.project)
        return {
            "orders": found,
            "first": first,
            "app": app,
            "country": country_name(first.region),
            "stats": stats,
        }

    def size_text(self, count: int) -> str:
        return ngettext("%(count)s number", "%(count)s numbers", count) % {"count": f"{count:,}"}


def _waiting(approval: Approval) -> QuerySet[Order]:
    return Order.objects.filter(approval=approval, state=S.AWAITING_APPROVAL)


def _end(approval: Approval, state: OrderState, **changes: Any) -> None:
    now = clock.now()
    rows = _waiting(approval)
    ORDER_STATES.move(
        rows, state, sources=(S.AWAITING_APPROVAL,), ended_at=now, changed_at=now, **changes
    )


def _expected_cost(own: QuerySet[Order]) -> Decimal:
    """About what the orders cost whose price the provider has not stated yet."""
    pairs = (
        own.filter(price=None)
        .exclude(state__in=REFUNDED)
        .order_by()
        .values_list("account", "project", "region")
        .annotate(count=Count("pk"))
    )
    total = Decimal()
    for pk, project, region, count in pairs:
        price = success_rates.last_price(Account(pk=pk), project, region)
        total += (price or Decimal()) * count
    return total
