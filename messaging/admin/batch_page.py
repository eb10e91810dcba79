"""Context of a batch's page in every state."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlencode

from django.contrib.auth.models import AnonymousUser, User
from django.db.models import Count
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext

from core.admin.labels import label_for
from core.admin.live import poll_interval
from core.admin.pages import new_form_token
from core.admin.protocols import ModelPages
from core.punctuation import quoted
from core.visibility import may_see_whole
from providers.admin.account_summary import paused_note
from providers.balances import balance_of
from providers.engine.bulk_throttle import bulk_rate_per_minute
from providers.engine.leases import is_engine_alive
from providers.error_texts import Explanation, explain
from providers.presentation.balance_texts import balance_line
from providers.presentation.cost_texts import cost_line

from ..batches import resend
from ..batches.duplicates import overlap_of, recent_duplicate
from ..batches.importing.file_errors import FileProblem
from ..batches.importing.placeholders import corrected_text
from ..batches.progress import WAITING, Progress, progress_of, time_left
from ..batches.states import BEGUN, CHANGING, DROPPABLE, BatchState
from ..models import Batch, Message, StagedRow
from ..on_hold import ON_HOLD
from ..presentation import row_texts
from ..presentation.batch_approvals import explain_approval, waiting_request
from ..presentation.batch_labels import BLOCKED, explain_hold, shown_state
from ..presentation.batch_timeline import batch_timeline
from ..states import MessageState
from .batch_check import reading_context
from .recheck_form import RecheckForm

B = BatchState
S = MessageState
MAX_PROBLEMS: Final = 100
BATCH_WAITS: Final = gettext_lazy(
    "The messages of this batch will wait until the account is resumed; nothing is lost."
)
SHOWN_STATES: Final = (
    S.SENDING,
    S.SUBMITTED,
    S.IN_TRANSIT,
    S.DELIVERED,
    S.UNDELIVERED,
    S.EXPIRED,
    S.REJECTED,
    S.REFUSED,
    S.UNKNOWN,
    S.NOT_SENT,
)


def fingerprint(batch: Batch) -> str:
    """Identifies what the last check found."""
    findings = json.dumps(batch.check_summary, sort_keys=True, default=str)
    return hashlib.sha256(findings.encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Figure:
    """One count of the progress, with a link to the messages that it counts."""

    word: str
    role: str
    icon: str
    count: int
    url: str


def context_of(admin: ModelPages, request: HttpRequest, batch: Batch) -> dict[str, Any]:
    user = request.user
    can_bulk = user.has_perm("messaging.bulk_message")
    checked = batch.state in (B.READY, B.SCHEDULED, B.AWAITING_APPROVAL, B.REJECTED)
    context: dict[str, Any] = {
        "batch": batch,
        "shown_state": shown_state(batch),
        "lines": batch_timeline(batch),
        "poll_every": _poll_every(batch),
        "live_url": admin.object_url(batch, "live"),
        "urls": {
            name: admin.object_url(batch, name)
            for name in (
                "confirm",
                "check",
                "accept",
                "report",
                "pause",
                "continue",
                "cancel",
                "unschedule",
                "again",
                "row",
            )
        },
        "explanation": _explanation(batch),
        "approval": waiting_request(batch),
        "on_hold": batch.is_on_hold,
        "may": _allowed_actions(batch, can_bulk),
        "zone": timezone.get_current_timezone_name(),
        "form_token": new_form_token(),
        "asleep": batch.state == B.SENDING and not is_engine_alive(),
    }
    if batch.state == B.READING:
        total = batch.read_total
        context["percent"] = min(99, 100 * batch.read_done // total) if total else None
    if checked or batch.state == B.UNREADABLE:
        context |= _check_context(batch, user)
        context["ticked"] = request.GET.getlist("warning")
    if batch.started_at or batch.state in BEGUN:
        context |= _progress_context(batch)
    return context


def _explanation(batch: Batch) -> Explanation | None:
    if batch.is_on_hold:
        return explain_hold(batch)
    if asked := explain_approval(batch):
        return asked
    return explain(batch.reason, **_reason_values(batch)) if batch.reason else None


def _reason_values(batch: Batch) -> dict[str, Any]:
    """Names are stored as a list; versions before this one stored them as one text."""
    values = {
        name: quoted(value) if isinstance(value, list) else value
        for name, value in batch.values.items()
    }
    return {"waited": _("24 hours"), **values}


def _poll_every(batch: Batch) -> int | None:
    if batch.state not in CHANGING:
        return None
    return poll_interval(batch.started_at or batch.created_at)


def _allowed_actions(batch: Batch, can_bulk: bool) -> dict[str, bool]:
    state, free = batch.state, not batch.is_on_hold
    own_file = batch.source != Batch.Source.AGAIN
    return {
        "check": can_bulk and own_file and state in (B.READY, B.UNREADABLE, B.REJECTED),
        "confirm": can_bulk and free and state == B.READY and batch.good > 0,
        "pause": can_bulk and state == B.SENDING,
        "continue": can_bulk and free and state == B.PAUSED,
        "unschedule": can_bulk and state == B.SCHEDULED,
        "drop": can_bulk and state in DROPPABLE,
        "cancel": can_bulk and state in (B.SENDING, B.PAUSED),
        "new": can_bulk,
    }


def _check_context(batch: Batch, user: User | AnonymousUser) -> dict[str, Any]:
    whole = may_see_whole(batch, user)
    faulty = StagedRow.objects.filter(batch=batch).exclude(verdict=StagedRow.Verdict.GOOD)
    return {
        "form": None,
        "check_form": RecheckForm(batch=batch),
        "corrected": _corrected_text(batch),
        "seen": fingerprint(batch),
        **reading_context(batch, whole=whole),
        "whole": whole,
        "problems": [
            {
                "number": row.number,
                "typed": row_texts.typed_text(row, whole=whole),
                "words": row_texts.problem_text(row, batch.account, whole=whole),
            }
            for row in faulty.order_by("pk")[:MAX_PROBLEMS]
        ],
        "bad": batch.repeated + batch.listed + batch.refused,
        "costly_rows": row_texts.costly_rows_text(batch),
        "preview": preview_of(batch, 0, user) if batch.good else None,
    }


def _corrected_text(batch: Batch) -> str:
    """The text with its misspelt places corrected; empty if there is nothing to correct."""
    if batch.reason not in (FileProblem.LOOKALIKES, FileProblem.UNKNOWN_COLUMNS):
        return ""
    corrected = corrected_text(batch.text, batch.columns)
    return "" if corrected == batch.text else corrected


def good_row(batch: Batch, index: int) -> StagedRow | None:
    """The good row at `index`; None if there is no such row."""
    good = StagedRow.objects.filter(batch=batch, verdict=StagedRow.Verdict.GOOD).order_by("pk")
    return good[index : index + 1].first()


def preview_of(batch: Batch, index: int, user: User | AnonymousUser) -> dict[str, Any] | None:
    """Preview of the text of the good row at `index`; None if there is no such row."""
    row = good_row(batch, index)
    if row is None:
        return None
    whole = may_see_whole(batch, user)
    return {
        "row": row,
        "text": row.text or batch.text,
        "whole": whole,
        "position": index + 1,
        "index": index,
        "previous": index - 1 if index else None,
        "next": index + 1 if index + 1 < batch.good else None,
    }


def _progress_context(batch: Batch) -> dict[str, Any]:
    progress = progress_of(batch)
    # Unknown outcomes are no part of it: they may have been delivered.
    not_delivered = resend.count_resendable(batch) if batch.ended_at else 0
    unknown = progress.count(S.UNKNOWN)
    return {
        "progress": progress,
        "unknown": _figure(batch, S.UNKNOWN, unknown, (S.UNKNOWN,)) if unknown else None,
        "is_doubtful": bool(unknown) or batch.is_on_hold,
        "figures": list(_figures(batch, progress)),
        "reasons": list(_reasons(batch)),
        "a_minute": round(batch.a_minute) if batch.a_minute and batch.state == B.SENDING else None,
        "time_left": time_left(batch, progress),
        "not_delivered": not_delivered,
        "blocked": shown_state(batch) == BLOCKED,
        "pause_explanation": explain(batch.account.pause_reason, words=batch.account.pause_words)
        if batch.account.is_paused
        else None,
    }


def _figures(batch: Batch, progress: Progress) -> Iterator[Figure]:
    """Figures that add up to the total; zero counts are left out."""
    if progress.waiting:
        if batch.is_on_hold:
            yield _figure(batch, ON_HOLD, progress.waiting, (ON_HOLD,))
        else:
            yield _figure(batch, "queued", progress.waiting, WAITING)
    for state in SHOWN_STATES:
        if count := progress.count(state):
            yield _figure(batch, state, count, (state,))
    if progress.cancelled:
        yield _figure(batch, "cancelled", progress.cancelled, (S.CANCELLED,))


def _figure(batch: Batch, state: str, count: int, states: tuple[str, ...]) -> Figure:
    label = label_for("message", state)
    word = pgettext("state", "Accepted") if state == S.SUBMITTED else str(label.word)
    return Figure(word, label.role, label.icon, count, messages_url(batch, *states))


def messages_url(batch: Batch, *states: str) -> str:
    """URL of the message list, filtered by this batch and these states."""
    shown = [("shown", state) for state in states if state != S.CLAIMED]
    if S.SUBMITTED in states:
        derived = ("submitted_no_reports", "submitted_no_report", "submitted_marked")
        shown += [("shown", state) for state in derived]
    query = urlencode([("batch", batch.public_id), *shown])
    return f"{reverse('admin:messaging_message_changelist')}?{query}"


def _reasons(batch: Batch) -> Iterator[tuple[str, int, str]]:
    """Reasons for failed messages: title, count and a link to those messages."""
    failed = Message.objects.filter(
        batch=batch, state__in=(S.REFUSED, S.UNKNOWN, S.NOT_SENT, S.CANCELLED)
    )
    counted = failed.exclude(reason="").order_by().values_list("reason").annotate(n=Count("pk"))
    for reason, count in sorted(counted, key=lambda pair: -pair[1]):
        query = urlencode([("batch", batch.public_id), ("reason", reason)])
        url = f"{reverse('admin:messaging_message_changelist')}?{query}"
        yield explain(reason, waited=_("24 hours")).title, count, url


def estimate_of(batch: Batch, reader: User | AnonymousUser) -> dict[str, Any]:
    """The estimated cost and time, the account's balance, and the warnings."""
    account = batch.account
    pace = bulk_rate_per_minute(account)
    earlier = recent_duplicate(batch)
    return {
        "cost_line": cost_line(account, batch.segments, reader),
        "paused": paused_note(account, BATCH_WAITS),
        "balance_line": balance_line(balance_of(account)),
        "pace": int(pace),
        "seconds": 60 * batch.good / pace,
        "earlier": earlier,
        "overlap": None if earlier else overlap_of(batch),
    }
