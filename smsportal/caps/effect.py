"""How many would be over a cap now, by what was sent in its window.

At most the newest rows are read, so that the page opens quickly whatever the traffic.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

from django.db.models import QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from core.punctuation import join_sentences
from messaging.models import Message
from providers import clock
from providers.caps.cap import EACH
from providers.caps.defaults import range_of
from providers.caps.windows import Window
from providers.models import DailyLimit
from rentals.models import Order

MOST_READ: Final = 50_000
_COLUMNS: Final = {
    "number": "recipient",
    "prefix": "recipient",
    "country": "country",
    "account": "account_id",
    "user": "created_by_id",
}


@dataclass(frozen=True, slots=True)
class Effect:
    scope: str
    over: int
    is_part: bool
    """Whether there were more rows than were read."""

    @property
    def text(self) -> str:
        part = ""
        if self.is_part:
            part = _("Only the newest %(most)s were counted.") % {"most": f"{MOST_READ:,}"}
        return join_sentences(_over_text(self.scope, self.over), part)


def _over_text(scope: str, over: int) -> str:
    texts: dict[str, Callable[[], str]] = {
        "number": lambda: ngettext(
            "%(count)d phone number would be over this cap now.",
            "%(count)d phone numbers would be over this cap now.",
            over,
        ),
        "prefix": lambda: ngettext(
            "%(count)d prefix would be over this cap now.",
            "%(count)d prefixes would be over this cap now.",
            over,
        ),
        "country": lambda: ngettext(
            "%(count)d country or region would be over this cap now.",
            "%(count)d countries or regions would be over this cap now.",
            over,
        ),
        "account": lambda: ngettext(
            "%(count)d account would be over this cap now.",
            "%(count)d accounts would be over this cap now.",
            over,
        ),
        "user": lambda: ngettext(
            "%(count)d person would be over this cap now.",
            "%(count)d people would be over this cap now.",
            over,
        ),
    }
    return texts[scope]() % {"count": over}


def effect_of(limit: DailyLimit) -> Effect:
    """Count who would be over `limit`, which need not be saved."""
    scope = limit.scope or "user"
    since = clock.now() - timedelta(seconds=Window(limit.window).seconds)
    counted: Counter[Any] = Counter()
    is_part = False
    for rows, column in _sources(limit, scope):
        found = list(
            rows.filter(created_at__gte=since)
            .order_by("-created_at", "-pk")
            .values_list(column, flat=True)[: MOST_READ + 1]
        )
        is_part |= len(found) > MOST_READ
        counted.update(_keys(limit, scope, found[:MOST_READ]))
    over = sum(1 for key, sent in counted.items() if key and sent > limit.most)
    return Effect(scope, over, is_part)


def _sources(limit: DailyLimit, scope: str) -> list[tuple[QuerySet[Any], str]]:
    """What the cap counts, and the column that it counts by."""
    sources: list[tuple[QuerySet[Any], str]] = []
    messages = Message.objects.all()
    if limit.what == DailyLimit.What.MESSAGES:
        messages = messages.filter(kind=Message.Kind.TEXT)
    elif limit.what == DailyLimit.What.CODES:
        messages = messages.exclude(kind=Message.Kind.TEXT)
    if limit.what != DailyLimit.What.ORDERS:
        sources.append((_narrowed(messages, limit, _COLUMNS[scope]), _COLUMNS[scope]))
    if limit.what in (DailyLimit.What.ORDERS, "all") and scope not in ("number", "prefix"):
        column = "region" if scope == "country" else _COLUMNS[scope]
        sources.append((_narrowed(Order.objects.all(), limit, column), column))
    return sources


def _narrowed(rows: QuerySet[Any], limit: DailyLimit, column: str) -> QuerySet[Any]:
    if limit.user_id is not None:
        return rows.filter(created_by=limit.user_id)
    if limit.group_id is not None:
        return rows.filter(created_by__groups=limit.group_id)
    if limit.key == EACH or limit.scope == "prefix":
        return rows
    return rows.filter(**{column: limit.key})


def _keys(limit: DailyLimit, scope: str, found: list[Any]) -> list[Any]:
    if scope != "prefix":
        return found
    if limit.key == EACH:
        return [range_of(number) for number in found]
    return [limit.key for number in found if number.startswith(limit.key)]
