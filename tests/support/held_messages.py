"""A simple holdable of messages, for the tests of fence and hold."""

from __future__ import annotations

from collections.abc import Collection

from django.contrib.auth.models import User

from messaging.models import Message
from providers.hold.holdable import HeldGroup, Holdable, held_accounts
from providers.models import Hold


class HoldMessages(Holdable):
    name = "messages"

    def hold(self, hold: Hold) -> int:
        waiting = Message.objects.filter(
            state__in=("queued", "claimed", "scheduled"), account__in=held_accounts()
        )
        return waiting.update(state="held", hold=hold, claim=None, claimed_at=None)

    def groups(self, hold: Hold) -> list[HeldGroup]:
        return []

    def count_undecided(self, hold: Hold) -> int:
        return Message.objects.filter(hold=hold).count()

    def settle_known(self, hold: Hold) -> int:
        return 0

    def release(self, hold: Hold, group: str, rows: Collection[int] | None, by: User | None) -> int:
        return Message.objects.filter(hold=hold).update(state="queued", hold=None)

    def discard(
        self, hold: Hold, group: str, rows: Collection[int] | None, by: User | None, reason: str
    ) -> int:
        return 0
