"""The portal itself: the queue, a hold, backups, secrets, the audit log."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from django.db.models import Min

from audit.chain import open_breaks
from audit.presentation.chain_texts import newest_checks
from messaging.presentation.backlog import backlog
from providers.engine.heartbeats import unserved_since
from providers.models import Credential, Heartbeat, Hold
from rentals.presentation.backlog import waiting_orders

from ..facts import Facts, Finding, about, name_of
from ..models import Rule
from ..texts import (
    AUDIT_BROKEN,
    BACKUP_NONE,
    BACKUP_OLD,
    ENGINE_DOWN,
    HOLD,
    QUEUE_SLOW,
    SECRET_OLD,
)


def queue_down(rule: Rule, facts: Facts) -> Iterator[Finding]:
    """The engine, or what is due. If the queue of the tasks stands still, nothing is evaluated:
    that is noticed by whoever misses the ping."""
    limit = timedelta(minutes=rule.limit or 0)
    since = unserved_since() if facts.accounts else None
    if since is not None and facts.now - since >= limit:
        yield Finding("engine", ENGINE_DOWN.store())
    oldest = min(filter(None, (backlog().since, waiting_orders()[1])), default=None)
    if oldest is not None and facts.now - oldest >= max(limit, timedelta(minutes=1)):
        yield Finding("backlog", QUEUE_SLOW.store(minutes=max(rule.limit or 0, 1)))


def on_hold(rule: Rule, facts: Facts) -> Iterator[Finding]:
    if Hold.objects.filter(ended_at=None).exists():
        yield Finding("hold", HOLD.store())


def backup_too_old(rule: Rule, facts: Facts) -> Iterator[Finding]:
    limit = timedelta(hours=rule.limit or 0)
    made = Heartbeat.objects.filter(name="backup").values_list("beat_at", flat=True).first()
    if made is not None:
        if facts.now - made >= limit:
            yield Finding("backup", BACKUP_OLD.store(hours=rule.limit or 0))
    elif facts.now - rule.created_at >= limit:
        yield Finding("backup", BACKUP_NONE.store())


def secrets_too_old(rule: Rule, facts: Facts) -> Iterator[Finding]:
    limit = facts.now - timedelta(days=rule.limit or 0)
    oldest = Credential.objects.order_by().values_list("account").annotate(oldest=Min("saved_at"))
    for key, saved_at in oldest:
        account = facts.by_key.get(key)
        if account is not None and saved_at <= limit:
            text = SECRET_OLD.store(account=name_of(account), days=rule.limit or 0)
            yield Finding(about(account), text, account.pk)


def audit_broken(rule: Rule, facts: Facts) -> Iterator[Finding]:
    """What somebody accepted alarms no longer."""
    ended = newest_checks()[1]
    if ended is not None and open_breaks(ended):
        yield Finding("chain", AUDIT_BROKEN.store())
