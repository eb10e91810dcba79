"""The transport of every provider call.

`HttpClient.call` keeps the contract of `call.Transport`. The rule behind its errors: a failure is
NOT_DONE if and only if our connection had not begun to write the request, whatever the exception
says. Everything after that without a clear answer is UNKNOWN.
"""

from __future__ import annotations

import logging
import random
import time
import zlib
from collections.abc import Callable
from dataclasses import replace
from http.client import HTTPException
from typing import Final, TypeVar, cast

from urllib3.exceptions import HTTPError

from ..answers import retry_after
from ..call import Answer, Effect, Limiter, Login, Operation, Recorder, Request
from ..errors import GatewayError, NotDone, OutcomeUnknown
from ..vocabulary import Cancellation, CheckResult, Outcome, Reason, Submission
from .address import AddressPolicy, ForbiddenAddress, check_base_url, check_syntax
from .body import CutShort, Unreadable, read_body, reason_of
from .connect_faults import reason_and_fact
from .connection import Connections, headers_of
from .context import Deadlines, RequestContext
from .exchange_log import Exchange, Transcript
from .outgoing import prepare
from .watchdog import WATCHDOG

__all__ = [
    "AddressPolicy",
    "Connections",
    "Deadlines",
    "ForbiddenAddress",
    "HttpClient",
    "check_base_url",
]

T = TypeVar("T")

logger = logging.getLogger(__name__)

RETRY_PAUSES: Final = (0.5, 1.0, 2.0)
"""Seconds before a read is repeated. Up to a quarter is added at random."""
TRANSIENT: Final = frozenset(
    {
        Reason.UNREACHABLE,
        Reason.NAME_NOT_FOUND,
        Reason.CONNECTION_REFUSED,
        Reason.CONNECT_TIMED_OUT,
        Reason.CONNECTION_RESET,
        Reason.NO_ROUTE,
        Reason.TIMED_OUT,
        Reason.CUT_OFF,
        Reason.UNREADABLE,
        Reason.PROVIDER_FAULT,
    }
)


