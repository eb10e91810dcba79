"""The journal of API calls. The gateway redacts each record; this module only writes it."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

from django.db import connection

from core.bulk_insert import insert_rows
from core.held_rows import delete_unheld
from core.models import Act
from core.redaction import storable
from core.retention import limit_of

from . import clock
from .gateway.call import CallRecord
from .models import ApiCall
from .retention_kinds import JOURNAL

Resolver = Callable[[Collection[str]], Mapping[str, tuple[str, str]]]
"""From the ids of one kind to the labels and URLs of those that exist, in one query."""
_resolvers: dict[str, Resolver] = {}


@dataclass(slots=True)
class BufferedRecorder:
    """Collects the call records of one job in its worker thread. The loop's thread writes them."""

    _records: list[CallRecord] = field(default_factory=list)

    def record(self, record: CallRecord) -> None:
        self._records.append(record)

    @property
    def is_empty(self) -> bool:
        return not self._records

    def take(self) -> list[CallRecord]:
        records, self._records = self._records, []
        return records


IDENTITY: Final = re.compile(r"[0-9]{1,18}")
MOST_COMPARED: Final = 3
"""Calls of a transaction that are looked up to find out whether it was committed."""
LEFT_OUT: Final = "(left out: the database refused this row)"

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
    "request_id",
)


def write(calls: Sequence[tuple[int, CallRecord]]) -> None:
    """Write (account id, record) pairs in bulk, since this runs for every call of a batch."""
    if not calls:
        return
    references = _references({call.subject for _account, call in calls if call.subject})
    rows = [
        (*_values(account_id, call), references.get(call.subject)) for account_id, call in calls
    ]
    insert_rows(ApiCall._meta.db_table, _COLUMNS, rows)


def _references(subjects: Collection[str]) -> dict[str, str]:
    """The reference of the last request about each of these that came from one.

    A message of a batch has none: the request was about the batch.
    """
    if not subjects:
        return {}
    acts = Act.objects.filter(subject__in=sorted(subjects), request_id__isnull=False)
    found = acts.order_by("at", "pk").values_list("subject", "request_id")
    return {subject: reference for subject, reference in found if reference}


def is_written(calls: Sequence[tuple[int, CallRecord]]) -> bool:
    """Whether one of these calls is in the journal, and so all that were written with it.

    No two calls have the same account, subject, operation and microsecond.
    """
    identities = {
        (account_id, call.subject, str(call.operation), call.started_at)
        for account_id, call in calls
    }
    for account_id, call in calls[:MOST_COMPARED]:
        found = ApiCall.objects.filter(account_id=account_id, started_at=call.started_at)
        columns = ("account_id", "subject", "operation", "started_at")
        if not identities.isdisjoint(found.values_list(*columns)):
            return True
    return False


def reduced(call: tuple[int, CallRecord]) -> tuple[int, CallRecord]:
    """The same without its texts and only with values that fit, for a row that the database
    refused."""
    account_id, record = call
    return account_id, replace(
        record,
        operation=storable(record.operation)[:32],
        subject=storable(record.subject)[:64],
        method=storable(record.method)[:8],
        url="",
        request_body="",
        answer_body=LEFT_OUT,
        http_status=record.http_status if 0 <= (record.http_status or 0) < 1000 else None,
        attempt=min(record.attempt, 1000),
    )


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


def register_subject_resolver(kind: str, resolver: Resolver) -> None:
    """Register how an app shows the subjects `kind:id`, each as a label and a URL."""
    _resolvers[kind] = resolver


Finder = Callable[[str], list[str]]
_finders: list[Finder] = []


def register_subject_finder(finder: Finder) -> None:
    """Register how an app finds the subjects (`message:42`) that a complete id belongs to."""
    if finder not in _finders:
        _finders.append(finder)


def find_subjects(identity: str) -> list[str]:
    """The subjects with this id, whether it is ours or a provider's."""
    return [subject for finder in _finders for subject in finder(identity)]


def subject_links(subjects: Iterable[str]) -> dict[str, tuple[str, str]]:
    """The label and URL of each subject that an app knows. One query for each kind."""
    by_kind: dict[str, set[str]] = defaultdict(set)
    for subject in subjects:
        kind, _, identity = subject.partition(":")
        # Other ids than numbers would be refused by the database.
        if kind in _resolvers and IDENTITY.fullmatch(identity):
            by_kind[kind].add(identity)
    return {
        f"{kind}:{identity}": link
        for kind, identities in by_kind.items()
        for identity, link in _resolvers[kind](identities).items()
    }


def subject_link(subject: str) -> tuple[str, str] | None:
    """The label and URL of a subject; None if no app knows it."""
    return subject_links([subject]).get(subject)


def prune() -> int:
    """Delete calls whose retention has passed."""
    limit = limit_of(JOURNAL, clock.now())
    return 0 if limit is None else delete_unheld(ApiCall.objects.filter(started_at__lt=limit))
