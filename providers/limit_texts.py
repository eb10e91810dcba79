"""Texts for staff about a daily limit that is used up."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from core.times import short_time

from .daily_limits import LimitReached

TEXTS: Final[Mapping[str, Promise]] = {
    "user": _(
        "You have reached your daily limit (%(used)s of %(most)s). Ask a manager, or"
        " try again after %(time)s."
    ),
    "account": _(
        "This account has reached its daily limit (%(used)s of %(most)s). Ask a"
        " manager, or try again after %(time)s."
    ),
}
"""Keyed by the scope of the limit."""


def limit_text(
    limit: LimitReached, own_texts: Mapping[str, Promise] | None = None, **names: str
) -> str:
    """Say which limit is used up and when the first part of it is released.

    Limits apply to any 24 hours, so usage is released gradually and not at midnight.

    :param own_texts: texts for further scopes; they take precedence over `TEXTS`.
    :param names: values for further placeholders of these texts.
    """
    texts = {**TEXTS, **(own_texts or {})}
    values = {"used": limit.used, "most": limit.cap.most, "time": short_time(limit.free_at)}
    return str(texts.get(limit.cap.scope, TEXTS["user"])) % {**values, **names}
