"""What is counted of each table, and how its rows become figures."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

from django.db.models import (
    Case,
    Count,
    F,
    Func,
    IntegerField,
    Model,
    Q,
    QuerySet,
    Sum,
    Value,
    When,
)

from core.time_spans import SecondsBetween
from messaging.models import Message
from messaging.states import REPORTS, MessageState
from otp.models import Session
from otp.states import SessionState
from rentals.models import Order
from rentals.states import OrderState

from .counted_tables import TABLES, Source
from .durations import BOUNDS
from .models import Figure
from .slots import SECONDS, start_of

SENT: Final = (MessageState.SUBMITTED, *sorted(REPORTS))
"""States of messages that the provider accepted."""
PAID: Final = (
    OrderState.PENDING,
    OrderState.RECEIVED,
    OrderState.COMPLETED,
    OrderState.EXPIRED_UNCONFIRMED,
    OrderState.STALE,
)
"""States of orders whose price the provider has not paid back as far as is known."""


class SlotOf(Func):
    """The slot of a time, as `figures.slots.slot_of`."""

    output_field = IntegerField()

    def as_sqlite(self, compiler: Any, connection: Any, **extra: Any) -> Any:
        sql, values = compiler.compile(self.get_source_expressions()[0])
        return f"(CAST(strftime('%%s', {sql}) AS INTEGER) / {SECONDS})", values

    def as_postgresql(self, compiler: Any, connection: Any, **extra: Any) -> Any:
        sql, values = compiler.compile(self.get_source_expressions()[0])
        return f"floor(extract(epoch FROM {sql}) / {SECONDS})::int", values


@dataclass(slots=True)
class Sums:
    count: int = 0
    accepted: int = 0
    succeeded: int = 0
    segments: int = 0
    cost: Decimal = field(default_factory=Decimal)
    unpriced: int = 0


Key = tuple[int, str, int, str, int | None, int | None, str, str, int | None]
"""slot, kind, account, country, person, batch, state, reason, took."""


def figures_of(source: Source, first: int, end: int) -> list[Figure]:
    """Count the rows of the slots from `first` up to, but without, `end`."""
    sums: dict[Key, Sums] = defaultdict(Sums)
    for key, part in _GROUPS[source](start_of(first), start_of(end)):
        total = sums[key]
        total.count += part.count
        total.accepted += part.accepted
        total.succeeded += part.succeeded
        total.segments += part.segments
        total.cost += part.cost
        total.unpriced += part.unpriced
    return [_figure(key, total) for key, total in sums.items()]


def _figure(key: Key, sums: Sums) -> Figure:
    slot, kind, account, country, person, batch, state, reason, took = key
    return Figure(
        slot=slot,
        kind=kind,
        account_id=account,
        country=country,
        person_id=person,
        batch_id=batch,
        state=state,
        reason=reason,
        took=took,
        count=sums.count,
        accepted=sums.accepted,
        succeeded=sums.succeeded,
        segments=sums.segments,
        cost=sums.cost,
        unpriced=sums.unpriced,
    )


def kinds_of(source: Source) -> tuple[str, ...]:
    """The kinds of figures that the rows of a source become."""
    return {
        Source.MESSAGE: (Figure.Kind.TEXT, Figure.Kind.CODE),
        Source.SESSION: (Figure.Kind.SESSION,),
        Source.ORDER: (Figure.Kind.RENT,),
    }[source]


def _counted_state(source: Source, state: str) -> str:
    on_the_way = TABLES[source].on_the_way
    return on_the_way[0] if state in on_the_way else state


def _took(condition: Q | None = None) -> Case:
    """The class of the annotated `seconds`; NULL where they or the condition are not given."""
    missing = Q(seconds__isnull=True)
    return Case(
        When(missing if condition is None else missing | ~condition, then=None),
        *(When(seconds__lt=bound, then=Value(index)) for index, bound in enumerate(BOUNDS)),
        default=Value(len(BOUNDS)),
        output_field=IntegerField(),
    )


def _rows(model: type[Model], start: datetime, end: datetime) -> QuerySet[Any]:
    rows = model._default_manager.filter(created_at__gte=start, created_at__lt=end)
    found: QuerySet[Any] = rows.order_by().annotate(slot=SlotOf(F("created_at")))
    return found


def _message_groups(start: datetime, end: datetime) -> Iterator[tuple[Key, Sums]]:
    delivered = Q(state=MessageState.DELIVERED)
    rows = (
        _rows(Message, start, end)
        .annotate(seconds=SecondsBetween(F("reported_at"), F("answered_at")))
        .annotate(took=_took(delivered))
        .values_list(
            "slot",
            "kind",
            "account_id",
            "country",
            "created_by_id",
            "batch_id",
            "state",
            "reason",
            "took",
            "price",
        )
        .annotate(rows=Count("pk"), parts=Sum("segments"))
    )
    for slot, kind, account, country, person, batch, state, reason, took, price, *sums in rows:
        count, parts = sums
        is_sent = state in SENT
        yield (
            (
                slot,
                Figure.Kind.TEXT if kind == Message.Kind.TEXT else Figure.Kind.CODE,
                account,
                country,
                person,
                batch,
                _counted_state(Source.MESSAGE, state),
                reason,
                took,
            ),
            Sums(
                count=count,
                accepted=count if is_sent else 0,
                succeeded=count if state == MessageState.DELIVERED else 0,
                segments=parts if is_sent else 0,
                cost=price * parts if is_sent and price is not None else Decimal(),
                unpriced=count if is_sent and price is None else 0,
            ),
        )


def _session_groups(start: datetime, end: datetime) -> Iterator[tuple[Key, Sums]]:
    rows = (
        _rows(Session, start, end)
        .annotate(seconds=SecondsBetween(F("verified_at"), F("sent_at")))
        .annotate(took=_took())
        .values_list("slot", "account_id", "country", "created_by_id", "state", "reason", "took")
        .annotate(rows=Count("pk"), sent=Count("sent_at"))
    )
    for slot, account, country, person, state, reason, took, count, sent in rows:
        yield (
            (slot, Figure.Kind.SESSION, account, country, person, None, state, reason, took),
            Sums(
                count=count,
                accepted=sent,
                succeeded=count if state == SessionState.VERIFIED else 0,
            ),
        )


def _order_groups(start: datetime, end: datetime) -> Iterator[tuple[Key, Sums]]:
    rows = (
        _rows(Order, start, end)
        .annotate(seconds=SecondsBetween(F("sms_at"), F("placed_at")))
        .annotate(took=_took())
        .values_list(
            "slot", "account_id", "region", "created_by_id", "state", "reason", "took", "price"
        )
        .annotate(rows=Count("pk"), placed=Count("placed_at"), with_sms=Count("sms_at"))
    )
    for slot, account, region, person, state, reason, took, price, *sums in rows:
        count, placed, with_sms = sums
        is_paid = state in PAID
        yield (
            (
                slot,
                Figure.Kind.RENT,
                account,
                region,
                person,
                None,
                _counted_state(Source.ORDER, state),
                reason,
                took,
            ),
            Sums(
                count=count,
                accepted=placed,
                succeeded=with_sms,
                cost=price * count if is_paid and price is not None else Decimal(),
                unpriced=count if is_paid and price is None else 0,
            ),
        )


_GROUPS: Final[dict[Source, Callable[[datetime, datetime], Iterator[tuple[Key, Sums]]]]] = {
    Source.MESSAGE: _message_groups,
    Source.SESSION: _session_groups,
    Source.ORDER: _order_groups,
}
