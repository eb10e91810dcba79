"""Tell people what happened to their own sign-in, so that they notice what was not they."""

from __future__ import annotations

import uuid
from typing import Any, Final

from django.contrib.auth.models import User
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from core.client_address import client_address
from core.notices import notify
from core.stored_texts import Stored, StoredText, declare

from .browser_words import browser_of

NEW_BROWSER: Final = declare(
    "sign_in.new_browser",
    _(
        "A new browser signed in with your name: %(browser)s, address %(address)s."
        " Not you? Sign out everywhere and change your password."
    ),
)
PASSWORD: Final = declare(
    "sign_in.password",
    _("Your password was changed. Not you? Ask a manager for a one-time link at once."),
)
APP: Final = declare("sign_in.app", pgettext_lazy("factor", "Authenticator app"))
ADDED: Final = declare(
    "sign_in.factor_added", _("A second factor was added to your account: %(factor)s.")
)
REMOVED: Final = declare(
    "sign_in.factor_removed", _("A second factor was removed from your account: %(factor)s.")
)
CODES: Final = declare(
    "sign_in.recovery_codes", _("New recovery codes were created for your account.")
)
RESET: Final = declare(
    "sign_in.factors_reset",
    _("%(person)s removed your second factors. Set up a new one at your next sign-in."),
)
SESSIONS_ENDED: Final = declare(
    "sign_in.sessions_ended", _("%(person)s ended all your sessions. Sign in again.")
)
WRONG_CODE: Final = declare(
    "sign_in.wrong_code",
    _(
        "Your password was entered correctly, but the code of the second step was wrong."
        " Not you? Change your password."
    ),
)
CONNECTED: Final = declare(
    "sign_in.connected",
    _("Your account can be used over the identity provider now. Not you? Tell a manager at once."),
)
DISCONNECTED: Final = declare(
    "sign_in.disconnected", _("Your account can no longer be used over the identity provider.")
)
CONNECTED_BY_EMAIL: Final = declare(
    "sign_in.connected_by_email",
    _(
        "You now sign in over the identity provider, which has your e-mail address. Your password"
        " and second factors of the portal were removed."
    ),
)
EMERGENCY: Final = declare(
    "sign_in.emergency",
    _("The emergency account %(name)s signed in. If you do not know why, find out at once."),
)


def tell(user: User, event: str, text: Stored) -> None:
    """`event` is told once; a person has few of them, so most get an id of their own."""
    notify(user.pk, f"sign_in:{event}", text, reverse("mfa_index"))


def tell_once_more(user: User, what: StoredText, **values: Any) -> None:
    tell(user, f"{what.key}:{uuid.uuid4().hex[:16]}", what.store(**values))


def tell_of_new_browser(request: HttpRequest, user: User) -> None:
    words = browser_of(request.META.get("HTTP_USER_AGENT", ""))
    address = str(client_address(request) or "–")
    tell_once_more(user, NEW_BROWSER, browser=words.stored(), address=address)


def tell_of_wrong_code(user: User) -> None:
    """At most once a day."""
    tell(user, f"wrong_code:{timezone.localdate()}", WRONG_CODE.store())
