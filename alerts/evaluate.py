"""Looks at all rules, and decides who is to be told what.

Each finding is stored as an `Alarm`, and who was notified of it as a `Told`. So a restart repeats
nothing, and of two hosts that evaluate a rule at once, one finds it already evaluated.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Final

from django.db import transaction
from django.db.models import F, QuerySet

from providers import clock

from .facts import Facts, Finding
from .kinds import Kind, kind_of
from .models import Alarm, Delivery, Receiver, Rule, Told, Watch, the_watch
from .quiet_hours import is_quiet
from .states import Occasion

logger = logging.getLogger(__name__)

CALM: Final = timedelta(minutes=3)
"""How long a rule finds nothing before an alarm is over, so that nothing flickers."""
EVENT_TOLD_WITHIN: Final = timedelta(days=7)
SHOWN: Final = 5
"""Alarms that a message writes out; of the others it tells the number."""
MOST_PER_HOUR: Final = 30
"""Messages to one receiver. Further findings wait and are sent in one message."""
MOST_FOUND: Final = 5_000
"""Findings of one rule that are kept."""
AHEAD: Final = timedelta(minutes=1)
"""A row with a time that is further ahead was written while a clock was wrong. It holds nothing
back."""


def evaluate() -> int:
    """Look at all rules that are on. Returns how many messages are to be sent because of them."""
    now = clock.now()
    watch = the_watch()
    is_muted = watch.muted_until is not None and watch.muted_until > now
    facts = Facts(now)
    made = 0
    for rule in Rule.objects.filter(is_on=True).prefetch_related("receivers"):
        kind = kind_of(rule)
        if kind is None:
            continue
        try:
            findings = _find(kind, rule, facts)
        except Exception:
            logger.exception("An alert rule could not be evaluated: %s.", rule.kind)
            continue
        made += _note(kind, rule, findings, now, is_muted=is_muted)
    Watch.objects.filter(pk=Watch.SINGLETON).update(evaluated_at=now)
    return made


def _find(kind: Kind, rule: Rule, facts: Facts) -> list[Finding]:
    found: dict[str, Finding] = {}
    for one in kind.find(rule, facts):
        if rule.account_id is not None and one.account != rule.account_id:
            continue
        if len(found) < MOST_FOUND:
            found[one.subject] = one
    return list(found.values())


def _note(
    kind: Kind, rule: Rule, findings: Sequence[Finding], now: datetime, *, is_muted: bool
) -> int:
    with transaction.atomic():
        claimed = Rule.objects.filter(pk=rule.pk, version=rule.version, is_on=True).update(
            version=F("version") + 1
        )
        if not claimed:
            return 0
        _keep_alarms(rule, findings, now)
        if is_muted or (rule.muted_until is not None and rule.muted_until > now):
            return 0
        return sum(_tell(kind, rule, receiver, now) for receiver in rule.receivers.all())


def _keep_alarms(rule: Rule, findings: Sequence[Finding], now: datetime) -> None:
    known = {alarm.subject: alarm for alarm in Alarm.objects.filter(rule=rule, ended_at=None)}
    changed, new, same = [], [], []
    for one in findings:
        alarm = known.pop(one.subject, None)
        if alarm is None:
            new.append(
                Alarm(rule=rule, subject=one.subject, text=one.text, began_at=now, seen_at=now)
            )
        elif alarm.text != one.text:
            alarm.text, alarm.seen_at = one.text, now
            changed.append(alarm)
        else:
            same.append(alarm.pk)
    Alarm.objects.bulk_create(new, batch_size=500)
    Alarm.objects.bulk_update(changed, ["text", "seen_at"], batch_size=200)
    for first in range(0, len(same), 500):
        Alarm.objects.filter(pk__in=same[first : first + 500]).update(seen_at=now)
    gone = [alarm.pk for alarm in known.values() if abs(now - alarm.seen_at) >= CALM]
    for first in range(0, len(gone), 500):
        Alarm.objects.filter(pk__in=gone[first : first + 500]).update(ended_at=now)


def _tell(kind: Kind, rule: Rule, receiver: Receiver, now: datetime) -> int:
    """Make the messages that this receiver is to get now: at most two."""
    if not receiver.is_on or is_quiet(rule.quiet_from, rule.quiet_until, now, receiver.zone):
        return 0
    if _had_enough(receiver, now):
        return 0
    gap = timedelta(minutes=rule.every_minutes)
    lately = _told_within(gap, rule, receiver, now)
    made = 0
    if not kind.is_event and rule.tells_end and Occasion.OVER not in lately:
        made += _tell_end(rule, receiver, now)
    if lately.isdisjoint((Occasion.ALERT, Occasion.AGAIN)):
        made += _tell_begun(kind, rule, receiver, now)
    return made


def _had_enough(receiver: Receiver, now: datetime) -> bool:
    lately = _sent_within(timedelta(hours=1), receiver, now)
    return lately.exclude(occasion=Occasion.TEST).count() >= MOST_PER_HOUR


def _told_within(gap: timedelta, rule: Rule, receiver: Receiver, now: datetime) -> set[str]:
    """The occasions of which this receiver heard within the least gap of the rule."""
    lately = _sent_within(gap, receiver, now).filter(rule=rule)
    return set(lately.order_by().values_list("occasion", flat=True).distinct())


def _sent_within(span: timedelta, receiver: Receiver, now: datetime) -> QuerySet[Delivery]:
    return Delivery.objects.filter(
        receiver=receiver, created_at__gt=now - span, created_at__lte=now + AHEAD
    )


def _tell_begun(kind: Kind, rule: Rule, receiver: Receiver, now: datetime) -> int:
    alarms = Alarm.objects.filter(rule=rule).order_by("-began_at", "-pk")
    if kind.is_event:
        since = max(now - EVENT_TOLD_WITHIN, receiver.created_at)
        alarms = alarms.filter(began_at__gte=since)
    else:
        alarms = alarms.filter(ended_at=None)
    found = list(alarms)
    rows = Told.objects.filter(receiver=receiver, alarm__in=alarms.order_by())
    told = dict(rows.values_list("alarm", "told_at"))
    new = [alarm for alarm in found if alarm.pk not in told]
    due: list[Alarm] = []
    if rule.repeat_minutes and not kind.is_event:
        span = timedelta(minutes=rule.repeat_minutes)
        due = [one for one in found if one.pk in told and abs(now - told[one.pk]) >= span]
    if not new and not due:
        return 0
    _write(rule, receiver, Occasion.ALERT if new else Occasion.AGAIN, [*new, *due], now)
    Told.objects.bulk_create(
        [Told(alarm=alarm, receiver=receiver, told_at=now) for alarm in new],
        batch_size=500,
        ignore_conflicts=True,
    )
    again = [alarm.pk for alarm in due]
    for first in range(0, len(again), 500):
        part = again[first : first + 500]
        Told.objects.filter(alarm__in=part, receiver=receiver).update(told_at=now)
    return 1


def _tell_end(rule: Rule, receiver: Receiver, now: datetime) -> int:
    told = Told.objects.filter(alarm__rule=rule, receiver=receiver, is_over_told=False)
    ended = told.exclude(alarm__ended_at=None)
    rows = list(ended.select_related("alarm").order_by("-alarm__ended_at", "-pk"))
    if not rows:
        return 0
    _write(rule, receiver, Occasion.OVER, [row.alarm for row in rows], now)
    keys = [row.pk for row in rows]
    for first in range(0, len(keys), 500):
        Told.objects.filter(pk__in=keys[first : first + 500]).update(is_over_told=True)
    return 1


def _write(
    rule: Rule, receiver: Receiver, occasion: Occasion, alarms: Sequence[Alarm], now: datetime
) -> None:
    Delivery.objects.create(
        rule=rule,
        receiver=receiver,
        receiver_name=receiver.name,
        kind=rule.kind,
        occasion=occasion,
        lines=[alarm.text for alarm in alarms[:SHOWN]],
        count=len(alarms),
        since=min(alarm.began_at for alarm in alarms),
        page=rule.page,
        created_at=now,
        next_at=now,
    )


def forget_alarms(rules: Iterable[Rule], now: datetime) -> None:
    """End what these rules found without telling anybody, because they were switched off."""
    alarms = Alarm.objects.filter(rule__in=list(rules))
    Told.objects.filter(alarm__in=alarms).delete()
    alarms.filter(ended_at=None).update(ended_at=now)
