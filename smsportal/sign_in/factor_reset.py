"""Removing the second factors of somebody who has lost them, by a colleague above them."""

from __future__ import annotations

from typing import Any, Final

from allauth.mfa.models import Authenticator
from django.contrib import messages
from django.contrib.auth.models import User
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.html import format_html
from django.utils.translation import gettext, ngettext, pgettext
from django.utils.translation import gettext_lazy as _

from core.acts import record_act
from core.admin.pages import current_user
from core.people import person_name
from core.punctuation import listed
from core.stored_texts import declare

from .colleague_page import ColleaguePage
from .factors import factors_of
from .owner_notices import RESET, tell_once_more
from .sessions import end_sessions

REMOVED: Final = declare("staff.factors_reset", _("Second factors removed"))


def reset_factors(person: User, by: User | None) -> None:
    """Remove all factors of a person, and end their sessions. `by`: None on the command line.

    The next sign-in needs the password alone, and a role that requires a factor leads to its
    set-up.
    """
    with transaction.atomic():
        kinds = sorted(str(factor.type) for factor in factors_of(person))
        Authenticator.objects.filter(user=person).delete()
        end_sessions(person)
        record_act("staff.factors_reset", by=by, subject=f"user:{person.pk}", kinds=kinds)
        tell_once_more(person, RESET, person=person_name(by))


def factor_summary(person: User) -> str:
    """Such as "Authenticator app, 2 passkeys", for the page of the person."""
    kinds = [factor.type for factor in factors_of(person)]
    keys = kinds.count(Authenticator.Type.WEBAUTHN)
    words = [pgettext("factor", "Authenticator app")] if len(kinds) > keys else []
    if keys:
        words.append(ngettext("%(n)s passkey", "%(n)s passkeys", keys) % {"n": keys})
    return listed(words) if words else pgettext("factor", "None")


def factor_cell(person: User, url: str) -> str:
    text = factor_summary(person)
    if not factors_of(person):
        return text
    return format_html(
        '{} <a class="button button-small" href="{}">{}</a>', text, url, _("Remove the factors")
    )


class ResetFactors(ColleaguePage):
    title = _("Remove the second factors")
    template_name = "admin/auth/user/reset_factors.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(factors=factor_summary(self.person), **kwargs)

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        with transaction.atomic():
            reset_factors(self.person, current_user(request))
            self.model_admin.log_change(request, self.person, REMOVED.store())
        messages.success(request, gettext("The second factors were removed."))
        return HttpResponseRedirect(self.model_admin.object_url(self.person))
