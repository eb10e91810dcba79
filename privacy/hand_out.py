"""Everything about one number as a file for the person who has it."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, Final

from django.contrib.auth.models import User
from django.db import transaction
from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.translation import get_language

from core.acts import record_act
from core.personal_data import Place, places, text_of
from core.phones.digests import subject_of
from core.phones.parse import grouped
from core.phones.traces import Traces
from core.secrets import Secret
from core.stored_texts import Stored, show

from .headings import heading_of
from .mentions import Mentions, find_mentions

MOST_ROWS: Final = 10_000
"""Of one table. The file says if there are more."""


@dataclass(frozen=True, slots=True)
class Part:
    """The rows of one table about the number."""

    title: str
    key: str
    names: list[str]
    headings: list[str]
    rows: list[list[Any]]
    more: int


def hand_out(
    number: str, reason: Stored, by: User | None, *, seconds: float | None = None
) -> bytes:
    """A ZIP archive with `data.json` and `data.html` about a number (E.164). The act is logged.

    `seconds`: how long to look for texts that mention the number. The file names the tables that
    were not searched to their end. None: all of them are.
    """
    parts = [part for part in parts_of(number) if part.rows]
    mentions = find_mentions(Traces(number), seconds)
    with transaction.atomic():
        record_act(
            "number.hand_out",
            by=by,
            subject=subject_of(number),
            reason=Traces(number).replaced(reason, "…"),
            rows=_row_count(parts) + sum(len(part.rows) for part in mentions.parts),
        )
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("data.json", _as_json(number, parts, mentions))
        archive.writestr("data.html", _as_html(number, parts, mentions))
    return made.getvalue()


def _row_count(parts: list[Part]) -> int:
    return sum(len(part.rows) for part in parts)


def parts_of(number: str) -> Iterator[Part]:
    traces = Traces(number)
    for place in places():
        if place.handed_out:
            yield _part(place, traces)


def _part(place: Place, traces: Traces) -> Part:
    names = list(place.handed_out)
    about = place.about(traces).order_by("pk")
    rows = [list(map(_shown, row)) for row in about.values_list(*names)[:MOST_ROWS]]
    more = max(0, about.count() - len(rows)) if len(rows) == MOST_ROWS else 0
    headings = [heading_of(place, name) for name in names]
    return Part(str(place.title), place.key, names, headings, rows, more)


def _shown(value: Any) -> Any:
    if isinstance(value, datetime):
        return timezone.localtime(value).isoformat(timespec="seconds")
    if isinstance(value, Secret):
        return text_of(value)
    if isinstance(value, str):
        return show(value)
    return value


def _as_json(number: str, parts: list[Part], mentions: Mentions) -> str:
    data = {
        "number": number,
        "made_at": timezone.localtime().isoformat(timespec="seconds"),
        "tables": {
            part.key: {
                "title": part.title,
                "rows": [dict(zip(part.names, row, strict=True)) for row in part.rows],
                "more": part.more,
            }
            for part in parts
        },
        "mentions": {
            part.key: {"title": part.title, "rows": [asdict(one) for one in part.rows]}
            for part in mentions.parts
        },
        "not_searched_to_the_end": mentions.unfinished,
    }
    return json.dumps(data, ensure_ascii=False, indent=2, default=str)


def _as_html(number: str, parts: list[Part], mentions: Mentions) -> str:
    context = {
        "number": grouped(number),
        "made_at": timezone.localtime(),
        "parts": parts,
        "mentions": mentions,
        "language": get_language(),
    }
    return render_to_string("privacy/hand_out.html", context)
