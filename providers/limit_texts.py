"""Texts for staff about a cap that is reached: which one, how much of it is used, when it frees,
and who set it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext, pgettext_lazy

from core.countries import country_name
from core.people import person_name
from core.punctuation import join_sentences
from core.times import short_time

from .caps.cap import ALL, Cap, LimitReached
from .caps.windows import Window
from .models import DailyLimit

KINDS: Final[Mapping[str, Promise]] = {
    "messages": pgettext_lazy("cap on", "messages"),
    "codes": pgettext_lazy("cap on", "codes"),
    "orders": pgettext_lazy("cap on", "rented numbers"),
    ALL: pgettext_lazy("cap on", "everything together"),
}
USED: Final[Mapping[Window, Promise]] = {
    Window.MINUTE: gettext_lazy("%(used)s of %(most)s in one minute"),
    Window.HOUR: gettext_lazy("%(used)s of %(most)s in one hour"),
    Window.DAY: gettext_lazy("%(used)s of %(most)s in 24 hours"),
}
OF_RECIPIENT: Final = ("number", "prefix", "country")


def concerns_recipient(limit: LimitReached) -> bool:
    """Whether the cap is one of the number that was typed, so that the field says so."""
    return limit.cap.scope in OF_RECIPIENT


def limit_text(limit: LimitReached) -> str:
    """Say which cap is reached, how much is used, when some of it is free, and who set it.

    Caps apply to any 24 hours, so usage is released gradually and not at midnight.
    """
    return join_sentences(_reached_text(limit), _origin_text(limit.cap, setter_of(limit.cap)))


def limit_values(limit: LimitReached, setter: str | None) -> dict[str, Any]:
    """The values that `stored_limit_text` needs, for a row of a batch. The number is not among
    them."""
    cap = limit.cap
    return {
        "what": cap.what,
        "scope": cap.scope,
        "key": "" if cap.scope == "number" else cap.key,
        "most": cap.most,
        "window": str(cap.window),
        "rule": cap.rule,
        "used": limit.used,
        "free_at": limit.free_at.isoformat(),
        "setter": setter,
    }


def stored_limit_text(values: Mapping[str, Any]) -> str:
    """The text of a cap that stopped a row of a batch."""
    window = Window(values["window"])
    cap = Cap(
        values["what"], values["scope"], values["key"], values["most"], window, values["rule"]
    )
    limit = LimitReached(cap, values["used"], datetime.fromisoformat(values["free_at"]))
    return join_sentences(_reached_text(limit), _origin_text(cap, values["setter"]))


def _reached_text(limit: LimitReached) -> str:
    cap = limit.cap
    usage = str(USED[cap.window]) % {"used": f"{limit.used:,}", "most": f"{cap.most:,}"}
    values: dict[str, Any] = {
        "what": KINDS.get(cap.what, cap.what),
        "subject": subject_text(cap.scope, cap.key),
        "usage": usage,
        "time": short_time(limit.free_at),
        "wanted": f"{limit.wanted:,}",
    }
    if cap.most == 0:
        text = _("Not sent: the cap on %(what)s for %(subject)s is 0. Ask a manager.")
    elif limit.wanted > cap.most:
        text = _(
            "The cap on %(what)s for %(subject)s never leaves enough for %(wanted)s (%(usage)s)."
            " Choose fewer, or ask a manager."
        )
    elif limit.wanted > cap.most - limit.used > 0:
        text = _(
            "The cap on %(what)s for %(subject)s does not leave enough for %(wanted)s"
            " (%(usage)s). Ask a manager, or try again after %(time)s."
        )
    else:
        text = _(
            "The cap on %(what)s for %(subject)s is reached (%(usage)s). Ask a manager, or try"
            " again after %(time)s."
        )
    return text % values


def subject_text(scope: str, key: str) -> str:
    """Who or what the cap applies to, within a sentence. A number is not repeated."""
    if scope == "user":
        return pgettext("cap for", "you")
    if scope == "account":
        return pgettext("cap for", "this account")
    if scope == "number":
        return pgettext("cap for", "this number")
    if scope == "country":
        return country_name(key)
    return pgettext("cap for", "numbers that begin with %(prefix)s") % {"prefix": key}


def setter_of(cap: Cap) -> str | None:
    """The name of the person who set the cap, if one is known."""
    if cap.rule is None:
        return None
    row = DailyLimit.objects.filter(pk=cap.rule).select_related("set_by").first()
    return person_name(row.set_by) if row is not None and row.set_by is not None else None


def _origin_text(cap: Cap, setter: str | None) -> str:
    if setter:
        return _("It was set by %(name)s.") % {"name": setter}
    if cap.rule is not None:
        return _("A manager set it.")
    if cap.scope == "account":
        return _("It is set on the page of the account.")
    return _("It is the default of the portal.")
