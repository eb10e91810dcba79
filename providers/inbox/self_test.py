"""Does our own address answer? Asked by calling it, the long way round.

The call goes to the public address as a provider's would, and what answers must show that
it is this portal. It is made by the queue; no web process calls anybody.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

import requests
from django.conf import settings
from django.core import signing
from django.db import transaction
from django.http import HttpResponse
from django.utils import timezone
from django.utils.crypto import constant_time_compare, salted_hmac
from django_q.tasks import async_task

from ..accounts import callback_url
from ..gateway.client import ReceivesCallbacks
from ..models import Account, CallbackTest
from .tokens import KnownToken

HEADER: Final = "X-Portal-Test"
SALT: Final = "providers.inbox.self_test"
VALID_FOR: Final = 60
TIMEOUT: Final = 10.0
TASK: Final = "providers.tasks.test_callback_address"


class Problem(StrEnum):
    NO_ADDRESS = "no_address"
    """The portal does not know its own public address, or the account has none."""
    NO_NAME = "no_name"
    REFUSED = "refused"
    TIMED_OUT = "timed_out"
    TLS = "tls"
    STATUS = "status"
    """Something answered, but not with 200; the detail says with what."""
    SOMEBODY_ELSE = "somebody_else"
    """200, but not from this portal."""


@dataclass(frozen=True, slots=True)
class Verdict:
    problem: str = ""
    detail: str = ""


def ask(account: Account) -> None:
    """Have the address tested; what was known of it before is forgotten."""
    with transaction.atomic():
        fresh = {"asked_at": timezone.now(), "ended_at": None, "problem": "", "detail": ""}
        CallbackTest.objects.update_or_create(account=account, defaults=fresh)
        async_task(TASK, account.pk, task_name="callbacks: test an address")


def run(account: Account) -> None:
    """Call the address and write down what came of it."""
    verdict = _call(account)
    CallbackTest.objects.filter(account=account).update(
        ended_at=timezone.now(), problem=verdict.problem, detail=verdict.detail[:200]
    )


def answer(value: str, known: KnownToken) -> HttpResponse:
    """What this portal answers to its own test; nobody else can ask for it."""
    try:
        account_id = signing.loads(value, salt=SALT, max_age=VALID_FOR)
    except signing.BadSignature:
        return HttpResponse("Not found", status=404, content_type="text/plain")
    if account_id != known.account_id:
        return HttpResponse("Not found", status=404, content_type="text/plain")
    return HttpResponse(_proof(value), content_type="text/plain")


def _proof(value: str) -> str:
    return salted_hmac(SALT, value).hexdigest()


def _call(account: Account) -> Verdict:
    url = callback_url(account)
    client = account.client
    if url is None or client is None or not issubclass(client, ReceivesCallbacks):
        return Verdict(Problem.NO_ADDRESS)
    value = signing.dumps(account.pk, salt=SALT)
    method = "POST" if "POST" in client.callback_methods else "GET"
    try:
        with requests.Session() as session:
            session.trust_env = False
            said = session.request(
                method,
                url.reveal(),
                headers={HEADER: value},
                timeout=TIMEOUT,
                allow_redirects=False,
            )
    except requests.RequestException as error:
        return _fault(error)
    if said.status_code != 200:
        return Verdict(Problem.STATUS, f"HTTP {said.status_code}")
    if not constant_time_compare(said.text[:200], _proof(value)):
        return Verdict(Problem.SOMEBODY_ELSE)
    return Verdict()


def _fault(error: requests.RequestException) -> Verdict:
    """Never the exception's text: it holds the address with its token."""
    if isinstance(error, requests.exceptions.SSLError):
        return Verdict(Problem.TLS)
    if isinstance(error, requests.exceptions.Timeout):
        return Verdict(Problem.TIMED_OUT)
    if "NameResolutionError" in repr(error):
        return Verdict(Problem.NO_NAME)
    return Verdict(Problem.REFUSED, _host())


def _host() -> str:
    return str(settings.PUBLIC_ADDRESS)