class HttpClient:
    """Makes calls for one account and one subject of ours (`message:42`)."""

    def __init__(
        self,
        connections: Connections,
        login: Login,
        *,
        subject: str,
        limiter: Limiter,
        recorder: Recorder,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._connections = connections
        self._login = login
        self._subject = subject
        self._limiter = limiter
        self._recorder = recorder
        self._sleep = sleep

    def call(self, operation: Operation, request: Request, parse: Callable[[Answer], T]) -> T:
        """Make the call and return the answer as parsed by `parse`.

        1. Prepare the redaction. If it fails, nothing is sent (NOT_DONE).
        2. Wait for the limiter.
        3. Send the request and read the answer, within the deadlines.
        4. Parse the answer. Any failure becomes a `GatewayError`, redacted and without a chain.
        5. Slow the account down if the provider asked for it, and record the attempt.
        6. Repeat a read after a transient NOT_DONE, up to four attempts in all. Any other call
           is made once.

        Raises `GatewayError` and nothing else, except exceptions that stop the thread itself
        (SystemExit, KeyboardInterrupt).
        """
        transcript = self._make_transcript(operation, request)
        attempt = 1
        while True:
            value, error = self._attempt(transcript, parse, attempt)
            if error is None:
                return cast("T", value)
            if not _may_retry(operation, error, attempt):
                # Raised outside any handler, so that nothing is chained to it.
                raise error
            self._sleep(RETRY_PAUSES[attempt - 1] * _random_between(1, 1.25))
            attempt += 1

    def _make_transcript(self, operation: Operation, request: Request) -> Transcript:
        try:
            return Transcript.of(self._login, operation, request, self._subject)
        except Exception as failure:  # noqa: BLE001 - decrypting may fail in any way
            _log_defect(operation, failure)
        # Unless we know the secrets, we cannot keep them out of the journal.
        raise NotDone(Reason.PORTAL_FAULT)

    def _attempt(
        self, transcript: Transcript, parse: Callable[[Answer], T], attempt: int
    ) -> tuple[T | None, GatewayError | None]:
        operation = transcript.operation
        value: T | None = None
        error: GatewayError | None = self._wait_for_limiter(operation)
        if error is not None:
            return None, error
        exchange = Exchange()
        try:
            value = _redact_words(parse(self._make_exchange(transcript, exchange)), transcript)
        except GatewayError as raised:
            error = raised
        except Exception as failure:  # noqa: BLE001 - the flag decides, not the class
            error = _error_for(operation, exchange, failure)
        except BaseException as stop:
            stop.__cause__ = stop.__context__ = None
            self._record(transcript, exchange, _error_for_interrupt(operation, exchange), attempt)
            raise
        if error is not None:
            error = _sanitised(error, transcript, exchange)
        self._slow_down(exchange, error)
        self._record(transcript, exchange, error, attempt)
        return value, error

    def _wait_for_limiter(self, operation: Operation) -> GatewayError | None:
        try:
            self._limiter.wait(operation)
        except GatewayError as raised:
            return _detached(raised)
        except Exception as failure:  # noqa: BLE001 - whatever it is, nothing has left
            _log_defect(operation, failure)
            return NotDone(Reason.PORTAL_FAULT)
        return None

    def _make_exchange(self, transcript: Transcript, exchange: Exchange) -> Answer:
        connections = self._connections
        check_syntax(self._login.base_url, connections.policy)
        outgoing = exchange.outgoing = prepare(self._login.base_url, transcript.request)
        alarm = WATCHDOG.watch(connections.deadlines.total)
        exchange.context = context = RequestContext(
            target=outgoing.target,
            redacted_target=transcript.redactor.redact_values(outgoing.path),
            require_recent=transcript.operation.effect is not Effect.READ,
            alarm=alarm,
        )
        try:
            raw = connections.send(outgoing.prepared, context)
            exchange.status, exchange.headers = raw.status, headers_of(raw)
            try:
                read_body(raw, exchange.received)
            except BaseException:
                raw.close()
                raise
            if alarm.expired:
                # The watchdog may have cut the body short.
                raise TimeoutError
        finally:
            alarm.cancel()
        exchange.complete = True
        return Answer(exchange.status, exchange.headers, bytes(exchange.received))

    def _slow_down(self, exchange: Exchange, error: GatewayError | None) -> None:
        limited = error is not None and error.reason is Reason.RATE_LIMITED
        if not limited and exchange.status != 429:
            return
        seconds = (error and error.retry_after) or retry_after(exchange.headers)
        try:
            self._limiter.slow_down(seconds or _random_between(5, 10))
        except Exception as failure:  # noqa: BLE001 - the answer counts all the same
            logger.error("The limiter failed to slow down: %s", type(failure).__name__)

    def _record(
        self,
        transcript: Transcript,
        exchange: Exchange,
        error: GatewayError | None,
        attempt: int,
    ) -> None:
        """Pass the record to the recorder. Its failure does not change the call's outcome."""
        outcome = Outcome.DONE if error is None else error.outcome
        reason = None if error is None else error.reason
        try:
            self._recorder.record(transcript.record(exchange, outcome, reason, attempt))
        except Exception as failure:  # noqa: BLE001 - the outcome is valid without it
            _log_defect(transcript.operation, failure)


def _random_between(least: float, most: float) -> float:
    return random.uniform(least, most)  # noqa: S311 - it spreads load, it guards nothing


def _redact_words(value: T, transcript: Transcript) -> T:
    """Redact the words of a success too. They may repeat the code or the number."""
    if isinstance(value, Submission | CheckResult | Cancellation) and value.words:
        return cast("T", replace(value, words=transcript.words(value.words)))
    return value


def _may_retry(operation: Operation, error: GatewayError, attempt: int) -> bool:
    return (
        operation.effect is Effect.READ
        and error.outcome is Outcome.NOT_DONE
        and error.reason in TRANSIENT
        and attempt <= len(RETRY_PAUSES)
    )


_NETWORK: Final = (OSError, HTTPError)
_ANSWER: Final = (*_NETWORK, HTTPException, zlib.error, Unreadable, CutShort)


def _error_for(operation: Operation, exchange: Exchange, failure: Exception) -> GatewayError:
    """The error for a failure. The flag `begun` decides the outcome, not the exception's class."""
    if not exchange.begun:
        if isinstance(failure, ForbiddenAddress):
            return NotDone(Reason.FORBIDDEN_ADDRESS)
        if isinstance(failure, _NETWORK):
            reason, fact = reason_and_fact(failure)
            return NotDone(reason, words=fact)
        _log_defect(operation, failure)
        return NotDone(Reason.PORTAL_FAULT)
    if exchange.complete or not isinstance(failure, _ANSWER):
        _log_defect(operation, failure)
        return OutcomeUnknown(Reason.PORTAL_FAULT)
    expired = exchange.context is not None and exchange.context.alarm.expired
    return OutcomeUnknown(Reason.TIMED_OUT if expired else reason_of(failure))


def _error_for_interrupt(operation: Operation, exchange: Exchange) -> GatewayError:
    if exchange.begun and operation.effect is not Effect.READ:
        return OutcomeUnknown(Reason.PORTAL_FAULT)
    return NotDone(Reason.PORTAL_FAULT)


def _sanitised(error: GatewayError, transcript: Transcript, exchange: Exchange) -> GatewayError:
    """The error without chained exceptions and without secrets in its words."""
    if transcript.operation.effect is Effect.READ and isinstance(error, OutcomeUnknown):
        # A read changes nothing at the provider, even if its answer is lost.
        error = NotDone(
            error.reason,
            words=error.words,
            http_status=error.http_status,
            retry_after=error.retry_after,
        )
    error.words = transcript.words(error.words)
    if error.http_status is None:
        error.http_status = exchange.status
    return _detached(error)


def _detached(error: GatewayError) -> GatewayError:
    error.__cause__ = error.__context__ = None
    error.__dict__.pop("__notes__", None)
    return error.with_traceback(None)


def _log_defect(operation: Operation, failure: Exception) -> None:
    """Log a fault of ours by type and place only. Its text may quote the data that it failed on."""
    trace = failure.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    place = "?" if trace is None else f"{trace.tb_frame.f_code.co_qualname}:{trace.tb_lineno}"
    logger.error("%s failed: %s in %s", operation.name, type(failure).__name__, place)
