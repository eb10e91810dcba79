"""What happens around a sign-in and a factor: rows of sessions, notices, acts."""

from __future__ import annotations

from typing import Any

from allauth.mfa import signals
from django.contrib.auth.models import User
from django.contrib.auth.signals import user_logged_in
from django.http import HttpRequest

from core.acts import record_act
from core.admin.pages import current_user

from .authentication_records import record_new_factor
from .idle_limit import begin
from .owner_notices import ADDED, APP, CODES, PASSWORD, REMOVED, tell_of_wrong_code, tell_once_more
from .sessions import end_sessions, note_session, renew_key


def connect() -> None:
    connected = (
        (user_logged_in, signed_in),
        (signals.authentication_failed, code_was_wrong),
    )
    for signal, receiver in connected:
        signal.connect(receiver, dispatch_uid=f"smsportal.sign_in.{receiver.__name__}")


def signed_in(sender: Any, request: HttpRequest, user: User, **_: Any) -> None:
    begin(request)
    note_session(request, user)


def password_was_changed(request: HttpRequest, user: User) -> None:
    """Django gives the session another key, so its row gets that key too."""
    end_sessions(user, keep=request.session.session_key)
    note_session(request, user)
    tell_once_more(user, PASSWORD)


def code_was_wrong(sender: Any, user: User, **details: Any) -> None:
    if not details.get("reauthentication"):
        tell_of_wrong_code(user)


def record_factor(request: HttpRequest, verb: str, kind: str, name: str = "") -> None:
    """Record what people did with a factor of their own, and tell them. In its transaction."""
    user = current_user(request)
    record_act(f"factor.{verb}", by=user, subject=f"user:{user.pk}", kind=kind)
    if verb == "renew":
        tell_once_more(user, CODES)
        return
    if verb == "add":
        record_new_factor(request, user, kind)
        renew_key(request)
    tell_once_more(user, ADDED if verb == "add" else REMOVED, factor=name or {"key": APP.key})
