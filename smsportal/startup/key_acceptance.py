"""Accepts this host's keys in place of those that the database was set up with, and the cost.

What another SECRET_KEY signed cannot be verified any more. A waiting task is therefore dropped
rather than signed again: anyone with write access to the table could have planted it.
"""

from __future__ import annotations

import base64
import pickletools
import re
from collections import Counter
from dataclasses import dataclass
from typing import Final

from django.db import transaction
from django_q.models import OrmQ

from core import key_checks
from core.acts import record_act
from core.encrypted_columns import Readable, count_readable, encrypted_columns
from core.models import KeyCheck

from ..task_queue.broker import is_ours

FUNCTION: Final = re.compile(r"[a-z_]+(?:\.\w+)*\.tasks?\.\w+")


@dataclass(frozen=True)
class Cost:
    """What this host's keys can neither read nor verify."""

    values: dict[str, Readable]
    """Stored values by kind: credentials, codes, texts."""
    tasks: Counter[str]
    """Waiting tasks by function."""

    @property
    def unreadable(self) -> dict[str, int]:
        return {kind: found.unreadable for kind, found in self.values.items()}


def count_cost() -> Cost:
    values = {kind: Readable() for kind in ("credentials", "codes", "texts")}
    for model, column in encrypted_columns():
        values[_kind(model._meta.app_label, column.name)] += count_readable(model, column)
    return Cost(values, Counter(function for _, function in _foreign_tasks()))


def accept(reason: str = "") -> Cost:
    """Make this host's keys the keys of the database, and drop tasks that it cannot verify."""
    with transaction.atomic():
        cost = count_cost()
        before = _known()
        OrmQ.objects.filter(pk__in=[pk for pk, _ in _foreign_tasks()]).delete()
        for name, digests in key_checks.configured().items():
            KeyCheck.objects.filter(name=name).exclude(digest__in=digests).delete()
            key_checks.record(name, digests)
        record_act(
            "keys.accept",
            by=None,
            reason=reason,
            before=before,
            after=_known(),
            unreadable=cost.unreadable,
            dropped_tasks=dict(cost.tasks),
        )
    return cost


def _known() -> dict[str, list[str]]:
    return {name: sorted(map(key_checks.short, each)) for name, each in key_checks.known().items()}


def _kind(app: str, column: str) -> str:
    if app == "providers":
        return "credentials"
    return "codes" if column == "code" else "texts"


def _foreign_tasks() -> list[tuple[int, str]]:
    """The id and function of each waiting task that this SECRET_KEY did not sign."""
    rows = OrmQ.objects.values_list("pk", "payload")
    return [(pk, _function_of(payload)) for pk, payload in rows if not is_ours(payload)]


def _function_of(payload: str) -> str:
    """The function that a task names. Reads the pickle without running it."""
    try:
        encoded = payload.partition(":")[0].encode()
        pickled = base64.urlsafe_b64decode(encoded + b"=" * (-len(encoded) % 4))
        strings = [value for _, value, _ in pickletools.genops(pickled) if isinstance(value, str)]
    except ValueError:
        return "unknown"
    return next(filter(FUNCTION.fullmatch, strings), "unknown")
