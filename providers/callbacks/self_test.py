"""Does our own address answer? Asked by calling it, the long way round.

The call goes to the public address as a provider's would, and what answers must show that
it is this portal. It is made by the queue; no web process calls anybody.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Final

import requests
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

logger = logging.getLogger(__name__)

HEADER: Final = "X-Portal-Test"
SALT: Final = "providers.callbacks.self_test"
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


GIVEN_UP: Final = timedelta(minutes=2)
"""No test takes so long: the queue does not run, or lost it."""


def is_under_way(test: CallbackTest) -> bool:
    return test.ended_at is None and timezone.now() - test.asked_at < GIVEN_UP


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
    try:
        verdict = _call(account)
    except Exception as error:  # noqa: BLE001 - a test without an end would go on for ever
        logger.error("The test of a callback address failed: %s", type(error).__name__)
        verdict = Verdict(Problem.REFUSED)
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
    return Verdict(Problem.REFUSED)
