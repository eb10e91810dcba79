"""Where the core keeps phone numbers: notices, searches, exports and saved filters."""

from __future__ import annotations

import zlib
from collections.abc import Mapping, Sequence
from typing import Any

from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from .admin.export_jobs import end
from .admin.export_jobs.limits import OPEN
from .models import ExportJob, ExportPart, Notice, NumberSearch, OwnList
from .personal_data import Erased, Place, excuse, register
from .phones.searches import digest_of
from .phones.traces import Traces


class Searches(Place):
    """Their numbers are keyed hashes."""

    def _is_about(self, traces: Traces, row: Mapping[str, Any]) -> bool:
        return bool(row["number"] == digest_of(traces.number))


class Exports(Place):
    """Files of exports. One that has the number is deleted, and its person may ask again."""

    def _has(self, traces: Traces, row: Mapping[str, Any], *, on_purpose: bool) -> bool:
        return traces.is_in(zlib.decompress(bytes(row["data"])).decode("utf-8", "replace"))

    def erase(
        self, hits: Sequence[Any], traces: Traces, stand_in: str, *, on_purpose: bool
    ) -> Erased:
        jobs = ExportJob.objects.filter(pieces__in=list(hits)).distinct()
        return Erased(sum(map(end.drop_for_erasure, jobs)))


def register_places() -> None:
    register(
        Place(
            Notice,
            pgettext_lazy("title", "Notifications"),
            searched=("text", "url"),
            excused={"event": "a kind and an id"},
        )
    )
    register(
        Searches(
            NumberSearch,
            _("Searches for numbers"),
            number="number",
            is_deleted=True,
            excused={"alike": "a keyed hash of what is masked"},
        )
    )
    register(
        Place(
            ExportJob,
            _("Requests for exports"),
            searched=("query", "filters", "headings"),
            under_way=Q(state__in=OPEN),
            excused=dict.fromkeys(
                ("reason", "rows_of", "format", "language", "time_zone", "newest", "reached"),
                "words and keys of the portal",
            )
            | {"claim": "a random id"},
        )
    )
    register(Exports(ExportPart, _("Files of exports"), searched=("data",), chunk=4))
    register(
        Place(
            OwnList,
            _("Saved filters"),
            searched=("filters",),
            excused=dict.fromkeys(("rows_of", "default", "columns"), "names of the portal"),
        )
    )
    excuse("A keyed hash of the keys.", "core.keycheck")
    excuse("Kinds and ids. What people typed is in the personal part.", "core.act")
