"""The panel of notes on the page of an object or a number."""

from __future__ import annotations

from typing import Any

from django.db.models import Model
from django.http import HttpRequest
from django.urls import reverse

from core.admin.object_panels import ObjectPanel
from core.people import person_name

from .models import LONGEST_NOTE
from .note_kinds import Subject, colleagues, may_read, may_remove_all, may_write, subject_of
from .notes import MOST, notes_about

TEMPLATE = "lookup/notes.html"


def panel_for(request: HttpRequest, obj: Model) -> ObjectPanel | None:
    subject = subject_of(obj)
    if subject is None or not may_read(subject.kind, request.user):
        return None
    return ObjectPanel(TEMPLATE, panel_context(request, subject))


def panel_context(request: HttpRequest, subject: Subject) -> dict[str, Any]:
    reader = request.user
    writes = may_write(subject.kind, reader)
    removes = may_remove_all(subject.kind, reader)
    notes = list(notes_about(subject))
    return {
        "notes": [
            {
                "note": note,
                "by": person_name(note.by),
                "to": person_name(note.assigned_to) if note.assigned_to else "",
                "done_by": person_name(note.done_by) if note.done_by else "",
                "may_finish": writes and note.is_open,
                "may_remove": writes and (removes or note.by_id == reader.pk),
            }
            for note in notes[:MOST]
        ],
        "is_cut": len(notes) > MOST,
        "most": MOST,
        "may_write": writes,
        "people": [(one.pk, person_name(one)) for one in colleagues(subject.kind)]
        if writes
        else [],
        "longest": LONGEST_NOTE,
        "add_url": reverse("admin:note_add", args=[subject.kind, subject.address_id]),
    }
