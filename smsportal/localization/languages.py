"""The language that people have chosen, kept for their next sign-in on another device."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.views.i18n import set_language as set_cookie

from ..models import Preferences


def set_language(request: HttpRequest) -> HttpResponseBase:
    """Django's switch of languages, which the portal also remembers for the person."""
    answer = set_cookie(request)
    chosen = answer.cookies.get(settings.LANGUAGE_COOKIE_NAME)
    if chosen is not None and request.user.is_authenticated:
        keep_language(request.user.pk, chosen.value)
    return answer


def keep_language(person_pk: Any, language: str) -> None:
    Preferences.objects.update_or_create(pk=person_pk, defaults={"language": language})


def language_of(person_pk: Any) -> str:
    """The language that a person has chosen, or an empty string."""
    chosen = Preferences.objects.filter(pk=person_pk).values_list("language", flat=True).first()
    return chosen if chosen in dict(settings.LANGUAGES) else ""


def set_language_cookie(answer: HttpResponse, language: str) -> None:
    """As the switch in the menu does."""
    answer.set_cookie(
        settings.LANGUAGE_COOKIE_NAME,
        language,
        max_age=settings.LANGUAGE_COOKIE_AGE,
        path=settings.LANGUAGE_COOKIE_PATH,
        domain=settings.LANGUAGE_COOKIE_DOMAIN,
        secure=settings.LANGUAGE_COOKIE_SECURE,
        httponly=settings.LANGUAGE_COOKIE_HTTPONLY,
        samesite=settings.LANGUAGE_COOKIE_SAMESITE,  # type: ignore[arg-type]
    )
