"""The bar of a batch: its messages by what became of them, and the delivered share."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from django.core.cache import cache
from django.db.models import Count
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from core.times import rough_duration

from ..batches.progress import Progress, progress_from
from ..models import Batch, Message
from ..states import MessageState

S = MessageState
PARTS: Final[Mapping[str, tuple[MessageState, ...]]] = {
    "good": (S.DELIVERED,),
    "wait": (S.SUBMITTED, S.IN_TRANSIT, S.SENDING),
    "bad": (S.UNDELIVERED, S.REJECTED, S.EXPIRED, S.REFUSED, S.NOT_SENT),
    "warn": (S.UNKNOWN,),
}
"""The parts of the bar by what they mean. The rest of it is what waits."""
COUNTED_A_SECOND: Final = 500
"""A count is kept for a second for so many messages, since it takes longer the more there are."""
LONGEST_KEPT: Final = 300


@dataclass(frozen=True, slots=True)
class Part:
    role: str
    x: str
    width: str


def parts_of(progress: Progress) -> list[Part]:
    """The bar's parts, in percent of all messages."""
    found, start = [], 0.0
    for role, states in PARTS.items():
        width = 100 * progress.count(*states) / progress.total if progress.total else 0.0
        if width:
            found.append(Part(role, f"{start:.1f}%", f"{width:.1f}%"))
            start += width
    return found


def delivered_share(progress: Progress) -> str:
    """The share of the reported messages that were delivered; empty without a report."""
    delivered = progress.count(S.DELIVERED)
    reported = delivered + progress.count(S.UNDELIVERED, S.REJECTED, S.EXPIRED)
    return f"{100 * delivered / reported:.1f}%" if reported else ""


def progress_of_many(batches: Sequence[Batch]) -> dict[int, Progress]:
    """The progress of each batch that was started, by its primary key.

    One query counts them all. A large batch is not counted again at once.
    """
    started = [batch for batch in batches if batch.started_at is not None]
    kept = cache.get_many([_key(batch) for batch in started]) if started else {}
    missing = [batch for batch in started if _key(batch) not in kept]
    counted: dict[int, dict[str, int]] = {batch.pk: {} for batch in missing}
    if missing:
        rows = Message.objects.filter(batch__in=missing).order_by()
        for pk, state, count in rows.values_list("batch", "state").annotate(count=Count("pk")):
            counted[pk][state] = count
    for batch in missing:
        seconds = min(batch.good // COUNTED_A_SECOND, LONGEST_KEPT)
        if seconds:
            cache.set(_key(batch), counted[batch.pk], seconds)
    return {
        batch.pk: progress_from(batch, counted.get(batch.pk, kept.get(_key(batch), {})))
        for batch in started
    }


def _key(batch: Batch) -> str:
    # The state is part of it: what a cancelled batch left waiting is counted differently.
    return f"batch-count:{batch.pk}:{batch.state}"


def progress_cell(progress: Progress | None, left: float | None = None) -> SafeString | str:
    """The bar with the same in words; nothing for a batch that was not started.

    `left`: the estimated seconds until it ends, if there is an estimate.
    """
    if progress is None:
        return ""
    rects = format_html_join(
        "",
        '<rect class="fill-{}" x="{}" width="{}" height="100%"/>',
        ((part.role, part.x, part.width) for part in parts_of(progress)),
    )
    done = _("%(out)s of %(total)s") % {
        "out": f"{progress.out:,}",
        "total": f"{progress.total:,}",
    }
    share = delivered_share(progress)
    said = _("%(share)s delivered") % {"share": share}
    about = _("about %(left)s left") % {"left": rough_duration(left)} if left else ""
    words = format_html_join(
        " · ", "{}", ((one,) for one in (done, said if share else "", about) if one)
    )
    return format_html(
        '<span class="batch-bar"><svg class="meter thin" aria-hidden="true">{}'
        "</svg><small>{}</small></span>",
        rects,
        words,
    )
