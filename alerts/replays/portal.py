"""Approvals, sign-ins, holds, secrets and checks of the audit log, by their own tables."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Final

from django.db.models import Min, Q

from audit.accepted import acceptances
from audit.breaks import breaks_of
from audit.models import ChainCheck
from core.models import Act
from providers.models import Approval, Credential, Hold

from ..models import Rule
from ..watches.people import EMERGENCY_ACTS
from .spells import Past, Spell, of_account, spells_of

MOST: Final = 10_000


def approvals_waiting(rule: Rule, past: Past) -> Iterator[Spell]:
    waited = timedelta(minutes=rule.limit or 0)
    open_then = Q(decided_at=None) | Q(decided_at__gt=past.start)
    rows = Approval.objects.filter(open_then, asked_at__lte=past.now - waited).order_by("-asked_at")
    for asked, decided in rows.values_list("asked_at", "decided_at")[:MOST]:
        began = max(asked + waited, past.start)
        if decided is None or decided > began:
            yield Spell("approvals", "", began, decided)


def emergency_sign_ins(_rule: Rule, past: Past) -> Iterator[Spell]:
    acts = Act.objects.filter(what__in=EMERGENCY_ACTS, at__gt=past.start).order_by("-at")
    for key, at in acts.values_list("pk", "at")[:MOST]:
        yield Spell(f"act:{key}", "", at, at)


def on_hold(_rule: Rule, past: Past) -> Iterator[Spell]:
    rows = Hold.objects.filter(Q(ended_at=None) | Q(ended_at__gt=past.start))
    for began, ended in rows.order_by("-started_at").values_list("started_at", "ended_at")[:MOST]:
        yield Spell("hold", "", max(began, past.start), ended)


def secrets_too_old(rule: Rule, past: Past) -> Iterator[Spell]:
    """Of the secrets that are in use now."""
    by_key = {account.pk: account for account in past.accounts}
    rows = Credential.objects.filter(account__in=by_key).order_by().values_list("account")
    for key, saved_at in rows.annotate(oldest=Min("saved_at")):
        began = saved_at + timedelta(days=rule.limit or 0)
        if began <= past.now:
            yield of_account(by_key[key], max(began, past.start))


def audit_broken(_rule: Rule, past: Past) -> Iterator[Spell]:
    """From the check that found a break to one that found none, or to the last acceptance."""
    accepted = {key: act.at for key, act in acceptances().items()}
    ended = ChainCheck.objects.exclude(ended_at=None).order_by("-ended_at")
    checks = list(ended.filter(ended_at__gt=past.start)[:MOST])
    checks += ended.filter(ended_at__lte=past.start)[:1]
    samples = []
    for check in reversed(checks):
        at = check.ended_at
        if at is None:
            continue
        keys = [one.key for one in breaks_of(check)]
        is_open = any(key not in accepted or accepted[key] > at for key in keys)
        samples.append((max(at, past.start), is_open))
        if is_open and all(key in accepted for key in keys):
            samples.append((max(past.start, *(accepted[key] for key in keys)), False))
    yield from spells_of(Spell("chain", "", past.now), sorted(samples))
