"""Staff who post forms by HTTP, and post each one again until the portal has answered."""

from __future__ import annotations

import secrets
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import requests
from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.contrib.auth.models import User

from smsportal.session_store import SessionStore

from .portal_host import PortalHost

PEOPLE = 6
TIMEOUT = 35.0
"""Seconds; longer than the portal gives a request."""
TRIES = 8
PAUSE = 2.0
"""Seconds until a person posts an unanswered form again."""
MOST_WAITING = 100
"""Forms that wait for a person. More are not begun, since people are no queue."""
CSRF = "s" * 32
NO_HEADERS: Mapping[str, str] = {}


@dataclass
class Form:
    """A form and what became of it. Times are in seconds since 1970."""

    kind: str
    path: str
    fields: Mapping[str, str]
    token: str
    began_at: float = field(default_factory=time.time)
    statuses: list[str] = field(default_factory=list)
    answered_at: float | None = None
    """When the portal answered that the form was taken."""
    refused: str = ""
    """The page that came back instead, in which a field was wrong."""


class Staff:
    """A few people who share one sign-in."""

    def __init__(self, by: User, hosts: Sequence[PortalHost]) -> None:
        self.forms: list[Form] = []
        self.answers: Counter[str] = Counter()
        self.skipped = 0
        self.stored_callbacks: dict[str, list[float]] = {}
        """When the portal answered a callback with 200, by its mark."""
        self._by = by
        self._hosts = hosts
        self._people = ThreadPoolExecutor(PEOPLE, thread_name_prefix="person")
        self._waiting = 0
        self._own = threading.local()
        self._lock = threading.Lock()
        self._cookies = {settings.SESSION_COOKIE_NAME: _sign_in(by), "csrftoken": CSRF}
        self._stopped = threading.Event()

    def post(
        self,
        kind: str,
        path: str,
        fields: Mapping[str, str],
        then: Callable[[Form], None] = lambda form: None,
    ) -> Form | None:
        """Post a form with a token of its own. `then` runs in the person's thread.

        Returns None if too many forms already wait.
        """
        token = secrets.token_urlsafe(16)
        form = Form(kind, path, {**fields, "form_token": token}, token)
        with self._lock:
            if self._waiting >= MOST_WAITING:
                self.skipped += 1
                return None
            self._waiting += 1
            self.forms.append(form)
        self._people.submit(self._fill_in, form, then)
        return form

    def is_idle(self) -> bool:
        return not self._waiting

    def stop(self) -> None:
        self._stopped.set()
        self._people.shutdown(cancel_futures=True)

    def taken(self) -> list[Form]:
        return [form for form in list(self.forms) if form.answered_at is not None]

    def send_callback(self, mark: str, path: str, body: bytes) -> None:
        """Send one callback, as a provider would."""
        self._people.submit(self._send_callback, mark, path, body)

    def _send_callback(self, mark: str, path: str, body: bytes) -> None:
        answer = self._send(path, data=body, headers={"Content-Type": "application/json"})
        if answer is not None and answer.status_code == requests.codes.ok:
            self.stored_callbacks.setdefault(mark, []).append(time.time())

    def _fill_in(self, form: Form, then: Callable[[Form], None]) -> None:
        try:
            for attempt in range(TRIES):
                answer = self._send(form.path, data=form.fields)
                self._note(form, answer)
                if form.answered_at or form.refused or self._stopped.wait(PAUSE * bool(attempt)):
                    break
            if form.answered_at:
                then(form)
        finally:
            with self._lock:
                self._waiting -= 1

    def _note(self, form: Form, answer: requests.Response | None) -> None:
        status = "none" if answer is None else str(answer.status_code)
        form.statuses.append(status)
        with self._lock:
            self.answers[status] += 1
        if answer is None:
            return
        if answer.status_code == requests.codes.found:
            location = answer.headers.get("Location", "")
            if "/login/" in location:
                form.refused = "signed out"
            else:
                form.answered_at = time.time()
        elif answer.status_code < requests.codes.server_error:
            form.refused = f"{answer.status_code} {_problems(answer.text)}"

    def _send(
        self, path: str, *, data: Mapping[str, str] | bytes, headers: Mapping[str, str] = NO_HEADERS
    ) -> requests.Response | None:
        number = getattr(self._own, "number", 0)
        self._own.number = number + 1
        host = self._hosts[number % len(self._hosts)]
        with requests.Session() as session:
            session.trust_env = False
            try:
                return session.post(
                    f"http://{host.bind}{path}",
                    data=data,
                    headers={"X-CSRFToken": CSRF, **headers},
                    cookies=self._cookies,
                    timeout=TIMEOUT,
                    allow_redirects=False,
                )
            except requests.RequestException:
                return None


def _sign_in(by: User) -> str:
    """Sign in and return the key of the session."""
    session = SessionStore()
    session[SESSION_KEY] = str(by.pk)
    session[BACKEND_SESSION_KEY] = "django.contrib.auth.backends.ModelBackend"
    session[HASH_SESSION_KEY] = by.get_session_auth_hash()
    session.set_expiry(30 * 86400)
    session.save()
    return str(session.session_key)


def _problems(page: str) -> str:
    """The page's complaints, for the report."""
    found = [
        piece.partition("<")[0].strip()
        for mark in ('class="errorlist', "text-red-", 'role="alert"')
        for piece in page.split(mark)[1:]
        for piece in [piece.partition(">")[2]]
    ]
    return "; ".join(dict.fromkeys(filter(None, found)))[:300]
