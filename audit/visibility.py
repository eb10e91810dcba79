"""Which acts a person may read: all, or those on what they manage."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any, Final

from django.contrib.auth.models import User
from django.db.models import Q, QuerySet

from providers import clock

from .models import VIEW_ALL, VIEW_MANAGED

FORMERLY: Final = "auditlog.view_logentry"
"""The permission to read the audit log before it had entries of its own."""
MANAGED_WITH: Final = {
    "account": "providers.change_account",
    "batch": "messaging.bulk_message",
    "callback": "providers.process_callback",
    "donotsend": "messaging.change_donotsend",
    "finding": "rentals.explain_finding",
    "hold": "providers.release_hold",
    "message": "messaging.resolve_message",
    "order": "rentals.resolve_order",
    "project": "rentals.change_project",
    "region": "rentals.change_region",
    "session": "messaging.resolve_message",
    "template": "messaging.change_template",
}
"""The permission of people who manage this kind of subject."""
PERSONAL_KINDS: Final = ("reveal", "export")
"""Acts that are about the person who acts, whatever the subject is."""

MANAGED_DAYS: Final = 92
"""How far back people read who do not read everything."""

Managed = Callable[[User], set[int]]
_managed: list[Managed] = [lambda _user: set()]


def register_managed_people(managed: Managed) -> None:
    """Tell which people a person manages. The portal's rules of delegation decide."""
    _managed[:] = [managed]


def may_read_all(user: Any) -> bool:
    return bool(user.has_perm(VIEW_ALL) or user.has_perm(FORMERLY))


def may_read(user: Any) -> bool:
    return may_read_all(user) or bool(user.has_perm(VIEW_MANAGED))


def visible_to(user: User, acts: QuerySet[Any]) -> QuerySet[Any]:
    """Those of `acts` that this person may read."""
    if may_read_all(user):
        return acts
    if not user.has_perm(VIEW_MANAGED):
        return acts.none()
    people = {user.pk, *_managed[0](user)}
    about_people = Q(subject__in=[f"user:{pk}" for pk in people])
    kinds = [kind for kind, permission in MANAGED_WITH.items() if user.has_perm(permission)]
    of_kinds = Q(pk__in=[])
    for kind in kinds:
        of_kinds |= Q(subject__startswith=f"{kind}:")
    managed = Q(by__in=people) | about_people | (of_kinds & ~Q(what__in=PERSONAL_KINDS))
    # No index finds these rows, so they are looked for in a part of the table.
    return acts.filter(managed, at__gte=clock.now() - timedelta(days=MANAGED_DAYS))
