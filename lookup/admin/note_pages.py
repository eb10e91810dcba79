"""What staff do with notes: write one, mark it as done, take it away."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.generic import View

from core.admin.pages import NeedsPermission, current_user

from .. import notes
from ..models import Note
from ..note_kinds import TITLES, find_subject, may_write, subjects_of, write_permission


class AddNote(View):
    http_method_names = ["post"]

    def post(self, request: HttpRequest, kind: str, address_id: str) -> HttpResponse:
        if kind not in TITLES:
            raise Http404
        _require(request, kind)
        subject = find_subject(kind, address_id)
        if subject is None:
            raise Http404
        chosen = request.POST.get("to", "")
        to = _person(kind, chosen)
        if chosen and to is None:
            messages.error(request, _("Not saved: this person cannot open the page."))
        elif not notes.add(subject, request.POST.get("text", ""), by=current_user(request), to=to):
            messages.error(request, _("Not saved: the note has no text."))
        return HttpResponseRedirect(f"{subject.url}#notes")


class NoteAct(View):
    """Base of what is done with one note. It returns to the page where the button was."""

    http_method_names = ["post"]

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        note = Note.objects.filter(pk=pk, removed_at=None).first()
        if note is None or note.kind not in TITLES:
            raise Http404
        _require(request, note.kind)
        self.act(note, current_user(request))
        if request.POST.get("from") == "hand_over":
            return HttpResponseRedirect(f"{reverse('admin:hand_over')}#notes")
        found = next(subjects_of([note]), None)
        return HttpResponseRedirect(f"{found[1].url}#notes" if found else reverse("admin:index"))

    def act(self, note: Note, by: User) -> None:
        raise NotImplementedError


class FinishNote(NoteAct):
    """Marks a task as done. A second click changes nothing."""

    def act(self, note: Note, by: User) -> None:
        notes.finish(note, by)


class RemoveNote(NoteAct):
    def act(self, note: Note, by: User) -> None:
        if not notes.remove(note, by):
            raise PermissionDenied


def _require(request: HttpRequest, kind: str) -> None:
    if not may_write(kind, request.user):
        raise NeedsPermission(write_permission(kind))


def _person(kind: str, chosen: str) -> User | None:
    """A member of staff who may see what the note is about."""
    if not (chosen.isascii() and chosen.isdigit() and len(chosen) < 19):
        return None
    person = User.objects.filter(pk=chosen, is_active=True, is_staff=True).first()
    return person if person and may_write(kind, person) else None
