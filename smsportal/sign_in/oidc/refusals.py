"""Why nobody was signed in over the provider, in words for the person who tried."""

from __future__ import annotations

import logging
from http import HTTPStatus
from typing import Any, Final

from allauth.core.exceptions import ImmediateHttpResponse
from django.conf import settings
from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from core import request_reference

from .directory import provider_in_use
from .refusal_words import Refusal

logger = logging.getLogger(__name__)


_TEXTS: Final[dict[Refusal, Promise]] = {
    Refusal.DOWN: _(
        "%(provider)s does not answer, so the portal cannot sign you in over it. Try again in a"
        " minute."
    ),
    Refusal.CANCELLED: _("You were not signed in: the sign-in at %(provider)s was cancelled."),
    Refusal.STALE: _(
        "This sign-in is too old, or was begun in another browser. Start again on the sign-in page."
    ),
    Refusal.INVALID: _(
        "The answer of %(provider)s was not valid, so you were not signed in. Try again. If it"
        " happens again, tell your administrator."
    ),
    Refusal.OTHER_PERSON: _(
        "You signed in at %(provider)s as another person than here. Sign in there as yourself."
    ),
    Refusal.NOT_CONFIRMED: _(
        "%(provider)s did not ask you to sign in again, so the portal does not know that it is"
        " you. Tell your administrator."
    ),
    Refusal.NO_ROLE: _(
        "%(provider)s knows you, but none of your groups there has a role in this portal. Ask"
        " those who manage the groups to add you to one."
    ),
    Refusal.UNKNOWN: _(
        "%(provider)s knows you, but you have no account in this portal that belongs to it. If you"
        " have a password here, sign in with it and connect the two on the page “Sign-in and"
        " security”. Otherwise, ask a manager."
    ),
    Refusal.NAME_TAKEN: _(
        "No account was created for you: another account of this portal has your username, or the"
        " portal does not accept it. Ask a manager."
    ),
    Refusal.CLOSED: _("Your account in this portal is closed. Ask a manager."),
    Refusal.ADMINISTRATOR: _(
        "Administrators of this portal cannot sign in over %(provider)s. Use your password and"
        " your second factor."
    ),
}
_STATUS: Final = {
    Refusal.DOWN: HTTPStatus.SERVICE_UNAVAILABLE,
    Refusal.CANCELLED: HTTPStatus.OK,
    Refusal.STALE: HTTPStatus.BAD_REQUEST,
    Refusal.INVALID: HTTPStatus.BAD_REQUEST,
}


def refused(request: HttpRequest, why: Refusal) -> HttpResponse:
    provider = provider_in_use()
    text = str(_TEXTS[why]) % {"provider": provider.name if provider else ""}
    signed_in = admin.site.has_permission(request)
    context: dict[str, Any] = {
        **admin.site.each_context(request),
        "text": text,
        "local": settings.LOCAL_SIGN_IN and why is not Refusal.CANCELLED,
        "reference": request_reference.current() if why in (Refusal.INVALID, Refusal.DOWN) else "",
        "signed_in": signed_in,
    }
    status = _STATUS.get(why, HTTPStatus.FORBIDDEN)
    return render(request, "sign_in/provider_refused.html", context, status=status)


def refuse(request: HttpRequest, why: Refusal) -> ImmediateHttpResponse:
    """To be raised inside the library, which then answers with the page."""
    logger.warning("Nobody was signed in over the identity provider: %s", why)
    return ImmediateHttpResponse(refused(request, why))
