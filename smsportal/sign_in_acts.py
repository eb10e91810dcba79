"""Record who signed out, whose sign-in failed, and who was locked out.

`smsportal/sign_in/account_adapter.py` records who signed in, since it knows by which means.
"""

from __future__ import annotations

from typing import Any, Final

from axes.signals import user_locked_out
from django.contrib.auth.models import User
from django.contrib.auth.signals import user_logged_out, user_login_failed
from django.http import HttpRequest

from core.acts import record_act

LONGEST_NAME: Final = 150


def register() -> None:
    user_logged_out.connect(_signed_out, dispatch_uid="smsportal.sign_in_acts.signed_out")
    user_login_failed.connect(_failed, dispatch_uid="smsportal.sign_in_acts.failed")
    user_locked_out.connect(_locked_out, dispatch_uid="smsportal.sign_in_acts.locked_out")


def _signed_out(request: HttpRequest | None = None, user: Any = None, **_: Any) -> None:
    # Code that signs somebody out without a client has made up its request.
    if request is not None and request.method and isinstance(user, User):
        record_act("sign_out", by=user)


def _failed(
    credentials: dict[str, Any] | None = None, request: HttpRequest | None = None, **_: Any
) -> None:
    if request is not None and not _was_refused(request):
        _record_about("sign_in.fail", str((credentials or {}).get("username", "")))


def _locked_out(request: HttpRequest | None = None, username: str = "", **_: Any) -> None:
    if request is not None and not _was_refused(request):
        _record_about("sign_in.lock", str(username or ""))


def _was_refused(request: HttpRequest) -> bool:
    """Whether a lock refused it before the password was checked. Anybody may repeat that at will.

    The failure that locks has been counted.
    """
    is_counted = getattr(request, "axes_failures_since_start", None) is not None
    return bool(getattr(request, "axes_locked_out", False)) and not is_counted


def _record_about(what: str, typed: str) -> None:
    """About a person of that name; else the name is what somebody typed, and may be erased."""
    person = User.objects.filter(username=typed).values_list("pk", flat=True).first()
    if person is not None:
        record_act(what, by=None, subject=f"user:{person}")
    else:
        record_act(what, by=None, personal={"name": typed[:LONGEST_NAME]} if typed else None)
