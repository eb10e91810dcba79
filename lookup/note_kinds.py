"""The kinds of things that notes are about, and who may read and write notes about them.

Whoever may see an object may read its notes, write some and mark them as done. Notes about a
number need the permission to write them, as its name does.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from typing import Any, Final

from django.contrib.auth.models import AnonymousUser, User
from django.db.models import Model
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from core.admin.buttons import Text
from core.admin.number_sources import sources_for
from core.masking import number_url, plain_number
from core.phones.tokens import BadToken, number_in, token_of
from core.visibility import may_reveal, may_see_whole
from messaging.models import Batch, Message
from otp.models import Session
from rentals.models import Order
from rentals.presentation.visibility import display_name, whole_number

from .models import NUMBER, Note
from .number_facts import sees_whole

Reader = User | AnonymousUser
WRITE_ABOUT_NUMBERS: Final = "lookup.note_number"
MODEL_BACKEND: Final = "django.contrib.auth.backends.ModelBackend"


@dataclass(frozen=True, slots=True)
class Subject:
    """What one note is about. `obj` is None for a number itself."""

    kind: str
    address_id: str
    """How addresses name it: the public id, or the number's token."""
    number: str
    obj: Any = None

    @property
    def object_id(self) -> int | None:
        return None if self.obj is None else self.obj.pk

    @property
    def url(self) -> str:
        if self.obj is None:
            return number_url(self.number)
        return reverse(
            f"admin:{self.obj._meta.label_lower.replace('.', '_')}_change", args=[self.address_id]
        )

    def name(self, reader: Reader) -> str:
        """For lists: the number as this reader may see it, or the batch's file."""
        if self.obj is None:
            return plain_number(self.number, whole=sees_whole(self.number, reader))
        return KINDS[self.kind].name_of(self.obj, may_see_whole(self.obj, reader))


@dataclass(frozen=True, slots=True)
class NoteKind:
    """One kind of object. `view`: the permission that its page needs."""

    key: str
    model: type[Model]
    view: str
    title: Text
    link: Text
    number_of: Callable[[Any], str]
    name_of: Callable[[Any, bool], str]
    """By the object, and whether the reader sees it whole."""

    def subject_of(self, obj: Any) -> Subject:
        return Subject(self.key, obj.public_id, self.number_of(obj), obj)


def _recipient(obj: Any) -> str:
    return str(obj.recipient)


def _masked_recipient(obj: Any, whole: bool) -> str:
    return plain_number(obj.recipient, whole=whole)


_ALL: Final = (
    NoteKind(
        "message",
        Message,
        "messaging.view_message",
        pgettext_lazy("note", "Message"),
        _("Open message"),
        _recipient,
        _masked_recipient,
    ),
    NoteKind(
        "session",
        Session,
        "otp.view_session",
        pgettext_lazy("note", "Code"),
        _("Open code"),
        _recipient,
        _masked_recipient,
    ),
    NoteKind(
        "order",
        Order,
        "rentals.view_order",
        pgettext_lazy("note", "Order"),
        _("Open order"),
        lambda order: whole_number(order) if order.phone else "",
        lambda order, whole: display_name(order, unmasked=whole),
    ),
    NoteKind(
        "batch",
        Batch,
        "messaging.view_batch",
        pgettext_lazy("note", "Batch"),
        _("Open batch"),
        lambda _batch: "",
        lambda batch, _whole: batch.file_name or str(batch.get_source_display()),
    ),
)
KINDS: Final[dict[str, NoteKind]] = {kind.key: kind for kind in _ALL}
TITLES: Final[dict[str, Text]] = {
    NUMBER: pgettext_lazy("note", "Number"),
    **{kind.key: kind.title for kind in _ALL},
}


def subject_of(obj: Model) -> Subject | None:
    """None for objects of a kind that has no notes."""
    return next((kind.subject_of(obj) for kind in _ALL if isinstance(obj, kind.model)), None)


def subject_of_number(number: str) -> Subject:
    return Subject(NUMBER, token_of(number), number)


def find_subject(kind: str, address_id: str) -> Subject | None:
    """By the parts of an address."""
    if kind == NUMBER:
        try:
            return subject_of_number(number_in(address_id))
        except BadToken:
            return None
    known = KINDS.get(kind)
    if known is None:
        return None
    obj = known.model._default_manager.filter(public_id=address_id[:64]).first()
    return known.subject_of(obj) if obj else None


def subjects_of(notes: Collection[Note]) -> Iterator[tuple[Note, Subject]]:
    """Each note with what it is about, with one query for each kind. Skips deleted objects."""
    objects: dict[tuple[str, int | None], Any] = {}
    for key, kind in KINDS.items():
        ids = {note.object_id for note in notes if note.kind == key}
        if ids:
            for pk, obj in kind.model._default_manager.in_bulk(ids).items():
                objects[key, pk] = obj
    for note in notes:
        if note.kind == NUMBER:
            yield note, subject_of_number(note.number)
        elif (note.kind, note.object_id) in objects:
            obj = objects[note.kind, note.object_id]
            yield note, KINDS[note.kind].subject_of(obj)


def write_permission(kind: str) -> str:
    return WRITE_ABOUT_NUMBERS if kind == NUMBER else KINDS[kind].view


def may_read(kind: str, reader: Reader) -> bool:
    if kind == NUMBER:
        return bool(sources_for(reader))
    return reader.has_perm(KINDS[kind].view)


def may_write(kind: str, reader: Reader) -> bool:
    return may_read(kind, reader) and reader.has_perm(write_permission(kind))


def may_remove_all(kind: str, reader: Reader) -> bool:
    """Whether the reader may also take away what others wrote."""
    return may_reveal(Message if kind == NUMBER else KINDS[kind].model, reader)


def readable_kinds(reader: Reader) -> list[str]:
    return [kind for kind in TITLES if may_read(kind, reader)]


def colleagues(kind: str) -> list[User]:
    """Staff to whom a note of this kind can be assigned."""
    able = User.objects.with_perm(write_permission(kind), backend=MODEL_BACKEND)
    return list(able.filter(is_active=True, is_staff=True).order_by("username")[:MOST_PEOPLE])


MOST_PEOPLE: Final = 500
