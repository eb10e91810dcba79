"""Rows that a hold ends at once, so that nobody decides about them."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Collection
from datetime import datetime
from typing import Any, ClassVar

from django.contrib.auth.models import User
from django.db.models import Model, QuerySet

from ..models import Account, Hold
from .holdable import FROM_BEFORE, HeldGroup, Holdable


class EndedAtOnce(Holdable):
    """A kind of rows with a `reason`, whose other columns are named here."""

    model: ClassVar[type[Model]]
    account: ClassVar[str] = "account"
    queued_at: ClassVar[str]
    ended_at: ClassVar[str]

    @abstractmethod
    def group(self, account: Account, ended: QuerySet[Any]) -> HeldGroup:
        """The line about the rows that ended at this account."""

    def groups(self, hold: Hold) -> list[HeldGroup]:
        ended = self._ended_by(hold)
        pks = ended.order_by().values_list(self.account, flat=True).distinct()
        accounts = Account.objects.filter(pk__in=list(pks)).order_by("name", "pk")
        return [self.group(one, ended.filter(**{self.account: one})) for one in accounts]

    def _ended_by(self, hold: Hold) -> QuerySet[Any]:
        ended = self.model._default_manager.filter(
            reason=FROM_BEFORE, **{f"{self.ended_at}__gte": hold.started_at}
        )
        return ended.filter(**{f"{self.ended_at}__lte": hold.ended_at}) if hold.ended_at else ended

    def oldest_and_newest(self, ended: QuerySet[Any]) -> tuple[datetime | None, datetime | None]:
        """When the first and the last of these rows were queued."""
        times = ended.order_by(self.queued_at).values_list(self.queued_at, flat=True)
        return times.first(), times.last()

    def count_undecided(self, hold: Hold) -> int:
        return 0

    def settle_known(self, hold: Hold) -> int:
        return 0

    def release(self, hold: Hold, group: str, rows: Collection[int] | None, by: User | None) -> int:
        return 0

    def discard(
        self, hold: Hold, group: str, rows: Collection[int] | None, by: User | None, reason: str
    ) -> int:
        return 0
