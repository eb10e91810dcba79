"""Rules for new passwords, and a limit for guesses of the old one."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import Any, Final
from urllib.parse import urlsplit

from django.conf import settings
from django.contrib.auth.models import User
from django.core.cache import cache
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from providers import clock
from providers.gateway.registry import clients

WORDS: Final = ("smsportal", "portal", "password", "passwort", "admin", "manager", "operator")
"""What everybody tries first at this sign-in page."""
MAX_OTHER_LETTERS: Final = 3
MAX_GUESSES: Final = 8
GUESSES_FOR: Final = timedelta(minutes=15)


class OwnWordsValidator:
    """Refuses passwords that are little more than a word of this portal, such as "smsportal1"."""

    def validate(self, password: str, user: Any = None) -> None:
        letters = re.sub(r"[^a-z]", "", password.casefold())
        for word in _words():
            if word in letters and len(letters.replace(word, "")) <= MAX_OTHER_LETTERS:
                raise ValidationError(
                    _("The password is little more than “%(word)s”, which others try first."),
                    code="password_own_word",
                    params={"word": word},
                )

    def get_help_text(self) -> str:
        return _("The password must be more than a name of the portal or of a provider.")


def _words() -> set[str]:
    host = urlsplit(settings.PUBLIC_ADDRESS).hostname or ""
    own = [*WORDS, *clients(), *host.split(".")]
    return {
        word for word in (re.sub(r"[^a-z]", "", one.casefold()) for one in own) if len(word) > 3
    }


def guesses_end(person: User) -> datetime | None:
    """When the person may try the old password again; None: now."""
    count, until = cache.get(_key(person)) or (0, 0.0)
    return _moment(until) if count >= MAX_GUESSES else None


def note_guess(person: User) -> None:
    """Count a wrong old password. A session that somebody left open is no place to guess it."""
    count, _until = cache.get(_key(person)) or (0, 0.0)
    until = (clock.now() + GUESSES_FOR).timestamp()
    cache.set(_key(person), [count + 1, until], GUESSES_FOR.total_seconds())


def forget_guesses(person: User) -> None:
    cache.delete(_key(person))


def _key(person: User) -> str:
    return f"old-password-{person.pk}"


def _moment(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, clock.now().tzinfo)
