"""Give people second factors, and use them as a browser would."""

from __future__ import annotations

import time

from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import TOTP, format_hotp_value, hotp_value
from django.contrib.auth.models import User
from django.core.cache import cache
from django.test import Client
from django.urls import reverse

from tests.support.signed_in import member

SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"


def code_now(secret: str = SECRET) -> str:
    """The code that the app shows now."""
    return str(format_hotp_value(hotp_value(secret, int(time.time()) // 30)))


def add_app(user: User) -> Authenticator:
    return TOTP.activate(user, SECRET).instance


def member_with_app(role: str) -> User:
    user = member(role)
    add_app(user)
    return user


def enter_password(client: Client, user: User, password: str = "right", path: str = "/") -> str:
    """Send the first step. Returns where it leads."""
    fields = {"username": user.get_username(), "password": password, "next": path}
    return client.post(reverse("admin:login"), fields).headers.get("Location", "")


def enter_code(client: Client, code: str = "") -> str:
    answer = client.post(reverse("mfa_authenticate"), {"code": code or code_now()})
    return answer.headers.get("Location", "")


def signed_in_with_app(user: User) -> Client:
    client = Client()
    enter_password(client, user)
    assert enter_code(client) == "/"
    # The code may be used again by the next sign-in of the same test.
    cache.clear()
    return client
