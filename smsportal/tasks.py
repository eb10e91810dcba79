"""Tasks of the queue that concern sign-ins, sessions, exports, notices and notes."""

from __future__ import annotations

from datetime import timedelta

from axes.models import AccessAttempt, AccessFailureLog, AccessLog
from django.conf import settings
from django.contrib.sessions.models import Session

from core import notices
from core.admin.export_jobs import end
from core.pruning import delete_in_chunks
from lookup import notes
from providers import clock

from .sign_in import sessions


def prune() -> int:
    """Delete ended sessions, old notices, and sign-ins and failures older than `JOURNAL_DAYS` days.

    They hold names and addresses. Also delete the files of exports whose time is over, and notes
    with what they are about. Returns the number of deleted rows.
    """
    old = clock.now() - timedelta(days=settings.JOURNAL_DAYS)
    return (
        notices.prune()
        + notes.prune()
        + end.prune()
        + sessions.prune_rows()
        + sum(
            delete_in_chunks(rows)
            for rows in (
                Session.objects.filter(expire_date__lt=clock.now()),
                AccessAttempt.objects.filter(attempt_time__lt=old),
                AccessFailureLog.objects.filter(attempt_time__lt=old),
                AccessLog.objects.filter(attempt_time__lt=old),
            )
        )
    )
