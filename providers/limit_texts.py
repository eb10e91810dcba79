"""What staff read where a daily limit is used up."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from core.times import short_time

from .daily_limits import LimitReached

TEXTS: Final[Mapping[str, Promise]] = {
    "user": _(
        "Your daily limit is used up (%(used)s of %(most)s). Ask a manager, or go on at %(time)s."
    ),
    "account": _(
        "The daily limit of this account is used up (%(used)s of %(most)s). Ask a manager,"
        " or go on at %(time)s."
    ),
}
"""By the scope of the limit."""


def limit_text(
    limit: LimitReached, own_texts: Mapping[str, Promise] | None = None, **names: str
) -> str:
    """Which limit it is, and when some of it is free again: it holds for any 24 hours, so that
    comes bit by bit, not at midnight.

    `own_texts` go before `TEXTS`, or add scopes of the app; `names` fill further places in
    them.
    """
    texts = {**TEXTS, **(own_texts or {})}
    values = {"used": limit.used, "most": limit.cap.most, "time": short_time(limit.free_at)}
    return str(texts.get(limit.cap.scope, TEXTS["user"])) % {**values, **names}
