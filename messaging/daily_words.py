"""What is said where a daily limit is used up."""

from __future__ import annotations

from django.utils.translation import gettext as _

from core.times import short_time
from providers.daily_limits import LimitReached


def limit_words(limit: LimitReached) -> str:
    """A limit is one of any 24 hours, so it comes back bit by bit, not at midnight."""
    values = {"used": limit.used, "most": limit.cap.most, "time": short_time(limit.free_at)}
    if limit.cap.scope == "account":
        return (
            _(
                "The daily limit of this account is used up (%(used)s of %(most)s). Ask a manager,"
                " or go on at %(time)s."
            )
            % values
        )
    return (
        _(
            "Your daily limit is used up (%(used)s of %(most)s). Ask a manager, or go on at"
            " %(time)s."
        )
        % values
    )
