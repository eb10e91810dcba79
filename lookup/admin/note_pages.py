"""What staff do with notes: write one, mark it as done, take it away."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.generic import TemplateView, View

from core.admin.buttons import Crumb
from core.admin.pages import NeedsPermission, Page, current_user
from core.admin.too_long import length_problem

from .. import notes
from ..models import LONGEST_NOTE, Note
from ..note_kinds import TITLES, Subject, find_subject, may_write, subjects_of, write_permission
from ..note_panel import panel_context


class AddNote(Page, TemplateView):
    """Adds a note. What is refused is shown again as it was typed, with the reason beside it."""

    http_method_names = ["post"]
    template_name = "lookup/note_refused.html"
    title = _("New note")
    subject: Subject

    def setup(self, request: HttpRequest, *args: Any, **kwargs: Any) -> None:
        super().setup(request, *args, **kwargs)
        if kwargs["kind"] not in TITLES:
            raise Http404
        _require(request, kwargs["kind"])
        subject = find_subject(kwargs["kind"], kwargs["address_id"])
        if subject is None:
            raise Http404
        self.subject = subject

    def get_trail(self) -> list[Crumb]:
        return [Crumb(TITLES[self.subject.kind], self.subject.url), Crumb(self.get_title())]

    def post(self, request: HttpRequest, **_kwargs: Any) -> HttpResponse:
        typed, chosen = request.POST.get("text", ""), request.POST.get("to", "")
        to = _person(self.subject.kind, chosen)
        problem = length_problem(notes.one_line(typed), LONGEST_NOTE)
        if not problem and chosen and to is None:
            problem = gettext("Not saved: this person cannot open the page.")
        if not problem and not notes.add(self.subject, typed, by=current_user(request), to=to):
            problem = gettext("Not saved: the note has no text.")
        if not problem:
            return HttpResponseRedirect(f"{self.subject.url}#notes")
        panel = panel_context(request, self.subject)
        panel |= {"typed": typed, "problem": problem, "to": to.pk if to else None}
        return self.render_to_response(self.get_context_data(panel=panel))


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
