"""Rules as the page lists them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from typing import Final

from django.db.models import Count, Min
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from core.punctuation import listed

from ..kinds import KINDS, Kind
from ..models import Alarm, Rule

TIME: Final = "%H:%M"


@dataclass(frozen=True, slots=True)
class RuleLine:
    """A rule, or a kind without one."""

    kind: Kind
    rule: Rule | None
    receivers: str
    alarms: int
    since: datetime | None
    is_muted: bool

    @property
    def threshold(self) -> str:
        kind, rule = self.kind, self.rule
        if kind.says is None:
            return pgettext("alert rule", "any")
        limit = rule.limit if rule else kind.limit and kind.limit.default
        if not limit and kind.says_zero is not None:
            return str(kind.says_zero)
        least = rule.least if rule else kind.least and kind.least.default
        return str(kind.says) % {"limit": limit, "least": least}

    @property
    def about(self) -> str:
        account = self.rule.account if self.rule else None
        return account.name if account else str(self.kind.about)

    @property
    def hours(self) -> str:
        rule = self.rule
        if rule is None or rule.quiet_from is None or rule.quiet_until is None:
            return _("at any time")
        return _("quiet from %(start)s to %(end)s") % {
            "start": rule.quiet_from.strftime(TIME),
            "end": rule.quiet_until.strftime(TIME),
        }


@dataclass(frozen=True, slots=True)
class RuleArea:
    title: Promise
    lines: list[RuleLine]


def rule_areas(now: datetime) -> list[RuleArea]:
    """Every kind: with its rules, or as one that can be set up."""
    rules = Rule.objects.select_related("account").prefetch_related("receivers")
    by_kind: dict[str, list[Rule]] = {}
    for rule in rules:
        by_kind.setdefault(rule.kind, []).append(rule)
    found = Alarm.objects.filter(ended_at=None, rule__is_on=True).order_by()
    lasting = {
        key: (count, since)
        for key, count, since in found.values_list("rule").annotate(Count("pk"), Min("began_at"))
    }
    return [
        RuleArea(area, [line for kind in kinds for line in _lines(kind, by_kind, lasting, now)])
        for area, kinds in groupby(KINDS, key=lambda kind: kind.area)
    ]


def _lines(
    kind: Kind,
    by_kind: dict[str, list[Rule]],
    lasting: dict[int, tuple[int, datetime]],
    now: datetime,
) -> Iterator[RuleLine]:
    for rule in by_kind.get(kind.key, ()):
        count, since = lasting.get(rule.pk, (0, None))
        names = listed(receiver.name for receiver in rule.receivers.all())
        is_muted = rule.muted_until is not None and rule.muted_until > now
        yield RuleLine(kind, rule, names, count, since, is_muted)
    if kind.key not in by_kind:
        yield RuleLine(kind, None, "", 0, None, False)
