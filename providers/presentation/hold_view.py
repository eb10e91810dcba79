"""An open hold and earlier ones as the pages show them."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import get_language, ngettext
from django.utils.translation import gettext as _

from core.admin.attention import AttentionItem, counted_item
from core.admin.banners import Banner
from core.admin.buttons import Button
from core.admin.once import once
from core.models import Act
from core.punctuation import listed

from ..hold.decisions import (
    BEGUN,
    DISCARDED,
    RELEASED,
    count_undecided,
    held_groups,
    open_hold,
    subject_of,
)
from ..hold.holdable import HeldGroup
from ..models import Hold
from .hold_past import past_of
from .hold_texts import act_text, banner_text, cause_text, missing_texts, steps

PERMISSION: Final = "providers.release_hold"
EARLIER_SHOWN: Final = 10


@dataclass(frozen=True, slots=True)
class Line:
    """A group with what was decided about it."""

    group: HeldGroup
    number: int
    """Distinguishes the lines of a page in ids."""
    decided: Sequence[str] = ()

    @property
    def url(self) -> str:
        return reverse("admin:hold_rows", args=[self.group.key])


@dataclass(frozen=True, slots=True)
class EarlierHold:
    hold: Hold
    acts: Sequence[Act]

    @property
    def texts(self) -> list[tuple[str, str]]:
        """What was decided, each with its reason."""
        return [(act_text(act), act.why) for act in self.acts]


def banner(request: HttpRequest) -> list[Banner]:
    """Says on every page that there is a hold, and since when and why."""
    hold = once(request, "hold", open_hold)
    if hold is None:
        return []
    may_release = request.user.has_perm(PERMISSION)
    button = Button(_("What waits"), reverse("admin:hold")) if may_release else None
    return [Banner(banner_text(hold), icon="front_hand", button=button)]


def attention_items(request: HttpRequest) -> Iterator[AttentionItem]:
    if not request.user.has_perm(PERMISSION):
        return
    hold = once(request, "hold", open_hold)
    if hold is None:
        return
    count = count_undecided(hold)
    text = ngettext(
        "%(count)d is on hold and needs a decision",
        "%(count)d are on hold and need a decision",
        count,
    )
    yield from counted_item(count, text, reverse("admin:hold"), "front_hand")


def acts_on(*holds: Hold) -> dict[str, list[Act]]:
    """The acts on these holds by subject, oldest first."""
    found: dict[str, list[Act]] = defaultdict(list)
    rows = Act.objects.filter(subject__in=[subject_of(hold) for hold in holds])
    # The beginning is taken from the hold itself.
    for act in rows.exclude(what=BEGUN).select_related("by", "personal_row").order_by("at", "pk"):
        found[act.subject].append(act)
    return found


def hold_context(hold: Hold) -> dict[str, Any]:
    """What the page shows of an open hold. `mark` is a digest that changes with it."""
    acts = acts_on(hold)[subject_of(hold)]
    groups = held_groups(hold)
    past = past_of(hold)
    context = {
        "hold": hold,
        "cause": cause_text(hold),
        "lines": [_line(group, number, acts) for number, group in enumerate(groups, start=1)],
        "undecided": sum(group.undecided for group in groups),
        "totals": _totals(groups, acts),
        "steps": steps(hold, past, acts),
        "missing": missing_texts(hold, past),
    }
    shown = repr([get_language(), groups, [act.pk for act in acts], hold.details])
    mark = hashlib.blake2s(shown.encode(), digest_size=6).hexdigest()
    return {**context, "mark": mark}


def _line(group: HeldGroup, number: int, acts: Sequence[Act]) -> Line:
    own = [act for act in acts if act.details.get("group") == group.key]
    return Line(group, number, [act_text(act) for act in own])


def _totals(groups: Sequence[HeldGroup], acts: Sequence[Act]) -> str:
    """ "119 settled by what is known, 12 released, 6,257 to decide"; without what is 0."""
    parts = [
        (sum(group.settled for group in groups), _("%(count)s resolved by what is known")),
        (_decided(acts, RELEASED), _("%(count)s released")),
        (_decided(acts, DISCARDED), _("%(count)s not to be sent")),
        (sum(group.undecided for group in groups), _("%(count)s to decide")),
    ]
    return listed(text % {"count": f"{count:,}"} for count, text in parts if count)


def _decided(acts: Sequence[Act], what: str) -> int:
    counts = [act.details.get("count", 0) for act in acts if act.what == what]
    return sum(count for count in counts if isinstance(count, int))


def earlier_holds() -> list[EarlierHold]:
    holds = list(Hold.objects.exclude(ended_at=None)[:EARLIER_SHOWN])
    acts = acts_on(*holds) if holds else {}
    return [EarlierHold(hold, acts.get(subject_of(hold), [])) for hold in holds]
