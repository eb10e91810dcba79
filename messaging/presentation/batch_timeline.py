"""The timeline of a batch, oldest entry first, from its own row and the log of what people did.

The row knows when the last thing of each kind happened, and the log each thing that a person did.
A pause that the portal made is in the log once somebody has continued the batch.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from django.contrib.admin.models import LogEntry
from django.contrib.contenttypes.models import ContentType
from django.urls import reverse
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _
from django.utils.translation import ngettext, pgettext

from core.admin.timeline import TimelineEntry, sort_entries
from core.people import person_name
from core.stored_texts import StoredText, value_of
from core.times import full_time
from providers.error_texts import explain
from providers.presentation.approval_texts import entries_about

from .. import log_texts
from ..batches.proposals import subject_of
from ..batches.prune_batches import NEVER_STARTED
from ..batches.states import BatchState
from ..models import Batch

B = BatchState


def batch_timeline(batch: Batch) -> list[TimelineEntry]:
    log = _log_of(batch)
    entries = [*_check(batch), *_start(batch, log), *_acts(batch, log), *_pauses(batch, log)]
    entries += entries_about(subject_of(batch))
    return sort_entries([*entries, *_again(batch), *_end(batch)])


def _log_of(batch: Batch) -> list[LogEntry]:
    kind = ContentType.objects.get_for_model(Batch)
    rows = LogEntry.objects.filter(content_type=kind, object_id=str(batch.pk))
    return list(rows.select_related("user").order_by("action_time", "pk"))


def _is(entry: LogEntry, *texts: StoredText) -> bool:
    return value_of(entry.change_message, "key") in {text.key for text in texts}


def _check(batch: Batch) -> Iterator[TimelineEntry]:
    name = person_name(batch.created_by)
    yield TimelineEntry(_("Created by %(name)s") % {"name": name}, batch.created_at)
    if batch.state == B.READING:
        yield TimelineEntry(_("Not read yet"))
    elif batch.reading_at is None:
        return
    elif batch.row_count:
        text = ngettext(
            "Checked: %(good)s of %(count)d row can be sent",
            "Checked: %(good)s of %(count)d rows can be sent",
            batch.row_count,
        )
        values = {"good": batch.good, "count": batch.row_count}
        yield TimelineEntry(text % values, batch.reading_at)
    else:
        yield TimelineEntry(_("Checked: it cannot be read"), batch.reading_at)


def _start(batch: Batch, log: list[LogEntry]) -> Iterator[TimelineEntry]:
    hold = batch.hold or batch.released_from
    if hold is not None:
        yield TimelineEntry(_("Put on hold"), hold.started_at)
    if batch.started_at is None:
        if batch.state == B.SCHEDULED and batch.scheduled_for:
            time = full_time(batch.scheduled_for)
            yield TimelineEntry(_("Starts automatically at %(time)s") % {"time": time})
        return
    started = next((entry for entry in log if _is(entry, log_texts.BATCH_STARTED)), None)
    started = started or _continued_at(batch.started_at, log)
    if started is not None:
        text = _("Started by %(name)s") % {"name": person_name(started.user)}
    elif batch.scheduled_for is not None:
        text = _("Started by the portal, as scheduled")
    else:
        text = pgettext("log", "Started")
    yield TimelineEntry(text, batch.started_at)


def _continued_at(moment: datetime, log: list[LogEntry]) -> LogEntry | None:
    """The act that started a batch which the portal had paused before its start."""
    for entry in log:
        if entry.action_time >= moment and _is(entry, log_texts.BATCH_CONTINUED_AFTER):
            paused_at = _paused_at(entry)
            return entry if paused_at is not None and paused_at < moment else None
    return None


def _paused_at(entry: LogEntry) -> datetime | None:
    return parse_datetime(value_of(entry.change_message, "paused_at"))


def _acts(batch: Batch, log: list[LogEntry]) -> Iterator[TimelineEntry]:
    """What people did, in the words of the log, each with the name."""
    words = {
        log_texts.BATCH_CHECKED_AGAIN.key: _("Another check requested by %(name)s"),
        log_texts.WARNINGS_CONFIRMED.key: _("Warnings confirmed by %(name)s"),
        log_texts.BATCH_SCHEDULED.key: _("Scheduled by %(name)s"),
        log_texts.BATCH_UNSCHEDULED.key: _("Schedule removed by %(name)s"),
        log_texts.BATCH_CONTINUED.key: _("Continued by %(name)s"),
        log_texts.BATCH_CONTINUED_AFTER.key: _("Continued by %(name)s"),
    }
    started = _continued_at(batch.started_at, log) if batch.started_at else None
    for entry in log:
        text = words.get(value_of(entry.change_message, "key"))
        if text and entry != started:
            yield TimelineEntry(text % {"name": person_name(entry.user)}, entry.action_time)


def _pauses(batch: Batch, log: list[LogEntry]) -> Iterator[TimelineEntry]:
    paused = [entry for entry in log if _is(entry, log_texts.BATCH_PAUSED)]
    if batch.paused_at is not None and batch.paused_by_id is not None and paused:
        # The row has the exact time of the last one.
        paused.pop()
    for entry in paused:
        name = person_name(entry.user)
        yield TimelineEntry(_("Paused by %(name)s") % {"name": name}, entry.action_time)
    for entry in log:
        if _is(entry, log_texts.BATCH_CONTINUED_AFTER):
            yield _paused_by_portal(value_of(entry.change_message, "reason"), _paused_at(entry))
    if batch.paused_at is not None and batch.paused_by_id is not None:
        name = person_name(batch.paused_by)
        yield TimelineEntry(_("Paused by %(name)s") % {"name": name}, batch.paused_at)
    elif batch.paused_at is not None:
        yield _paused_by_portal(batch.reason, batch.paused_at, **batch.values)


def _paused_by_portal(reason: str, at: datetime | None, **values: Any) -> TimelineEntry:
    title = explain(reason, waited=_("24 hours"), **values).title if reason else ""
    if not title:
        return TimelineEntry(_("Paused by the portal"), at)
    return TimelineEntry(_("Paused by the portal: %(reason)s") % {"reason": title}, at)


def _again(batch: Batch) -> Iterator[TimelineEntry]:
    for other in batch.sent_again.select_related("created_by").order_by("pk"):
        url = reverse("admin:messaging_batch_change", args=[other.public_id])
        text = _("Undelivered messages sent again by %(name)s")
        name = person_name(other.created_by)
        yield TimelineEntry(text % {"name": name}, other.created_at, url, pgettext("link", "Batch"))


def _end(batch: Batch) -> Iterator[TimelineEntry]:
    if batch.ended_at is None:
        return
    if batch.state == B.FINISHED:
        yield TimelineEntry(_("Finished: no message is waiting"), batch.ended_at)
    elif batch.reason == NEVER_STARTED:
        yield TimelineEntry(_("Discarded by the portal: not started in time"), batch.ended_at)
    elif batch.ended_by is not None:
        text = (
            _("Cancelled for the rest by %(name)s")
            if batch.started_at
            else _("Discarded by %(name)s")
        )
        yield TimelineEntry(text % {"name": person_name(batch.ended_by)}, batch.ended_at)
    else:
        yield TimelineEntry(_("Cancelled by the administrator"), batch.ended_at)
