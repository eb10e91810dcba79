"""Write notes, mark them as done, take them away, and find those that wait for a person."""

from __future__ import annotations

from typing import Final

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils.translation import gettext_lazy as _

from core.acts import record_act
from core.notices import NoticeKind, notify, register_kind
from core.people import person_name
from core.stored_texts import declare
from providers import clock

from .models import LONGEST_NOTE, NUMBER, OPEN, Note
from .note_kinds import KINDS, Subject, may_remove_all, readable_kinds

MOST: Final = 50
"""Notes of one object that its page shows."""
CHUNK: Final = 500
ASSIGNED: Final = declare("notice.note_assigned", _("%(person)s left a note for you."))
ASSIGNED_KIND: Final = "note_assigned"


def register() -> None:
    register_kind(NoticeKind(ASSIGNED_KIND, _("A colleague leaves a note for me")))


def add(subject: Subject, text: str, *, by: User, to: User | None = None) -> Note | None:
    """None if the text is empty or too long. `to` must be one who may write such notes."""
    text = one_line(text)
    if not 0 < len(text) <= LONGEST_NOTE:
        return None
    with transaction.atomic():
        note = Note.objects.create(
            kind=subject.kind,
            object_id=subject.object_id,
            number=subject.number,
            text=text,
            by=by,
            assigned_to=to,
        )
        record_act("note.add", by=by, subject=_act_subject(note), to=to.pk if to else None)
        if to is not None and to.pk != by.pk:
            text = ASSIGNED.store(person=person_name(by))
            url = f"{subject.url}#notes"
            notify(to.pk, f"note:{note.pk}:assigned", text, url, kind=ASSIGNED_KIND)
    return note


def one_line(text: str) -> str:
    return " ".join(text.split())


def finish(note: Note, by: User) -> bool:
    """Mark a task as done. False: it is none, or is done already."""
    with transaction.atomic():
        found = Note.objects.filter(OPEN, pk=note.pk)
        done = bool(found.update(done_by=by, done_at=clock.now()))
        if done:
            record_act("note.done", by=by, subject=_act_subject(note))
    return done


def remove(note: Note, by: User) -> bool:
    """Take away one's own note, or any note for people who may reveal what it is about."""
    with transaction.atomic():
        found = Note.objects.filter(pk=note.pk, removed_at=None)
        if not may_remove_all(note.kind, by):
            found = found.filter(by=by)
        removed = bool(found.update(removed_by=by, removed_at=clock.now()))
        if removed:
            record_act("note.remove", by=by, subject=_act_subject(note))
    return removed


def notes_about(subject: Subject) -> QuerySet[Note]:
    """The newest first. One may be more than a page shows."""
    of_subject = Note.objects.filter(kind=subject.kind, removed_at=None)
    if subject.kind == NUMBER:
        of_subject = of_subject.filter(number=subject.number)
    else:
        of_subject = of_subject.filter(object_id=subject.object_id)
    return of_subject.select_related("by", "assigned_to", "done_by")[: MOST + 1]


def open_notes_for(person: User) -> QuerySet[Note]:
    """Tasks of this person, of kinds that they may still see."""
    return Note.objects.filter(OPEN, kind__in=readable_kinds(person), assigned_to=person)


def open_notes_given_by(person: User) -> QuerySet[Note]:
    """Tasks that this person gave to others."""
    given = Note.objects.filter(OPEN, kind__in=readable_kinds(person), by=person)
    return given.filter(~Q(assigned_to=person))


def prune() -> int:
    """Delete the notes about objects that are gone. Returns how many."""
    deleted = 0
    for key, kind in KINDS.items():
        notes = Note.objects.filter(kind=key)
        ids = list(notes.order_by().values_list("object_id", flat=True).distinct())
        for start in range(0, len(ids), CHUNK):
            chunk = ids[start : start + CHUNK]
            known = kind.model._default_manager.filter(pk__in=chunk).values_list("pk", flat=True)
            gone = set(chunk) - set(known)
            if gone:
                deleted += notes.filter(object_id__in=gone).delete()[0]
    return deleted


def _act_subject(note: Note) -> str:
    return f"note:{note.pk}"
