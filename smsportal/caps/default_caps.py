"""The caps that apply until a row replaces them, and who may replace them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from django.contrib.auth.models import User
from django.db.models import Q
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from providers.caps.cap import EACH
from providers.caps.defaults import DefaultCap, default_caps
from providers.caps.windows import Window
from providers.models import DailyLimit

from .cap_texts import each_text


@dataclass(frozen=True, slots=True)
class ShownDefault:
    subject: str
    what: str
    window: str
    most: str
    source: str


def shown_defaults() -> Iterator[ShownDefault]:
    """The defaults that no row replaces, for the page of caps."""
    replaced = set(DailyLimit.objects.filter(key=EACH).values_list("what", "scope", "window"))
    for one in default_caps():
        if (one.what, one.scope, str(one.window)) not in replaced:
            yield ShownDefault(
                each_text(one.scope),
                str(DailyLimit.What(one.what).label),
                str(DailyLimit.Window(one.window).label),
                f"{one.most:,}",
                one.setting or _("Default of the portal"),
            )
    yield ShownDefault(
        each_text("number"),
        str(DailyLimit.What.CODES.label),
        str(DailyLimit.Window.MINUTE.label),
        "1",
        pgettext("value", "Fixed"),
    )


def may_change_default(actor: User, what: str, window: str, most: int | None) -> bool:
    """Whether `actor` may set the cap of each person to `most`, or remove its row (None).

    It is the actor's own cap, too, unless they or a role of theirs have another. Then they may
    only lower it.
    """
    if actor.is_superuser or not _is_bound(actor, what, window):
        return True
    present = _present(what, window)
    after = _default(what, window) if most is None else most
    return present is None or (after is not None and after <= present)


def _is_bound(actor: User, what: str, window: str) -> bool:
    own = Q(user=actor) | Q(group__user=actor)
    return not DailyLimit.objects.filter(own, what=what, window=window).exists()


def _present(what: str, window: str) -> int | None:
    row = DailyLimit.objects.filter(scope="user", key=EACH, what=what, window=window).first()
    return row.most if row else _default(what, window)


def _default(what: str, window: str) -> int | None:
    found: list[DefaultCap] = [
        one
        for one in default_caps()
        if (one.what, one.scope, one.window) == (what, "user", Window(window))
    ]
    return found[0].most if found else None
