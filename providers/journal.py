"""The journal of API calls. Rows come redacted from the door and are only written here."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db import connection
from django.utils import timezone

from core.bulk_insert import insert_rows
from core.pruning import delete_in_chunks

from .gateway.call import CallRecord
from .models import ApiCall

Resolver = Callable[[str], tuple[str, str] | None]
_resolvers: dict[str, Resolver] = {}


@dataclass(slots=True)
class BufferedRecorder:
    """Collects what one job's calls left to write; the loop's thread writes it."""

    _records: list[CallRecord] = field(default_factory=list)

    def record(self, record: CallRecord) -> None:
        self._records.append(record)

    @property
    def is_empty(self) -> bool:
        return not self._records

    def take(self) -> list[CallRecord]:
        records, self._records = self._records, []
        return records


_COLUMNS = (
    "account_id",
    "operation",
    "subject",
    "started_at",
    "duration",
    "method",
    "url",
    "http_status",
    "outcome",
    "reason",
    "request_body",
    "answer_body",
    "attempt",
)


def write(calls: Sequence[tuple[int, CallRecord]]) -> None:
    """Write (account id, record) pairs. SQL, since this runs for every call of a batch."""
    if not calls:
        return
    rows = [_values(account_id, call) for account_id, call in calls]
    insert_rows(ApiCall._meta.db_table, _COLUMNS, rows)


def _values(account_id: int, call: CallRecord) -> tuple[Any, ...]:
    return (
        account_id,
        str(call.operation),
        call.subject,
        connection.ops.adapt_datetimefield_value(call.started_at),
        call.duration,
        call.method,
        call.url,
        call.http_status,
        call.outcome.value,
        call.reason.value if call.reason else "",
        call.request_body,
        call.answer_body,
        call.attempt,
    )


def resolve_subjects_of(kind: str, resolver: Resolver) -> None:
    """Apps above say how `kind:id` is shown: a resolver gives label and address, or None."""
    _resolvers[kind] = resolver


Finder = Callable[[str], list[str]]
_finders: list[Finder] = []


def find_subjects_by(finder: Finder) -> None:
    """Apps above say what a whole id names: a finder gives subjects, as `message:42`."""
    if finder not in _finders:
        _finders.append(finder)


def subjects_named(identity: str) -> list[str]:
    """Everything that has this id, whether it is ours or a provider's."""
    return [subject for finder in _finders for subject in finder(identity)]


def subject_link(subject: str) -> tuple[str, str] | None:
    """The label and address of what a call was for; None where nobody knows it."""
    kind, _, identity = subject.partition(":")
    resolver = _resolvers.get(kind)
    return resolver(identity) if resolver and identity else None


def prune() -> int:
    """Delete calls older than the retention."""
    limit = timezone.now() - timedelta(days=settings.JOURNAL_DAYS)
    return delete_in_chunks(ApiCall.objects.filter(started_at__lt=limit))
