"""Code sessions in all their end states, with their codes and tries."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any, Final

from django.contrib.auth.models import User

from core.secrets import DOTS
from messaging import segments
from messaging.models import Message
from messaging.queue_message import text_around_code
from messaging.states import NEVER_LEFT
from otp.models import MAX_TRIES, Attempt, SentCode, Session, prefix_of
from otp.routes import TEXTS, Route, default_route, with_dots
from otp.sessions import REPLACED, TRIES_USED
from otp.states import AttemptState, SessionState
from providers.gateway.vocabulary import Encoding, Reason
from providers.models import Account

from .ground import CODE_HOURS, Ground, invent_number
from .messages import Draft, Fate, draft, refuse, usual_fate

S = SessionState
A = AttemptState

PER_DAY: Final = 27
COUNTRIES: Final = {"CN": 58, "ID": 14, "PH": 11, "TH": 9, "US": 8}
ACCOUNTS: Final = {
    "CN": {"haosms": 45, "otpservice": 40, "haorui": 15},
    "TH": {"haosms": 30, "otpservice": 50, "haorui": 20},
}
OTHER_ACCOUNTS: Final = {"otpservice": 70, "haorui": 30}
ENDS: Final = {
    S.VERIFIED.value: 71,
    S.EXPIRED.value: 13,
    TRIES_USED: 4,
    S.CANCELLED.value: 5,
    REPLACED: 3,
    S.FAILED.value: 3,
}
"""How sessions end: a state, or the reason for one."""
MINUTES: Final = 10
LENGTH: Final = 6


def draft_codes(ground: Ground) -> list[Draft]:
    """The messages of all sessions; sessions, codes and tries hang on them."""
    drafts = []
    for at in ground.moments(PER_DAY, CODE_HOURS):
        country = ground.choose(COUNTRIES)
        account = ground.accounts[ground.choose(ACCOUNTS.get(country, OTHER_ACCOUNTS))]
        drafts += _draft_session(ground, account, at, country, ground.choose(ENDS))
    return drafts


def store_codes(drafts: Iterable[Draft]) -> None:
    """Store the codes and the tries of sessions and messages that are stored already."""
    with_code = [(one, one.code) for one in drafts if one.code is not None]
    with_code.sort(key=lambda pair: pair[1].made_at)
    SentCode.objects.bulk_create([code for _, code in with_code], 500)
    tries = [attempt for one, _ in with_code for attempt in one.attempts]
    Attempt.objects.bulk_create(sorted(tries, key=lambda one: one.created_at), 500)


def _draft_session(
    ground: Ground, account: Account, at: datetime, country: str, end: str
) -> list[Draft]:
    by = ground.sender()
    text = with_dots(TEXTS["zh" if country == "CN" else "en"])
    fields = {"recipient": invent_number(ground, country), "country": country, "created_by": by}
    route = default_route(account, country, text)
    fate = usual_fate(ground, account, at, country)
    if end == S.FAILED:
        fate = refuse(ground, at, Reason.OTHER_REFUSAL, "Invalid Phone Number")
    codes = [_draft_code(ground, route, at, fate, fields)]
    if fate.fields["state"] not in NEVER_LEFT and ground.rng.random() < 0.08:
        # The customer waited in vain, and asked for another code.
        later = at + ground.seconds(70, 180)
        codes.append(
            _draft_code(ground, route, later, usual_fate(ground, account, later, country), fields)
        )
    attempts, ending = _end(ground, codes[-1], end, by, again=len(codes) > 1)
    session = Session(
        public_id=ground.public_id(),
        account=account,
        prefix=prefix_of(str(fields["recipient"])),
        minutes=MINUTES,
        length=LENGTH,
        text=text,
        created_at=at,
        # The first run of the minute's task notes it.
        sms_state=None,
        tries=sum(one.state != A.NOT_DONE for one in attempts),
        **fields,
        **_times(codes),
        **ending,
    )
    sent: list[SentCode] = []
    for serial, one in enumerate(codes, 1):
        length = LENGTH if one.message.kind == Message.Kind.OWN_CODE else 0
        one.session = session
        one.code = SentCode(
            session=session,
            serial=serial,
            message=one.message,
            length=length,
            is_digits=True if length else None,
            digest=ground.rng.randbytes(32).hex() if length else "",
            made_at=one.message.created_at,
        )
        sent.append(one.code)
    for attempt in attempts:
        attempt.session = session
        attempt.sent_code = sent[0 if attempt.state == A.EARLIER else -1]
    codes[-1].attempts = attempts
    return codes


def _draft_code(
    ground: Ground, route: Route, at: datetime, fate: Fate, fields: dict[str, Any]
) -> Draft:
    """One message with a code. Of the code itself only dots remain, as after every send."""
    own: dict[str, Any] = {"kind": Message.Kind.PROVIDER_CODE}
    if not route.provider_makes_code:
        text = route.text or text_around_code(route.account, route.template)
        counted = segments.count(text.replace(DOTS, "0" * LENGTH))
        own = {
            "kind": Message.Kind.OWN_CODE,
            "text": text,
            "channel": route.channel,
            "template": route.template,
            "sender_id": route.sender_id,
            "sms_kind": "T" if route.sender_id else "",
            "encoding": counted.encoding if route.sender_id else Encoding.UCS2,
            "segments": counted.segments if route.sender_id else 1,
        }
    return draft(ground, route.account, at, fate, **fields, **own)


def _times(codes: list[Draft]) -> dict[str, Any]:
    sent = [one.message for one in codes if one.message.state not in NEVER_LEFT]
    delivered = [one.reported_at for one in sent if one.state == "delivered" and one.reported_at]
    newest = codes[-1].message
    begins = newest.answered_at or newest.created_at
    return {
        "sent_at": min((one.answered_at for one in sent if one.answered_at), default=None),
        "delivered_at": min(delivered, default=None),
        "expires_at": begins + timedelta(minutes=MINUTES),
    }


def _end(
    ground: Ground, newest: Draft, end: str, by: User, *, again: bool
) -> tuple[list[Attempt], dict[str, Any]]:
    """The tries of a session, and the fields of its end."""
    message = newest.message
    began: datetime = message.answered_at or message.created_at
    if message.state in NEVER_LEFT:
        reason = message.reason or message.state
        return [], {"state": S.FAILED, "reason": reason, "ended_at": began}
    heard = began + ground.seconds(14, 150)
    tries = _wrong_tries(ground, newest, heard, by, MAX_TRIES if end == TRIES_USED else None, again)
    last = tries[-1].created_at if tries else heard
    match end:
        case S.VERIFIED:
            at = last + ground.seconds(4, 40)
            tries.append(_attempt(ground, newest, at, by, A.RIGHT))
            ended = tries[-1].ended_at
            verified = {"verified_at": ended, "ended_at": ended, "ended_by": by}
            return tries, {"state": S.VERIFIED, **verified}
        case "tries_used":
            return tries, {"state": S.FAILED, "reason": TRIES_USED, "ended_at": tries[-1].ended_at}
        case S.EXPIRED | S.FAILED:
            return tries, {"state": S.EXPIRED, "ended_at": began + timedelta(minutes=MINUTES)}
    at = last + ground.seconds(20, 240)
    reason = REPLACED if end == REPLACED else ""
    return tries, {"state": S.CANCELLED, "reason": reason, "ended_at": at, "ended_by": by}


def _wrong_tries(
    ground: Ground, newest: Draft, at: datetime, by: User, count: int | None, again: bool
) -> list[Attempt]:
    if count is None:
        count = ground.rng.choices((0, 1, 2), (84, 13, 3))[0]
    tries = []
    for number in range(count):
        is_earlier = again and number == 0 and newest.message.kind == Message.Kind.OWN_CODE
        luck = ground.rng.random()
        state = A.EARLIER if is_earlier else A.NOT_DONE if luck < 0.02 and count < 3 else A.WRONG
        if newest.message.kind == Message.Kind.OWN_CODE and state == A.NOT_DONE:
            state = A.WRONG
        tries.append(_attempt(ground, newest, at, by, state))
        at += ground.seconds(8, 40)
    return tries


def _attempt(ground: Ground, newest: Draft, at: datetime, by: User, state: A) -> Attempt:
    """A try; a provider's code is checked by a call, and our own at once."""
    asked = newest.message.kind == Message.Kind.PROVIDER_CODE
    ended = at + ground.seconds(0.3, 1.2) if asked else at
    words = {A.RIGHT: "SUCCESS 200 VALID", A.WRONG: "SUCCESS 200 INVALID"}.get(state, "")
    return Attempt(
        account=newest.message.account,
        state=state,
        reason=Reason.CONNECT_TIMED_OUT if state == A.NOT_DONE else "",
        words=words if asked else "",
        created_by=by,
        created_at=at,
        not_before=at,
        handed_over_at=at + ground.seconds(0.05, 0.2) if asked else None,
        ended_at=ended,
    )
