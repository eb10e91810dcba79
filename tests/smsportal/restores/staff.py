"""A member of staff at the real pages, over HTTP."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from typing import Final

import requests
from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.contrib.auth.models import User

from smsportal.session_store import SessionStore
from tests.support.hosts import Host

CSRF: Final = "s" * 32
Fields = Mapping[str, str | int | Sequence[int]]


class Staff:
    def __init__(self, host: Host, by: User) -> None:
        session = SessionStore()
        session[SESSION_KEY] = str(by.pk)
        session[BACKEND_SESSION_KEY] = "django.contrib.auth.backends.ModelBackend"
        session[HASH_SESSION_KEY] = by.get_session_auth_hash()
        session.save()
        self._address = f"http://{host.web}"
        self._cookies = {settings.SESSION_COOKIE_NAME: str(session.session_key), "csrftoken": CSRF}

    def read(self, path: str) -> str:
        answer = requests.get(self._address + path, cookies=self._cookies, timeout=30)
        assert answer.status_code == 200, answer.text
        assert "/login/" not in answer.url
        return answer.text

    def post(self, path: str, fields: Fields) -> None:
        answer = requests.post(
            self._address + path,
            data={"form_token": secrets.token_urlsafe(16), **fields},
            headers={"X-CSRFToken": CSRF},
            cookies=self._cookies,
            timeout=30,
            allow_redirects=False,
        )
        assert answer.status_code == 302, answer.text
        assert "/login/" not in answer.headers["Location"]

    def send_text(self, account: str, number: str) -> None:
        self.post(
            "/messaging/message/send/",
            {
                "account": account,
                "sms_kind": "T",
                "sender_id": "HAORUI",
                "text": "Your parcel is here.",
                "recipient": number,
            },
        )
