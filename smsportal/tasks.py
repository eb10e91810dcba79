"""Tasks of the queue that concern sign-ins, sessions, exports, notices and notes."""

from __future__ import annotations

from axes.models import AccessAttempt, AccessFailureLog, AccessLog
from django.contrib.sessions.models import Session

from core import notices
from core.admin.export_jobs import end
from core.pruning import delete_in_chunks
from core.retention import limit_of
from lookup import notes
from providers import clock

from .sign_in import sessions


def prune() -> int:
    """Delete ended sessions, old notices, and sign-ins and failures that are too old.

    They hold names and addresses. Also delete the files of exports whose time is over, and notes
    with what they are about. Returns the number of deleted rows.
    """
    old = limit_of("sign_ins", clock.now())
    sign_ins = (AccessAttempt, AccessFailureLog, AccessLog) if old is not None else ()
    return (
        notices.prune()
        + notes.prune()
        + end.prune()
        + sessions.prune_rows()
        + sum(
            delete_in_chunks(rows)
            for rows in (
                Session.objects.filter(expire_date__lt=clock.now()),
                *(model.objects.filter(attempt_time__lt=old) for model in sign_ins),
            )
        )
    )
