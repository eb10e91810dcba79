"""Alert rules, their receivers, and what they told in the month.

The receivers are addresses of the sandbox, which accepts alerts and does nothing with them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from typing import Any, Final

from django.conf import settings

from alerts.evaluate import CALM
from alerts.facts import Facts, Finding
from alerts.kinds import BY_KEY
from alerts.models import Alarm, Delivery, Receiver, Rule, Told
from alerts.rule_changes import page_of
from alerts.states import DeliveryState, Occasion
from alerts.texts import CONVERSION, FAILURES, PAUSED
from alerts.watches.traffic import PAUSE_REASON
from core.stored_texts import Stored, names
from providers.accounts import BY_HAND
from providers.models import AccountPause, Approval

from .ground import Ground

DUTY: Final = "Duty (practice)"
MANAGERS: Final = "Managers (practice)"
NIGHT: Final = "Night shift (practice)"
RECEIVERS: Final = {
    DUTY: ("duty", "en", True),
    MANAGERS: ("managers", "zh-hans", True),
    NIGHT: ("night", "en", False),
}
"""The last part of the address, the language, and whether it gets alerts."""
BEGAN_AGO: Final = timedelta(hours=3)
"""What has no time of its own."""


@dataclass(frozen=True, slots=True)
class Draft:
    kind: str
    receivers: tuple[str, ...]
    columns: dict[str, Any]


QUIET: Final = {"quiet_from": time(22), "quiet_until": time(7)}
DRAFTS: Final = (
    Draft("balance", (DUTY,), {"limit": 0, "repeat_minutes": 240}),
    Draft("runway", (DUTY,), {"limit": 8, "is_on": False}),
    Draft("paused", (DUTY, NIGHT), {"limit": 0}),
    Draft("unknown", (DUTY,), {"limit": 1, "every_minutes": 15}),
    Draft("failures", (MANAGERS,), {"limit": 30, "least": 100, **QUIET}),
    Draft("conversion", (MANAGERS,), {"limit": 40, "least": 10, **QUIET}),
    Draft("approval", (MANAGERS,), {"limit": 15, "repeat_minutes": 0, **QUIET}),
    Draft("hold", (DUTY, MANAGERS, NIGHT), {}),
)
LASTING: Final = ("balance", "paused", "unknown", "approval")
"""What the month leaves behind. What else a rule finds, it finds by itself."""


def set_up_alerts(ground: Ground) -> None:
    """After everything that rules look at."""
    if Receiver.objects.exists():
        return
    receivers = {one.name: one for one in Receiver.objects.bulk_create(_receivers(ground))}
    rules = Rule.objects.bulk_create(_rule(ground, draft) for draft in DRAFTS)
    of_rules = {draft.kind: [receivers[name] for name in draft.receivers] for draft in DRAFTS}
    through = Rule.receivers.through
    through.objects.bulk_create(
        through(rule=rule, receiver=one) for rule in rules for one in of_rules[rule.kind]
    )
    log = Log(ground, {rule.kind: rule for rule in rules}, of_rules)
    for name in (DUTY, MANAGERS):
        log.add(None, [receivers[name]], Occasion.TEST, [], ground.start)
    _tell_of_pauses(log)
    _tell_of_figures(log)
    _tell_what_lasts(log)
    log.told.sort(key=lambda one: one.created_at)
    Delivery.objects.bulk_create(log.told)


@dataclass(slots=True)
class Log:
    """What was told, to be stored in the order of time."""

    ground: Ground
    rules: dict[str, Rule]
    receivers: dict[str, list[Receiver]]
    told: list[Delivery] = field(default_factory=list)

    def those_on(self, rule: Rule) -> list[Receiver]:
        return [one for one in self.receivers[rule.kind] if one.is_on]

    def tell(self, kind: str, text: Stored, began: datetime, ended: datetime) -> None:
        """That it began, and that it is over."""
        rule = self.rules[kind]
        receivers = self.those_on(rule)
        self.add(rule, receivers, Occasion.ALERT, [text], began + self.look(), began)
        self.add(rule, receivers, Occasion.OVER, [text], ended + CALM + self.look(), began)

    def look(self) -> timedelta:
        """Rules are looked at every minute."""
        return self.ground.seconds(2, 60)

    def add(
        self,
        rule: Rule | None,
        receivers: Sequence[Receiver],
        occasion: Occasion,
        texts: Sequence[Stored],
        at: datetime,
        since: datetime | None = None,
    ) -> None:
        for receiver in receivers:
            took = round(self.ground.rng.uniform(0.05, 0.4), 3)
            self.told.append(
                Delivery(
                    public_id=self.ground.public_id(),
                    rule=rule,
                    receiver=receiver,
                    receiver_name=receiver.name,
                    kind=rule.kind if rule else "",
                    occasion=occasion,
                    lines=list(texts),
                    count=max(len(texts), 1),
                    since=since,
                    page=rule.page if rule else "",
                    state=DeliveryState.DELIVERED,
                    tries=1,
                    next_at=at,
                    claimed_at=at,
                    seconds=took,
                    created_at=at,
                    ended_at=at + timedelta(seconds=took),
                )
            )


def _receivers(ground: Ground) -> Iterator[Receiver]:
    host = settings.SANDBOX_URL.removeprefix("http://")
    for name, (path, language, is_on) in RECEIVERS.items():
        yield Receiver(
            public_id=ground.public_id(),
            name=name,
            service="webhook",
            url=f"json://{host}/_alerts/{path}",
            shown=f"json://{host.rpartition(':')[0]}",
            language=language,
            is_on=is_on,
            created_at=ground.start,
        )


def _rule(ground: Ground, draft: Draft) -> Rule:
    return Rule(
        public_id=ground.public_id(),
        kind=draft.kind,
        page=page_of(BY_KEY[draft.kind]),
        created_at=ground.start,
        **draft.columns,
    )


def _tell_of_pauses(log: Log) -> None:
    pauses = AccountPause.objects.exclude(reason=BY_HAND).exclude(ended_at=None)
    for pause in pauses.select_related("account").order_by("started_at"):
        reason = names(PAUSE_REASON, [pause.reason])
        text = PAUSED.store(account=pause.account.name, reason=reason)
        if pause.ended_at is not None:
            log.tell("paused", text, pause.started_at, pause.ended_at)


def _tell_of_figures(log: Log) -> None:
    accounts, days_ago = log.ground.accounts, log.ground.days_ago
    began = days_ago(12.2)
    text = FAILURES.store(account=accounts["haorui"].name, percent=34, count=128)
    log.tell("failures", text, began, began + timedelta(minutes=95))
    began = days_ago(5.1)
    text = CONVERSION.store(account=accounts["otpservice"].name, percent=31)
    log.tell("conversion", text, began, began + timedelta(minutes=40))


def _tell_what_lasts(log: Log) -> None:
    """With the alarms, so that the portal does not tell it again when it starts."""
    facts, now = Facts(log.ground.now), log.ground.now
    alarms: list[Alarm] = []
    for kind in LASTING:
        rule = log.rules[kind]
        found = list(BY_KEY[kind].find(rule, facts))
        if not found:
            continue
        began = _began(log, rule, facts, found)
        alarms += [
            Alarm(rule=rule, subject=one.subject, text=one.text, began_at=began, seen_at=now)
            for one in found
        ]
        texts = [one.text for one in found]
        log.add(rule, log.those_on(rule), Occasion.ALERT, texts, began + log.look(), began)
    Told.objects.bulk_create(
        Told(alarm=alarm, receiver=receiver, told_at=alarm.began_at)
        for alarm in Alarm.objects.bulk_create(alarms)
        for receiver in log.those_on(alarm.rule)
    )


def _began(log: Log, rule: Rule, facts: Facts, found: Sequence[Finding]) -> datetime:
    if rule.kind == "approval":
        asked = Approval.objects.filter(state="waiting").earliest("asked_at").asked_at
        return asked + timedelta(minutes=rule.limit or 0)
    accounts = [facts.by_key[one.account] for one in found if one.account is not None]
    paused = [one.paused_at for one in accounts if one.paused_at is not None]
    if rule.kind == "paused" and paused:
        return min(paused)
    return log.ground.now - BEGAN_AGO
