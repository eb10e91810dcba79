"""Notes about messages, codes and orders of a number, on the page of that number."""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar

from django.db.models import QuerySet
from django.utils.html import format_html
from django.utils.translation import gettext, pgettext_lazy

from core.admin.buttons import Text
from core.admin.labels import Role, StateLabel, render_label
from core.admin.number_sources import NumberEvent, NumberSource, Reader
from core.masking import data
from core.people import person_name

from .models import Note
from .note_kinds import KINDS, Subject, may_read, subjects_of

NOTED = StateLabel(pgettext_lazy("state", "Note"), Role.NEUTRAL, "edit_note")
TO_DO = StateLabel(pgettext_lazy("state", "To be done"), Role.WARNING, "edit_note")
DONE = StateLabel(pgettext_lazy("state", "Done"), Role.SUCCESS, "task_alt")


def _kinds_for(reader: Reader) -> list[str]:
    """Those that have a number and that the reader may read."""
    return [kind for kind in ("message", "session", "order") if may_read(kind, reader)]


class NotesOfNumber(NumberSource):
    key: ClassVar[str] = "notes"
    title: ClassVar[Text] = pgettext_lazy("tab", "Notes")

    def may_ask(self, reader: Reader) -> bool:
        return bool(_kinds_for(reader))

    def events(
        self, number: str, reader: Reader, most: int, before: datetime | None = None
    ) -> list[NumberEvent]:
        rows = self._rows(number, reader).select_related("by", "assigned_to")
        rows = rows.filter(at__lt=before) if before else rows
        return [self._event(*pair) for pair in subjects_of(rows.order_by("-at")[:most])]

    def count(self, number: str, reader: Reader, most: int) -> int:
        return self._rows(number, reader).order_by()[:most].count()

    @staticmethod
    def _rows(number: str, reader: Reader) -> QuerySet[Note]:
        kinds = _kinds_for(reader)
        return Note.objects.filter(number=number, kind__in=kinds, removed_at=None)

    @staticmethod
    def _event(note: Note, subject: Subject) -> NumberEvent:
        label = TO_DO if note.is_open else DONE if note.done_at else NOTED
        text = data(note.text)
        if note.assigned_to:
            name = gettext("for %(name)s") % {"name": person_name(note.assigned_to)}
            text = format_html("{} · {}", text, name)
        return NumberEvent(
            note.at,
            "edit_note",
            render_label(label),
            text,
            subject.url,
            KINDS[note.kind].link,
            by=person_name(note.by),
        )
