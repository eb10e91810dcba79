"""Ending all sessions of a colleague, for whoever may act on that person."""

from __future__ import annotations

from typing import Any, Final

from django.contrib import messages
from django.contrib.auth.models import User
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.html import format_html
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from core.acts import record_act
from core.admin.pages import current_user
from core.people import person_name
from core.stored_texts import declare

from .colleague_page import ColleaguePage
from .owner_notices import SESSIONS_ENDED, tell_once_more
from .sessions import end_sessions, sessions_of

ENDED: Final = declare("staff.sessions_ended", _("All sessions ended"))


def end_sessions_of(person: User, by: User | None) -> int:
    """End all sessions of a person, and tell them. `by`: None on the command line.

    Returns how many there were.
    """
    with transaction.atomic():
        count = end_sessions(person)
        record_act("staff.sessions_ended", by=by, subject=f"user:{person.pk}", count=count)
        tell_once_more(person, SESSIONS_ENDED, person=person_name(by))
    return count


def sessions_cell(person: User, url: str) -> str:
    """How many sessions the person has, for their page, and a button that ends them.

    The button is always there: a session of the version before is not counted.
    """
    text = _count_text(len(sessions_of(person)))
    return format_html(
        '{} <a class="button button-small" href="{}">{}</a>', text, url, _("End all sessions")
    )


def _count_text(count: int) -> str:
    return ngettext("%(n)s session", "%(n)s sessions", count) % {"n": count}


class EndSessions(ColleaguePage):
    title = _("End all sessions")
    template_name = "admin/auth/user/end_sessions.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        count = len(sessions_of(self.person))
        return super().get_context_data(sessions=_count_text(count), **kwargs)

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        with transaction.atomic():
            end_sessions_of(self.person, current_user(request))
            self.model_admin.log_change(request, self.person, ENDED.store())
        messages.success(request, gettext("All sessions of this person have ended."))
        return HttpResponseRedirect(self.model_admin.object_url(self.person))
