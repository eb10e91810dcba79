"""Test of the callback address: call it from outside, as a provider would.

The call goes to the public address, and the answer must prove that it comes from this portal.
The queue makes the call: no web process calls another server.
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
from django.utils.crypto import constant_time_compare, salted_hmac
from django_q.tasks import async_task

from .. import clock
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
    """The portal has no public address, or the account has no callback address."""
    NO_NAME = "no_name"
    REFUSED = "refused"
    TIMED_OUT = "timed_out"
    TLS = "tls"
    STATUS = "status"
    """An answer other than 200; the detail names its status."""
    SOMEBODY_ELSE = "somebody_else"
    """An answer 200, but not from this portal."""


TEST_TIMEOUT: Final = timedelta(minutes=2)
"""No test takes this long: the queue does not run, or it lost the task."""


def is_running(test: CallbackTest) -> bool:
    return test.ended_at is None and clock.now() - test.asked_at < TEST_TIMEOUT


@dataclass(frozen=True, slots=True)
class Verdict:
    problem: str = ""
    detail: str = ""


def request_test(account: Account) -> None:
    """Queue a test of the account's address and discard the previous result."""
    with transaction.atomic():
        fresh = {"asked_at": clock.now(), "ended_at": None, "problem": "", "detail": ""}
        CallbackTest.objects.update_or_create(account=account, defaults=fresh)
        async_task(TASK, account.pk, task_name="callbacks: test an address")


def run(account: Account) -> None:
    """Call the address and store the result."""
    try:
        verdict = _call(account)
    except Exception as error:  # noqa: BLE001 - without a result the test would never end
        logger.error("The test of a callback address failed: %s", type(error).__name__)
        verdict = Verdict(Problem.REFUSED)
    CallbackTest.objects.filter(account=account).update(
        ended_at=clock.now(), problem=verdict.problem, detail=verdict.detail[:200]
    )


def answer_test(value: str, known: KnownToken) -> HttpResponse:
    """Answer our own test with a proof. Only this portal can sign a valid `value`."""
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
            response = session.request(
                method,
                url.reveal(),
                headers={HEADER: value},
                timeout=TIMEOUT,
                allow_redirects=False,
            )
    except requests.RequestException as error:
        return _verdict_of(error)
    if response.status_code != 200:
        return Verdict(Problem.STATUS, f"HTTP {response.status_code}")
    if not constant_time_compare(response.text[:200], _proof(value)):
        return Verdict(Problem.SOMEBODY_ELSE)
    return Verdict()


def _verdict_of(error: requests.RequestException) -> Verdict:
    """Classify the error without its text, which contains the address with its token."""
    if isinstance(error, requests.exceptions.SSLError):
        return Verdict(Problem.TLS)
    if isinstance(error, requests.exceptions.Timeout):
        return Verdict(Problem.TIMED_OUT)
    if "NameResolutionError" in repr(error):
        return Verdict(Problem.NO_NAME)
    return Verdict(Problem.REFUSED)
