"""Who needs the consent of a second person, and who can give it.

Limits belong to roles and hold for each person over any 24 hours, so that four small batches do not
pass where a large one would not. They apply only while two people can approve.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Final

from django.contrib.auth.models import AnonymousUser, User
from django.db.models import QuerySet

from .. import clock
from ..models import Approval, ApprovalLimit
from .kinds import ApprovalKind, Size, kind_of, kinds

PERMISSION: Final = "providers.approve"
ENOUGH: Final = 2
"""How many people must be able to approve before limits apply."""
PERIOD: Final = timedelta(hours=24)
COST: Final = "cost"
_BACKEND: Final = "django.contrib.auth.backends.ModelBackend"


@dataclass(frozen=True, slots=True)
class Passed:
    """A limit that would be passed. `used`: by what was started before; amounts as text."""

    limit: str
    """`messages`, `orders` or `cost`."""
    most: str
    used: str
    is_unknown: bool = False
    """No price is known, so the limit of the cost cannot be checked."""

    def stored(self) -> dict[str, str | bool]:
        return {
            "limit": self.limit,
            "most": self.most,
            "used": self.used,
            "is_unknown": self.is_unknown,
        }


class ApprovalNeeded(Exception):
    """Nothing was started: it passes these limits, and nobody has approved it as it is now."""

    def __init__(self, passed: list[Passed]) -> None:
        super().__init__(", ".join(one.limit for one in passed))
        self.passed = passed


def approvers() -> QuerySet[User]:
    """Everyone who can approve what others start."""
    return holders_of(PERMISSION)


def holders_of(permission: str) -> QuerySet[User]:
    able = User.objects.with_perm(permission, backend=_BACKEND)
    return able.filter(is_active=True, is_staff=True).order_by("username")


def are_on() -> bool:
    """Whether limits apply: two people can approve."""
    return len(approvers().values_list("pk", flat=True)[:ENOUGH]) >= ENOUGH


def may_decide(person: User | AnonymousUser, approval: Approval) -> bool:
    """Whether this person may approve or reject it. Nobody decides about their own."""
    return (
        person.pk is not None
        and person.has_perm(PERMISSION)
        and person.pk != approval.asked_by_id
        and person.pk not in approval.involved
    )


def who_may_decide(approval: Approval) -> list[User]:
    return [one for one in approvers() if may_decide(one, approval)]


def lock_starts_of(person_id: int) -> None:
    """Let whatever else this person starts wait for the end of this transaction."""
    list(User.objects.select_for_update(no_key=True).filter(pk=person_id).values_list("pk"))


def passed_limits(
    person: User, kind_name: str, size: Size, *, without: str = "", lock: bool = False
) -> list[Passed]:
    """The limits that this person would pass by starting this much now; none if limits are off.

    `without`: the subject of what is to start, if it is scheduled. `lock`: for the transaction of a
    start, so that a second start of the same person waits, and then counts the first.
    """
    limits = list(ApprovalLimit.objects.filter(group__user=person))
    if not limits or not are_on():
        return []
    if lock:
        lock_starts_of(person.pk)
    found = [
        _passed_count(person, kind_of(kind_name), limits, size, without),
        _passed_cost(person, limits, size, without),
    ]
    return [one for one in found if one is not None]


def _highest(limits: list[ApprovalLimit], name: str) -> int | Decimal | None:
    """The highest of a person's roles. An empty limit of one role lifts those of the others."""
    values = [getattr(limit, name) for limit in limits]
    return None if None in values else max(values)


def _passed_count(
    person: User, kind: ApprovalKind, limits: list[ApprovalLimit], size: Size, without: str
) -> Passed | None:
    most = _highest(limits, kind.limit)
    if most is None:
        return None
    used = kind.used(person, clock.now() - PERIOD, without).count
    if used + size.count <= most:
        return None
    return Passed(kind.limit, str(most), str(used))


def _passed_cost(
    person: User, limits: list[ApprovalLimit], size: Size, without: str
) -> Passed | None:
    most = _highest(limits, COST)
    if most is None:
        return None
    since = clock.now() - PERIOD
    used = sum((one.used(person, since, without).cost or Decimal() for one in kinds()), Decimal())
    if size.cost is not None and used + size.cost <= most:
        return None
    return Passed(COST, str(most), str(used), is_unknown=size.cost is None)
