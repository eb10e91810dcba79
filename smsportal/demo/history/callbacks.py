"""Stores the messages of the history, with their reports and callbacks."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final
from urllib.parse import urlencode

from messaging.models import Message, Report
from otp.models import Session
from providers.callbacks.store import IncomingCallback, digest_of
from providers.gateway.client import ReceivesCallbacks
from providers.gateway.events import CallbackRequest, DeliveryReported
from providers.models import Account, Callback, CallbackToken

from .ground import Ground
from .messages import ACKNOWLEDGED, DELIVERED, Draft, SentReport

CALLBACKS_KEPT: Final = timedelta(days=10)
"""Callbacks of earlier reports count as pruned."""
SENDER_ADDRESS: Final = "127.0.0.1"


def store_messages(ground: Ground, drafts: Sequence[Draft]) -> None:
    """Store the messages in the order of their creation, then their callbacks and reports."""
    ordered = sorted(drafts, key=lambda one: one.message.created_at)
    sessions = [one.session for one in ordered if one.session is not None]
    fresh = list({id(session): session for session in sessions}.values())
    Session.objects.bulk_create(sorted(fresh, key=lambda one: one.created_at), 200)
    for one in ordered:
        if one.session is not None:
            one.message.belongs_to = f"session:{one.session.pk}"
    Message.objects.bulk_create([one.message for one in ordered], 200)
    tokens = {token.account_id: token for token in CallbackToken.objects.filter(revoked_at=None)}
    events: dict[tuple[str, str], DeliveryReported] = {}
    callbacks, reports = [], []
    for one in ordered:
        for sent in one.reports:
            request = _request(one.message, sent)
            # Of equal words, parsing makes equal events, and is slow.
            key = (one.message.account.provider, sent.word)
            if key not in events:
                events[key] = _parse(one.message.account, request)
            event = events[key]
            callback = None
            if sent.at > ground.now - CALLBACKS_KEPT:
                callback = _callback(ground, one.message, sent, request, event)
                callback.token = tokens[one.message.account_id]
                callbacks.append(callback)
            reports.append(
                Report(
                    message=one.message,
                    kind=Report.Kind.DELIVERY,
                    state=event.state,
                    words=event.words,
                    at=sent.at,
                    callback=callback,
                )
            )
    callbacks += _strangers(ground, tokens)
    callbacks.sort(key=lambda row: row.received_at)
    Callback.objects.bulk_create(callbacks, 200)
    reports.sort(key=lambda row: row.at)
    Report.objects.bulk_create(reports, 500)


def _request(message: Message, sent: SentReport) -> CallbackRequest:
    """The callback as the sandbox's provider would send it."""
    failed = sent.word not in (DELIVERED, ACKNOWLEDGED)
    if message.account.provider == "otpservice":
        values = {
            "STATUS": "ERROR" if failed else "SUCCESS",
            "MSG": "Wrong number" if failed else "",
            "TYPE": "0",
            "CODE": "400" if failed else "200",
            "MSGID": message.provider_id,
            "EXTID": message.reference,
        }
        return CallbackRequest("GET", urlencode(values), b"", "")
    return haorui_request(message, sent.word, failed=failed)


def haorui_request(message: Message, word: str, *, failed: bool) -> CallbackRequest:
    values = {
        "message_id": message.provider_id,
        "PhoneNumber": message.recipient.removeprefix("+"),
        "DLRStatus": word,
        "SMSID": f"sms-{message.provider_id}",
        "ErrorCode": "001" if failed else "",
        "ErrorDescription": word if failed else "",
        "uid": message.reference,
        "ClientCost": 1,
        "Remarks": "",
    }
    return CallbackRequest("POST", "", json.dumps(values).encode(), "application/json")


def _parse(account: Account, request: CallbackRequest) -> DeliveryReported:
    client = account.client
    if client is None or not issubclass(client, ReceivesCallbacks):
        raise TypeError("Only a provider that sends callbacks reports anything.")
    (event,) = client.parse_callback(request)
    if not isinstance(event, DeliveryReported):
        raise TypeError("The history has delivery reports only.")
    return event


def _callback(
    ground: Ground,
    message: Message,
    sent: SentReport,
    request: CallbackRequest,
    event: DeliveryReported,
) -> Callback:
    applied = Callback.State.CONFLICT if sent.contradicts else Callback.State.APPLIED
    outcome = {
        "state": applied.value,
        "kind": "delivery",
        "says": str(event.state),
        "words": event.words,
        "subject": f"message:{message.pk}",
        "matched_by": "reference",
    }
    return _row(ground, message.account, request, sent.at, outcome)


def _row(
    ground: Ground,
    account: Account,
    request: CallbackRequest,
    at: datetime,
    outcome: dict[str, str],
) -> Callback:
    content = IncomingCallback(
        request.method, request.query, request.body, request.content_type, SENDER_ADDRESS
    )
    return Callback(
        public_id=ground.public_id(),
        account=account,
        digest=digest_of(content),
        method=request.method,
        query=request.query,
        body=request.body,
        content_type=request.content_type,
        sender=SENDER_ADDRESS,
        received_at=at,
        last_at=at,
        events=1,
        tries=1,
        tried_at=at + ground.seconds(0.05, 0.6),
        next_try_at=None,
        outcomes=[{**outcome, "problem": "", "other": ""}],
        **outcome,
    )


def _strangers(ground: Ground, tokens: dict[int, CallbackToken]) -> list[Callback]:
    """Callbacks about messages that the portal does not know."""
    found = []
    account = ground.accounts["haorui"]
    for days in (8.1, 4.6, 1.3):
        unknown = Message(
            account=account,
            reference=ground.reference(),
            provider_id=ground.next_id("stranger", 8_800_001),
            recipient="+8616000009999",
        )
        request = haorui_request(unknown, DELIVERED, failed=False)
        event = _parse(account, request)
        outcome = {
            "state": Callback.State.UNMATCHED.value,
            "kind": "delivery",
            "says": str(event.state),
            "words": event.words,
            "subject": "",
            "matched_by": "",
        }
        row = _row(ground, account, request, ground.days_ago(days), outcome)
        row.token = tokens[account.pk]
        found.append(row)
    return found
