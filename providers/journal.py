"""The journal of API calls. Rows come redacted from the door and are only written here."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import timedelta
from threading import Lock

from django.conf import settings
from django.utils import timezone

from .gateway.call import CallRecord
from .models import ApiCall

Resolver = Callable[[str], tuple[str, str] | None]
_resolvers: dict[str, Resolver] = {}


@dataclass(slots=True)
class BufferedRecorder:
    """Collects records from the threads that make calls; one thread writes them."""

    account_id: int
    _records: list[CallRecord] = field(default_factory=list)
    _lock: Lock = field(default_factory=Lock)

    def record(self, record: CallRecord) -> None:
        with self._lock:
            self._records.append(record)

    @property
    def is_empty(self) -> bool:
        with self._lock:
            return not self._records

    def take(self) -> list[ApiCall]:
        with self._lock:
            records, self._records = self._records, []
        return [row_of(self.account_id, record) for record in records]


def row_of(account_id: int, record: CallRecord) -> ApiCall:
    return ApiCall(
        account_id=account_id,
        operation=record.operation,
        subject=record.subject,
        started_at=record.started_at,
        duration=record.duration,
        method=record.method,
        url=record.url,
        http_status=record.http_status,
        outcome=record.outcome,
        reason=record.reason or "",
        request_body=record.request_body,
        answer_body=record.answer_body,
        attempt=record.attempt,
    )


def write(rows: Iterable[ApiCall]) -> None:
    ApiCall.objects.bulk_create(rows, batch_size=200)


def resolve_subjects_of(kind: str, resolver: Resolver) -> None:
    """Apps above say how `kind:id` is shown: a resolver gives label and address, or None."""
    _resolvers[kind] = resolver


def subject_link(subject: str) -> tuple[str, str] | None:
    """The label and address of what a call was for; None where nobody knows it."""
    kind, _, identity = subject.partition(":")
    resolver = _resolvers.get(kind)
    return resolver(identity) if resolver and identity else None


PRUNE_CHUNK = 2_000


def prune() -> int:
    """Delete calls older than the retention, in chunks that hold no lock for long."""
    limit = timezone.now() - timedelta(days=settings.JOURNAL_DAYS)
    deleted = 0
    while True:
        chunk = list(
            ApiCall.objects.filter(started_at__lt=limit)
            .order_by()
            .values_list("pk", flat=True)[:PRUNE_CHUNK]
        )
        if not chunk:
            return deleted
        deleted += ApiCall.objects.filter(pk__in=chunk).delete()[0]
