"""What people do with rules. Each act is recorded."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from django.contrib.auth.models import User
from django.db import transaction
from django.urls import reverse

from core.acts import record_act
from providers import clock

from .evaluate import forget_alarms
from .kinds import BY_KEY, Kind
from .models import Receiver, Rule, Told, Watch, the_watch

MUTE_HOURS: Final = (1, 4, 12, 24)


def page_of(kind: Kind) -> str:
    """The path of the page about the matter. It is stored, since workers load no pages."""
    address = reverse(kind.url_name)
    return f"{address}?{kind.query}" if kind.query else address


def save_rule(
    rule: Rule, values: Mapping[str, Any], receivers: Sequence[Receiver], by: User
) -> None:
    """Create or change a rule. `values`: its columns."""
    is_new, told_ends = rule.pk is None, rule.tells_end
    with transaction.atomic():
        for name, value in values.items():
            setattr(rule, name, value)
        kind = BY_KEY[rule.kind]
        rule.page = page_of(kind)
        if is_new:
            rule.save()
        else:
            # The version belongs to the evaluation, which may run meanwhile.
            rule.save(update_fields=[*values, "page"])
        rule.receivers.set(receivers)
        if not rule.is_on:
            forget_alarms([rule], clock.now())
        if rule.tells_end and not told_ends:
            # What ended before the switch was turned on is not reported.
            ended = Told.objects.filter(alarm__rule=rule).exclude(alarm__ended_at=None)
            ended.update(is_over_told=True)
        _record("alert_rule.add" if is_new else "alert_rule.change", rule, by, **_stated(rule))


def _stated(rule: Rule) -> dict[str, Any]:
    """What the audit log keeps of a rule."""
    return {
        "limit": rule.limit,
        "least": rule.least,
        "every_minutes": rule.every_minutes,
        "repeat_minutes": rule.repeat_minutes,
        "receivers": sorted(rule.receivers.values_list("pk", flat=True)),
    }


def switch(rule: Rule, by: User) -> bool:
    """Switch a rule on or off. Returns whether it is on now."""
    with transaction.atomic():
        is_on = not rule.is_on
        Rule.objects.filter(pk=rule.pk).update(is_on=is_on)
        if not is_on:
            forget_alarms([rule], clock.now())
        _record("alert_rule.on" if is_on else "alert_rule.off", rule, by)
    return is_on


def remove_rule(rule: Rule, by: User) -> None:
    """The log keeps what it told."""
    with transaction.atomic():
        _record("alert_rule.remove", rule, by)
        rule.delete()


def mute_rule(rule: Rule, hours: int, by: User) -> datetime | None:
    """Tell nothing of this rule for some hours. 0: tell again."""
    until = _until(hours)
    with transaction.atomic():
        Rule.objects.filter(pk=rule.pk).update(muted_until=until)
        if hours:
            _record("alert_rule.mute", rule, by, hours=hours)
        else:
            _record("alert_rule.unmute", rule, by)
    return until


def mute_all(hours: int, by: User) -> datetime | None:
    """Tell nothing at all for some hours. 0: tell again."""
    until = _until(hours)
    with transaction.atomic():
        the_watch()
        Watch.objects.filter(pk=Watch.SINGLETON).update(muted_until=until)
        if hours:
            record_act("alerts.mute", by=by, hours=hours)
        else:
            record_act("alerts.unmute", by=by)
    return until


def _until(hours: int) -> datetime | None:
    return clock.now() + timedelta(hours=hours) if hours else None


def _record(what: str, rule: Rule, by: User, **details: Any) -> None:
    record_act(what, by=by, subject=f"alert_rule:{rule.pk}", kind=rule.kind, **details)
