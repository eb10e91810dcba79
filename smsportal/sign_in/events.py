"""What happens around a sign-in and a factor: rows of sessions, notices, acts."""

from __future__ import annotations

from typing import Any

from allauth.mfa import signals
from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from django.contrib.auth.models import User
from django.contrib.auth.signals import user_logged_in
from django.http import HttpRequest

from core.acts import record_act

from .authentication_records import record_new_factor
from .idle_limit import begin
from .owner_notices import ADDED, APP, CODES, PASSWORD, REMOVED, tell_of_wrong_code, tell_once_more
from .sessions import note_session

CODES_TYPE = Authenticator.Type.RECOVERY_CODES


def connect() -> None:
    connected = (
        (user_logged_in, signed_in),
        (signals.authenticator_added, factor_was_added),
        (signals.authenticator_removed, factor_was_removed),
        (signals.authenticator_reset, codes_were_renewed),
        (signals.authentication_failed, code_was_wrong),
    )
    for signal, receiver in connected:
        signal.connect(receiver, dispatch_uid=f"smsportal.sign_in.{receiver.__name__}")


def signed_in(sender: Any, request: HttpRequest, user: User, **_: Any) -> None:
    begin(request)
    note_session(request, user)


def password_was_changed(request: HttpRequest, user: User) -> None:
    """Django gives the session another key, so its row gets that key too."""
    UserSession.objects.filter(user=user).exclude(session_key=request.session.session_key).delete()
    note_session(request, user)
    tell_once_more(user, PASSWORD)


def factor_was_added(
    sender: Any, request: HttpRequest, user: User, authenticator: Authenticator, **_: Any
) -> None:
    if authenticator.type == CODES_TYPE:
        return
    record_new_factor(request, user, authenticator.type)
    _record("add", user, authenticator)
    tell_once_more(user, ADDED, factor=factor_words(authenticator))


def factor_was_removed(
    sender: Any, request: HttpRequest, user: User, authenticator: Authenticator, **_: Any
) -> None:
    if authenticator.type == CODES_TYPE:
        return
    _record("remove", user, authenticator)
    tell_once_more(user, REMOVED, factor=factor_words(authenticator))


def codes_were_renewed(sender: Any, user: User, authenticator: Authenticator, **_: Any) -> None:
    _record("renew", user, authenticator)
    tell_once_more(user, CODES)


def code_was_wrong(sender: Any, user: User, **details: Any) -> None:
    if not details.get("reauthentication"):
        tell_of_wrong_code(user)


def factor_words(authenticator: Authenticator) -> Any:
    """What a notice calls a factor: the app, or a passkey by its name."""
    if authenticator.type == Authenticator.Type.TOTP:
        return {"key": APP.key}
    return str(authenticator.wrap().name)


def _record(verb: str, user: User, authenticator: Authenticator) -> None:
    record_act(f"factor.{verb}", by=user, subject=f"user:{user.pk}", kind=str(authenticator.type))
