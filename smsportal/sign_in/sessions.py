"""The open sessions of a person: which there are, and how they end.

Each session has a row that says from where it is used. Not every session has one: those of the
version before, and those whose key Django changed. They end with the others all the same.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from importlib import import_module
from typing import Any

from allauth.account.internal.stagekit import LOGIN_SESSION_KEY
from allauth.account.utils import url_str_to_user_pk
from allauth.usersessions.models import UserSession
from django.conf import settings
from django.contrib.auth import SESSION_KEY
from django.contrib.auth.models import User
from django.contrib.sessions.exceptions import SessionInterrupted
from django.contrib.sessions.models import Session
from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet
from django.http import HttpRequest
from django.utils import timezone

from core.client_address import UNKNOWN, client_address

MAX_AGENT = 200


def note_session(request: HttpRequest, user: User) -> None:
    """Write down from where this session is used, and that it is used now."""
    if not request.session.session_key:
        request.session.save()
    UserSession.objects.update_or_create(
        session_key=request.session.session_key,
        defaults={
            "user": user,
            "ip": str(client_address(request) or UNKNOWN),
            "user_agent": request.META.get("HTTP_USER_AGENT", "")[:MAX_AGENT],
            "last_seen_at": timezone.now(),
        },
    )


def renew_key(request: HttpRequest) -> None:
    """Give this session another key. Its content and its row stay, the old key ends at once.

    A session that was ended meanwhile does not live on under the new key.
    """
    with transaction.atomic():
        old = request.session.session_key
        if old and not Session.objects.select_for_update().filter(session_key=old):
            raise SessionInterrupted("The session was ended before it got another key.")
        request.session.cycle_key()
        rows = UserSession.objects.filter(session_key=old or "")
        rows.update(session_key=request.session.session_key)


def sessions_of(user: User) -> list[UserSession]:
    """The rows of sessions that are open, the one used last first."""
    found = UserSession.objects.filter(Exists(_session_of_row()), user=user)
    return list(found.order_by("-last_seen_at", "-pk"))


def end_session(user: User, pk: int) -> bool:
    """End one of a person's sessions. False if they have no such one."""
    row = UserSession.objects.filter(user=user, pk=pk).first()
    if row is None:
        return False
    _end([row.session_key])
    return True


def end_sessions(user: User, keep: str | None = None) -> int:
    """End all sessions of a person but `keep`, those without a row too. Returns how many.

    A sign-in that waits for its second step ends with them: whoever began it may know only a
    password that has been changed since.
    """
    count = 0
    # A session may get another key while this waits for its row.
    while keys := [key for key in _open_keys(user) if key != keep]:
        _end(keys)
        count += len(keys)
    UserSession.objects.filter(user=user).exclude(session_key=keep or "").delete()
    return count


def prune_rows() -> int:
    """Delete the rows of sessions that are gone. Returns how many."""
    return int(UserSession.objects.filter(~Exists(_session_of_row())).delete()[0])


def _session_of_row() -> QuerySet[Session]:
    return Session.objects.filter(
        session_key=OuterRef("session_key"), expire_date__gt=timezone.now()
    )


def _end(keys: list[str]) -> None:
    Session.objects.filter(session_key__in=keys).delete()
    UserSession.objects.filter(session_key__in=keys).delete()


def _open_keys(user: User) -> list[str]:
    """The keys of all open sessions of a person, which only the sessions themselves tell."""
    return [key for key, user_pk in _owners() if user_pk == str(user.pk)]


def _owners() -> Iterator[tuple[str, str]]:
    store: Any = import_module(settings.SESSION_ENGINE).SessionStore()
    rows = Session.objects.filter(expire_date__gt=timezone.now())
    for key, data in rows.values_list("session_key", "session_data").iterator():
        yield key, _owner(store.decode(data))


def _owner(session: Mapping[str, Any]) -> str:
    """The key of the person who is signed in, or has begun to sign in; "" if there is none."""
    begun = session.get(LOGIN_SESSION_KEY)
    if SESSION_KEY not in session and isinstance(begun, dict) and begun.get("user_pk"):
        return str(url_str_to_user_pk(begun["user_pk"]))
    return str(session.get(SESSION_KEY, ""))
