"""Orders as what a hold keeps.

An order on hold may have been placed by a newer database. The provider's own list shows it, and an
order that is found there is adopted, not placed again (`reconciliation`).
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from datetime import datetime
from typing import ClassVar, Final
from urllib.parse import urlencode

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Count, F, Max, Min, QuerySet
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext, pgettext_lazy

from core.countries import country_name
from core.people import person_name
from core.punctuation import listed, with_detail
from core.stored_texts import declare
from core.times import short_time
from providers import clock
from providers.approvals import requests
from providers.engine.wake import wake_engine
from providers.hold.holdable import FROM_BEFORE, HeldGroup, HeldRow, Holdable, held_accounts
from providers.models import Account, Hold

from . import place_orders, proposals, reconciliation
from .catalogue import project_names
from .engine.list_sync_source import request_reading
from .models import Order, Reading
from .states import ORDER_STATES, OrderState

S = OrderState

TITLE: Final = declare("held.orders", pgettext_lazy("hold", "Orders"))
MAX_NAMED: Final = 10
MAX_COMPARED: Final = 50


class OrdersOnHold(Holdable):
    name: ClassVar[str] = "orders"

    def hold(self, hold: Hold) -> int:
        """One in flight only points to the hold, so that it is not placed again if its call turns
        out not to have been made."""
        orders = Order.objects.filter(account__in=held_accounts())
        asked = orders.filter(state=S.AWAITING_APPROVAL).order_by()
        subjects = list(asked.values_list("approval__subject", flat=True).distinct())
        requests.end_with(subjects, requests.HELD)
        free = {"claim": None, "claimed_at": None, "changed_at": clock.now()}
        moved = ORDER_STATES.move(orders, S.HELD, sources=(S.QUEUED, S.CLAIMED), hold=hold, **free)
        # Without its request, a held order would not show that nobody approved it.
        known = orders.exclude(approval=None)
        moved += ORDER_STATES.move(known, S.HELD, sources=(S.AWAITING_APPROVAL,), hold=hold, **free)
        joined = orders.filter(state=S.HELD).exclude(hold=hold).update(hold=hold)
        orders.filter(state=S.PLACING).update(hold=hold)
        _ask_for_lists(hold)
        return moved + joined

    def groups(self, hold: Hold) -> list[HeldGroup]:
        pks = _kept(hold).order_by().values_list("account", flat=True).distinct()
        accounts = Account.objects.filter(pk__in=list(pks)).order_by("name", "pk")
        return [_group(hold, account) for account in accounts]

    def rows(self, hold: Hold, group: str, after: int, limit: int) -> list[HeldRow]:
        found = _in_group(hold, group).filter(pk__gt=after).order_by("pk")
        return [_row(order) for order in found.select_related("account", "created_by")[:limit]]

    def count_undecided(self, hold: Hold) -> int:
        return _undecided(hold).count()

    def settle_known(self, hold: Hold) -> int:
        """Adopt what the lists show so far, and ask for the lists again."""
        before = self.count_undecided(hold)
        for account in _accounts(hold):
            reconciliation.settle(account, clock.now())
        _ask_for_lists(hold)
        return before - self.count_undecided(hold)

    def release(self, hold: Hold, group: str, rows: Collection[int] | None, by: User | None) -> int:
        """Orders that are too old to be placed stay on hold, as do those that nobody approved."""
        now = clock.now()
        chosen = _placeable(_chosen(hold, group, rows), now)
        with transaction.atomic():
            pks = list(chosen.order_by().values_list("pk", flat=True))
            moved = ORDER_STATES.move(
                Order.objects.filter(pk__in=pks, hold=hold),
                S.QUEUED,
                sources=(S.HELD,),
                hold=None,
                released_from=F("hold"),
                changed_at=now,
            )
            if moved:
                wake_engine()
        return moved

    def discard(
        self, hold: Hold, group: str, rows: Collection[int] | None, by: User | None, reason: str
    ) -> int:
        """The search for it continues: it may have been placed at any time before the hold."""
        return ORDER_STATES.move(
            _chosen(hold, group, rows),
            S.UNKNOWN,
            sources=(S.HELD,),
            reason=FROM_BEFORE,
            answered_at=hold.started_at,
            changed_at=clock.now(),
        )


def _kept(hold: Hold) -> QuerySet[Order]:
    return Order.objects.filter(hold=hold).exclude(state=S.PLACING)


def _undecided(hold: Hold) -> QuerySet[Order]:
    return Order.objects.filter(hold=hold, state__in=(S.HELD, S.QUEUED))


def _placeable(orders: QuerySet[Order], now: datetime) -> QuerySet[Order]:
    return place_orders.not_expired(orders.filter(place_orders.is_agreed()), now)


def _in_group(hold: Hold, group: str) -> QuerySet[Order]:
    name, _colon, account = group.partition(":")
    if name != OrdersOnHold.name or not account.isdecimal():
        return Order.objects.none()
    return _undecided(hold).filter(account=int(account))


def _chosen(hold: Hold, group: str, rows: Collection[int] | None) -> QuerySet[Order]:
    found = _in_group(hold, group)
    return found if rows is None else found.filter(pk__in=rows)


def _accounts(hold: Hold) -> list[Account]:
    pks = _undecided(hold).order_by().values_list("account", flat=True).distinct()
    return list(Account.objects.filter(pk__in=list(pks)).order_by("pk"))


def _ask_for_lists(hold: Hold) -> None:
    for account in _accounts(hold):
        for kind in Reading.Kind:
            request_reading(account, kind, whole=True)


# --- what the page says ------------------------------------------------------


def _group(hold: Hold, account: Account) -> HeldGroup:
    kept = _kept(hold).filter(account=account)
    waiting = _undecided(hold).filter(account=account)
    times = waiting.aggregate(count=Count("pk"), oldest=Min("created_at"), newest=Max("created_at"))
    renters = kept.order_by().values("created_by").distinct().count()
    people = ngettext("%(count)s person", "%(count)s people", renters) % {"count": renters}
    sendable = _placeable(waiting, clock.now())
    query = urlencode({"shown": S.HELD, "account__id__exact": account.pk})
    return HeldGroup(
        key=f"{OrdersOnHold.name}:{account.pk}",
        icon="add_call",
        stored_title=TITLE.store(),
        account=with_detail(account.name, people),
        undecided=times["count"],
        oldest=times["oldest"],
        newest=times["newest"],
        facts=[*_settled_facts(kept), *_waiting_facts(hold, waiting, sendable)],
        settled=_settled(kept).count(),
        may_send=times["count"] == 0 or sendable.exists(),
        url=f"{reverse('admin:rentals_order_changelist')}?{query}",
        has_rows=True,
    )


def _row(order: Order) -> HeldRow:
    app = project_names(order.account.provider).get(order.project, order.project)
    return HeldRow(
        pk=order.pk,
        title=with_detail(app, country_name(order.region)),
        line=with_detail(order.account.name, person_name(order.created_by)),
        at=order.created_at,
        url=reverse("admin:rentals_order_change", args=[order.public_id]),
    )


def _settled(kept: QuerySet[Order]) -> QuerySet[Order]:
    """Orders that were found at the provider, although they were not placed here."""
    return kept.exclude(provider_id="").filter(handed_over_at=None)


def _settled_facts(kept: QuerySet[Order]) -> Iterator[str]:
    ids = list(_settled(kept).order_by("pk").values_list("provider_id", flat=True))
    if not ids:
        return
    yield _("Found in the order list of the provider: %(count)s.") % {"count": f"{len(ids):,}"}
    named = listed(ids[:MAX_NAMED]) + (" …" if len(ids) > MAX_NAMED else "")
    yield _("Adopted with their numbers: %(ids)s. Nothing is ordered again.") % {"ids": named}


def _waiting_facts(
    hold: Hold, waiting: QuerySet[Order], sendable: QuerySet[Order]
) -> Iterator[str]:
    orders = list(waiting.select_related("hold").order_by("pk")[: MAX_COMPARED + 1])
    if not orders:
        return
    count = len(orders)
    found = {one.pk for order in orders[:MAX_COMPARED] for one in reconciliation.candidates(order)}
    read_at = _read_completely_at(hold, orders[0])
    if found:
        text = _(
            "Orders in the provider's list that may match: %(count)s. Decide about those first."
        )
        yield text % {"count": f"{len(found):,}"}
    elif read_at is not None and count <= MAX_COMPARED:
        text = _("The list of the provider, read completely at %(time)s, shows none of them.")
        yield text % {"time": short_time(read_at)}
    else:
        yield _("Whether they were placed is not known. The list of the provider is being read.")
    unapproved = waiting.exclude(place_orders.is_agreed()).count()
    if unapproved:
        text = _("Beyond a limit and approved by no one, not ordered: %(count)s.")
        yield text % {"count": f"{unapproved:,}"}
    old = waiting.count() - sendable.count() - unapproved
    if old > 0:
        minutes = round(proposals.MAX_AGE.total_seconds() / 60)
        text = _("Waiting for more than %(minutes)s minutes, no longer ordered: %(count)s.")
        yield text % {"count": f"{old:,}", "minutes": minutes}


def _read_completely_at(hold: Hold, order: Order) -> datetime | None:
    since = Order(account_id=order.account_id, answered_at=hold.started_at)
    readings = reconciliation.full_readings_since(since, Reading.Kind.ORDERS)
    newest = readings.order_by("-ended_at").first()
    return newest.ended_at if newest else None
