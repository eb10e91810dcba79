"""Hand an order over to a colleague, and import hand-overs that an older version logged."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Final

from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.auth.models import User
from django.contrib.contenttypes.models import ContentType
from django.db import transaction

from core.people import person_name
from core.stored_texts import object_name
from providers import clock

from .log_texts import REASSIGNED
from .models import HandOver, Order

LOG_PREFIX: Final = "Handed to "
"""How a log line of a hand-over begins that an older version wrote."""


def hand_over(order: Order, to: User, *, by: User) -> bool:
    """Assign an order to `to`, who then sees its code.

    False: another person has taken the order since it was read.
    """
    with transaction.atomic():
        seen = Order.objects.filter(pk=order.pk, held_by_id=order.held_by_id)
        now = clock.now()
        if not seen.update(held_by_id=to.pk, changed_at=now):
            return False
        line = LogEntry.objects.create(
            user_id=by.pk,
            content_type=ContentType.objects.get_for_model(Order),
            object_id=str(order.pk),
            object_repr=object_name(order),
            action_flag=CHANGE,
            change_message=REASSIGNED.store(name=person_name(to)),
            action_time=now,
        )
        HandOver.objects.create(
            order=order, from_person=order.held_by, to_person=to, by=by, at=now, log_entry=line
        )
    return True


def read_older_lines() -> int:
    """Create rows for hand-overs that an older version logged; return how many.

    During an upgrade both versions run, and the older one only writes log lines. Each line of this
    version has a row from the start, so a line without one comes from the older version.
    """
    lines = LogEntry.objects.filter(
        content_type=ContentType.objects.get_for_model(Order),
        change_message__startswith=LOG_PREFIX,
        hand_over=None,
    )
    of_orders = [line for line in lines if _order_pk(line) is not None]
    orders = Order.objects.in_bulk({_order_pk(line) for line in of_orders})
    matched = [(line, orders[pk]) for line in of_orders if (pk := _order_pk(line)) in orders]
    people = _by_unique_name(User.objects.all()) if matched else {}
    rows = []
    for line, order in matched:
        name = line.change_message.removeprefix(LOG_PREFIX)
        person = people.get(name)
        rows.append(
            HandOver(
                order=order,
                to_person=person,
                to_name=name[:310],
                by_id=line.user_id,
                at=line.action_time,
                log_entry=line,
            )
        )
    # A concurrent run may have created the row.
    HandOver.objects.bulk_create(rows, ignore_conflicts=True)
    for line, _order in matched:
        line.change_message = REASSIGNED.store(name=line.change_message.removeprefix(LOG_PREFIX))
    LogEntry.objects.bulk_update([line for line, _order in matched], ["change_message"], 200)
    return len(rows)


def _order_pk(line: LogEntry) -> int | None:
    text = line.object_id or ""
    # SQLite's LIKE ignores case, so check the prefix again.
    is_hand_over = (
        line.change_message.startswith(LOG_PREFIX) and text.isdecimal() and len(text) < 19
    )
    return int(text) if is_hand_over else None


def _by_unique_name(users: Iterable[User]) -> dict[str, User]:
    """People by name; names that several people share are left out."""
    named = [(person_name(user), user) for user in users]
    count = Counter(name for name, _ in named)
    return {name: user for name, user in named if count[name] == 1}
