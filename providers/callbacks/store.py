"""Store each callback with one INSERT; a repetition only increments its counter."""

from __future__ import annotations

import hashlib
import json
import secrets
from collections.abc import Iterable
from dataclasses import dataclass, field
from urllib.parse import parse_qsl

from django.db import connection

from core.held_rows import delete_unheld
from core.redaction import storable
from core.retention import limit_of

from .. import clock
from ..models import Account, Callback
from ..retention_kinds import CALLBACKS
from .tokens import KnownToken


@dataclass(frozen=True, slots=True)
class IncomingCallback:
    """A callback as received."""

    method: str
    query: str = field(repr=False)
    """The raw query string, undecoded."""
    body: bytes = field(repr=False)
    content_type: str
    sender: str


def store(incoming: IncomingCallback, token: KnownToken) -> None:
    """Store the callback, or count a repetition. One statement, without a transaction.

    If it is still unmatched, its repetition makes it due and renews its retries.
    """
    now = connection.ops.adapt_datetimefield_value(clock.now())
    with connection.cursor() as cursor:
        cursor.execute(
            _INSERT,
            [
                secrets.token_urlsafe(12),
                token.account_id,
                token.token_id,
                digest_of(incoming),
                incoming.method,
                storable(incoming.query),
                incoming.body,
                storable(incoming.content_type)[:200],
                incoming.sender,
                now,
                now,
                now,
            ],
        )


_INSERT = """
    INSERT INTO providers_callback (
        public_id, account_id, token_id, digest, method, query, body, content_type, sender,
        received_at, last_at, next_try_at,
        times, state, kind, says, words, subject, matched_by, problem, events, outcomes, tries,
        failures
    ) VALUES (
        %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s,
        1, 'received', '', '', '', '', '', '', 0, '[]', 0, 0
    )
    ON CONFLICT (account_id, digest) DO UPDATE SET
        times = providers_callback.times + 1,
        token_id = excluded.token_id,
        tries = CASE
            WHEN providers_callback.state = 'unmatched' THEN 0 ELSE providers_callback.tries
        END,
        last_at = excluded.last_at,
        next_try_at = CASE
            WHEN providers_callback.state = 'unmatched' THEN excluded.next_try_at
            ELSE providers_callback.next_try_at
        END
"""


def digest_of(incoming: IncomingCallback) -> str:
    """SHA-256 of the content. The order of different names and white space between them do not
    count. Repeated names and the order of their values do."""
    kind = [incoming.method, incoming.content_type]
    try:
        content = json.dumps([*kind, _pairs(incoming.query), _canonical_body(incoming.body)])
    except (ValueError, RecursionError):
        content = json.dumps([*kind, incoming.query, incoming.body.hex()])
    return hashlib.sha256(content.encode()).hexdigest()


def _pairs(query: str) -> object:
    # surrogateescape keeps different invalid bytes different.
    return _sorted(
        parse_qsl(query, keep_blank_values=True, max_num_fields=1000, errors="surrogateescape")
    )


def _sorted(pairs: Iterable[tuple[str, object]]) -> list[tuple[str, object]]:
    return sorted(pairs, key=lambda pair: pair[0])


def _canonical_body(body: bytes) -> object:
    text = body.decode("utf-8", "surrogateescape")
    if text.lstrip("\ufeff \t\r\n")[:1] not in ("{", "["):
        return text
    return json.loads(text.lstrip("\ufeff"), object_pairs_hook=_sorted, parse_float=str)


def prune() -> int:
    """Delete callbacks older than the journal's retention. The apps above keep what they
    reported."""
    limit = limit_of(CALLBACKS, clock.now())
    if limit is None:
        return 0
    pruned = 0
    for account in Account.objects.order_by():
        # The index has the callbacks by account.
        old = account.callbacks.filter(last_at__lt=limit)
        pruned += delete_unheld(old.exclude(state=Callback.State.RECEIVED))
    return pruned
