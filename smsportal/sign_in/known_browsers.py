"""Browsers from which a person has signed in before.

Failed sign-ins of strangers lock a name for the address that they came from. Where a whole office,
or a proxy that nobody named, shares one address, that would shut out the person, too. A browser
with this cookie is therefore counted by itself, for the names that it has signed in. The cookie
signs nobody in and replaces no password.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from django.conf import settings
from django.core import signing
from django.http import HttpRequest, HttpResponse
from django.utils.crypto import constant_time_compare, salted_hmac

SALT: Final = "smsportal.known_browser"
MAX_AGE: Final = timedelta(days=90)
MAX_NAMES: Final = 5
"""Names that one browser is remembered for. The oldest is dropped."""


@dataclass(frozen=True)
class KnownBrowser:
    key: str
    names: Sequence[str]
    """Digests of the names, oldest first."""

    def has_signed_in(self, username: str) -> bool:
        digest = _digest(username)
        return any(constant_time_compare(digest, name) for name in self.names)


def known_browser(request: HttpRequest) -> KnownBrowser | None:
    """The browser of this request, if its cookie is ours."""
    try:
        value = signing.loads(request.COOKIES.get(_cookie(), ""), salt=SALT, max_age=MAX_AGE)
        return KnownBrowser(str(value["key"]), [str(name) for name in value["names"]])
    except (signing.BadSignature, KeyError, TypeError):
        return None


def remember(request: HttpRequest, response: HttpResponse, username: str) -> None:
    """Let the browser keep that this person has signed in with it."""
    known = known_browser(request)
    digest = _digest(username)
    names = [name for name in (known.names if known else ()) if name != digest]
    value = {
        "key": known.key if known else secrets.token_urlsafe(16),
        "names": [*names, digest][-MAX_NAMES:],
    }
    response.set_cookie(
        _cookie(),
        signing.dumps(value, salt=SALT),
        max_age=MAX_AGE,
        secure=settings.SESSION_COOKIE_SECURE,
        httponly=True,
        samesite="Lax",
    )


def _cookie() -> str:
    return f"{settings.SESSION_COOKIE_NAME}_browser"


def _digest(username: str) -> str:
    return salted_hmac(SALT, username, algorithm="sha256").hexdigest()[:32]
