"""The interface between approvals and the apps: each app describes and starts its own things.

Apps register their kinds in `registration.py:register_app`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any, ClassVar, Final

from django.contrib.auth.models import AnonymousUser, User

from core.stored_texts import Stored

from ..models import Account, Approval
from ..states import ApprovalState


@dataclass(frozen=True, slots=True)
class Size:
    """How much is started. `cost`: None if no price is known."""

    count: int
    cost: Decimal | None


@dataclass(frozen=True, slots=True)
class Proposal:
    """What a person wants to start, as it is shown to the one who decides."""

    kind: str
    subject: str
    account: Account
    title: Stored
    size: Size
    facts: Mapping[str, object] = field(repr=False)
    """All that the approval is bound to, beside kind, account, size and time (`digest`)."""
    involved: frozenset[int]
    """Ids of people who made or edited it."""
    starts_at: datetime | None = None
    due_at: datetime | None = None
    """When it can no longer be started."""


class ApprovalKind(ABC):
    """One kind of things that may need the consent of a second person.

    All methods but `used` and those for pages run in the transaction of the act, with the request
    locked.
    """

    name: ClassVar[str]
    """As stored in requests."""
    limit: ClassVar[str]
    """The column of `ApprovalLimit` that counts these."""
    template: ClassVar[str]
    """Shows what would be started, with the context of `preview`."""

    @abstractmethod
    def used(self, person: User, since: datetime, without: str) -> Size:
        """What this person has started since then, or scheduled. `without`: a subject that does
        not count."""

    @abstractmethod
    def proposal(self, approval: Approval) -> Proposal | None:
        """What the request would start now. None if it no longer waits, or a hold keeps it."""

    @abstractmethod
    def carry_out(self, approval: Approval) -> bool:
        """Start it on behalf of who asked. Returns False if it could not start."""

    @abstractmethod
    def give_back(self, approval: Approval, outcome: ApprovalState, by: User | None) -> None:
        """End its waiting, because the request was rejected, withdrawn, or has lapsed."""

    @abstractmethod
    def url(self, approval: Approval) -> str:
        """The page of what is asked for; for several, the list of them."""

    @abstractmethod
    def preview(self, approval: Approval, reader: User | AnonymousUser) -> dict[str, Any]:
        """What would be started, for the template."""

    @abstractmethod
    def size_text(self, count: int) -> str:
        """Such as "1,480 messages"."""


_kinds: Final[dict[str, ApprovalKind]] = {}


def register(kind: ApprovalKind) -> None:
    _kinds[kind.name] = kind


def kinds() -> list[ApprovalKind]:
    """All kinds, in the order of their names."""
    return [_kinds[name] for name in sorted(_kinds)]


def kind_of(name: str) -> ApprovalKind:
    return _kinds[name]
