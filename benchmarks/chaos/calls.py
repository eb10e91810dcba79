"""The kinds of call that a kill may interrupt, and the state of their rows."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django.db.models import Q, QuerySet

from messaging.batches.states import BatchState
from messaging.models import Message
from otp.models import Attempt
from providers.gateway.vocabulary import Reason
from rentals.models import Cancel, Order
from rentals.reconciliation import NOT_FOUND_THERE

LOST = Q(state="unknown") | Q(reason=Reason.CUT_OFF)
LOST_ORDER = LOST | Q(reason=NOT_FOUND_THERE) | Q(settled_at__isnull=False)
"""The outcome was unknown at first. The provider's own lists may have settled it since."""
LOST_CANCEL = Q(state="unclear") | Q(reason=Reason.CUT_OFF)


@dataclass(frozen=True)
class CallKind:
    name: str
    rows: Callable[[], QuerySet[Any]]
    in_flight_state: str
    lost: Q = LOST
    account: str = "account_id"
    held_back: Q | None = None
    """Rows that wait for a person's decision."""

    def waiting(self) -> QuerySet[Any]:
        """Rows whose call the engine still has to make."""
        waiting = self.rows().filter(state__in=("queued", "claimed"))
        return waiting if self.held_back is None else waiting.exclude(self.held_back)

    def queued(self) -> QuerySet[Any]:
        """Waiting rows without a claim. The claims of a killed loop last for a while."""
        return self.waiting().filter(state="queued")

    def claimed_since(self, since: float) -> QuerySet[Any]:
        """Rows claimed after that time and without a result.

        The mark "in flight" alone is not enough: an engine that marked rows too late would then
        be killed at harmless moments only.
        """
        rows = self.rows().filter(state__in=("claimed", self.in_flight_state))
        return rows.filter(claimed_at__gte=datetime.fromtimestamp(since, UTC))

    def in_flight(self, since: float = 0.0) -> QuerySet[Any]:
        """Rows marked in flight after that time and without a result."""
        marked = self.rows().filter(state=self.in_flight_state)
        if since:
            marked = marked.filter(handed_over_at__gte=datetime.fromtimestamp(since, UTC))
        return marked

    def calls_in_doubt(self, *, lost_only: bool) -> Iterator[tuple[int, int, float]]:
        """Calls without a known outcome: primary key, account, and time of the mark "in flight".

        The time is in seconds since 1970.
        """
        wanted = self.lost if lost_only else self.lost | Q(state=self.in_flight_state)
        rows = self.rows().filter(wanted, handed_over_at__isnull=False)
        for pk, account, at in rows.values_list("pk", self.account, "handed_over_at"):
            yield pk, account, at.timestamp()


def _messages(kind: str, provider: str = "") -> Callable[[], QuerySet[Message]]:
    found = Q(kind=kind, account__provider=provider) if provider else Q(kind=kind)
    return lambda: Message.objects.filter(found)


TEXT = CallKind("text", lambda: _messages("text")().filter(batch=None), "sending")
BATCH_TEXT = CallKind(
    "text of a batch",
    lambda: _messages("text")().exclude(batch=None),
    "sending",
    held_back=Q(batch__state=BatchState.PAUSED),
)
HAOSMS_CODE = CallKind("code, HaoSMS", _messages("own_code", "haosms"), "sending")
HAORUI_CODE = CallKind("code, HAORUI", _messages("own_code", "haorui"), "sending")
OTP_CODE = CallKind("code, OTP Service", _messages("provider_code"), "sending")
CHECK = CallKind(
    "check of a code",
    # The portal checks its own codes at once, without a call.
    lambda: Attempt.objects.filter(account__provider="otpservice"),
    "sending",
)
ORDER = CallKind("order", lambda: Order.objects.filter(imported=False), "placing", lost=LOST_ORDER)
CANCEL = CallKind(
    "cancel", Cancel.objects.all, "sending", lost=LOST_CANCEL, account="order__account_id"
)

CALL_KINDS = (
    TEXT,
    BATCH_TEXT,
    HAOSMS_CODE,
    HAORUI_CODE,
    OTP_CODE,
    CHECK,
    ORDER,
    CANCEL,
)


def waiting() -> int:
    return sum(kind.waiting().count() for kind in CALL_KINDS)


def in_flight() -> int:
    return sum(kind.in_flight().count() for kind in CALL_KINDS)
