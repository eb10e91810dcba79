"""Build the journal record of a call, with secrets, codes and numbers removed."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import lru_cache
from time import perf_counter
from typing import Final

from core.redaction import HIDDEN, Fields, Redactor, fields_of, redactor, storable, truncate
from core.secrets import Secret

from ..call import CallRecord, Login, Operation, Request
from ..charsets import decode
from ..listings import summary_of
from ..vocabulary import Outcome, Reason
from .context import RequestContext
from .outgoing import Outgoing

KEPT_BYTES: Final = 4096
"""Bytes of each body that the journal keeps, after redaction."""
_REDACTED_BYTES: Final = 16 * KEPT_BYTES
"""Bytes of an answer that are redacted; the rest is cut off before."""


def _host_now() -> datetime:
    return datetime.now(UTC)


_now: Callable[[], datetime] = _host_now


def use_clock(now: Callable[[], datetime]) -> None:
    """Take the times of calls from this clock. The host's own may be wrong."""
    global _now
    _now = now


@dataclass(slots=True)
class Exchange:
    """The progress of one HTTP exchange."""

    outgoing: Outgoing | None = None
    context: RequestContext | None = None
    status: int | None = None
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    received: bytearray = field(default_factory=bytearray, repr=False)
    complete: bool = False
    """Whether the answer has arrived completely. A failure after that is ours."""
    started_at: datetime = field(default_factory=lambda: _now())
    clock: float = field(default_factory=perf_counter)

    @property
    def begun(self) -> bool:
        return self.context is not None and self.context.begun


@dataclass(frozen=True, slots=True)
class Transcript:
    """Builds the record of each attempt of one call."""

    operation: Operation
    request: Request
    subject: str
    redactor: Redactor = field(repr=False)
    fields: Fields

    @classmethod
    def of(cls, login: Login, operation: Operation, request: Request, subject: str) -> Transcript:
        fields = fields_of(operation.hidden, operation.masked)
        values = list(_sensitive_values(request, fields))
        known = _redactor_of(tuple(login.credentials.values())).with_values(
            secrets=(*request.secrets, *(v for n, v in values if n in fields.hidden)),
            phones=(value for name, value in values if name in fields.masked),
        )
        return cls(operation, request, subject, known, fields)

    def words(self, text: str) -> str:
        """The provider's words, redacted and safe to store and to show."""
        return truncate(storable(self.redactor.redact_values(text)), KEPT_BYTES) if text else text

    def record(
        self, exchange: Exchange, outcome: Outcome, reason: Reason | None, attempt: int
    ) -> CallRecord:
        try:
            url, request_body, answer_body = self._texts(exchange)
        except Exception:  # noqa: BLE001 - in doubt everything is hidden, the row remains
            url, request_body, answer_body = HIDDEN, HIDDEN, HIDDEN
        return CallRecord(
            operation=self.operation.name,
            subject=self.subject,
            started_at=exchange.started_at,
            duration=perf_counter() - exchange.clock,
            method=self.request.method,
            url=url,
            outcome=outcome,
            reason=reason,
            http_status=exchange.status,
            request_body=request_body,
            answer_body=answer_body,
            attempt=attempt,
        )

    def _texts(self, exchange: Exchange) -> tuple[str, str, str]:
        answer = self._answer(exchange)
        outgoing = exchange.outgoing
        if outgoing is None:
            return "", "", answer
        url = self.redactor.redact_values(outgoing.address)
        if outgoing.query:
            url += "?" + self.redactor.redact_form(outgoing.query, self.fields)
        if self.request.form is not None:
            body = self.redactor.redact_form(outgoing.body, self.fields)
        else:
            body = self.redactor.redact_body(outgoing.body, self.fields)
        return _cut_to_limit(url), _cut_to_limit(body), answer

    def _answer(self, exchange: Exchange) -> str:
        received = exchange.received
        if not received:
            return ""
        content_type = exchange.headers.get("content-type", "")
        rows = self.operation.rows
        if rows is not None and exchange.complete and exchange.status == 200:
            summary = summary_of(decode(bytes(received), content_type), rows)
            if summary is not None:
                return _cut_to_limit(self.redactor.redact_body(summary, self.fields))
        hidden = self.operation.hidden_in_answer(exchange.status or 0)
        text = decode(bytes(received[:_REDACTED_BYTES]), content_type)
        text = self.redactor.redact_body(text, fields_of(hidden, self.operation.masked))
        if len(received) > _REDACTED_BYTES and len(text.encode("utf-8", "replace")) <= KEPT_BYTES:
            # So much was hidden that the earlier cut is within the kept part. Half a secret may
            # be at that point.
            return HIDDEN
        return _cut_to_limit(text)


def _cut_to_limit(text: str) -> str:
    return truncate(storable(text), KEPT_BYTES)


@lru_cache(maxsize=128)
def _redactor_of(secrets: tuple[Secret, ...]) -> Redactor:
    """Cached by identity, so that the secrets of a login are not decrypted for every call."""
    return redactor(tuple(secret.reveal() for secret in secrets))


def _sensitive_values(request: Request, fields: Fields) -> Iterator[tuple[str, str]]:
    """The request's values of hidden and masked fields, because the answer may repeat them."""
    for mapping in (request.query, request.form, request.json):
        if mapping:
            yield from _sensitive_values_in(mapping, fields)


def _sensitive_values_in(
    mapping: Mapping[str, object], fields: Fields
) -> Iterator[tuple[str, str]]:
    for name, value in mapping.items():
        if isinstance(value, Mapping):
            yield from _sensitive_values_in(value, fields)
        elif fields.covers(name.lower()) and isinstance(value, str | int):
            text = str(value)
            if len(text) >= 4:
                yield name.lower(), text
