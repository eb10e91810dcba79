"""What becomes of a message: its answer and its report."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from messaging.models import Message
from messaging.states import MessageState
from otp.models import Attempt, SentCode, Session
from providers.gateway.vocabulary import Reason
from providers.models import Account

from .ground import Ground

S = MessageState

ACCEPTED_WORDS: Final = {
    "haorui": "Message Submitted Successfully",
    "haosms": "成功",
    "otpservice": "SUCCESS 200",
}
REPORTED: Final = {"haorui", "otpservice"}
FIRST_IDS: Final = {
    "haorui": 5_000_001,
    "second": 7_000_001,
    "haosms": 300_001,
    "otpservice": 90_001,
}
MEDIAN_SECONDS: Final = {"CN": 5.0, "US": 4.0, "TH": 9.0, "PH": 14.0, "ID": 21.0}
FAILING: Final = {"CN": 0.03, "US": 0.04, "TH": 0.06, "PH": 0.09, "ID": 0.13}
DELIVERED: Final = "Delivered"
ACKNOWLEDGED: Final = "Acknowledged"
REPORT_WORDS: Final = {"Undeliverable": 66, "Expired": 22, "Rejected": 12}
STATE_OF_WORD: Final = {
    DELIVERED: S.DELIVERED,
    "Undeliverable": S.UNDELIVERED,
    "Expired": S.EXPIRED,
    "Rejected": S.REJECTED,
    ACKNOWLEDGED: S.IN_TRANSIT,
}


@dataclass(slots=True)
class SentReport:
    word: str
    at: datetime
    contradicts: bool = False


@dataclass(slots=True)
class Draft:
    """A message that is not stored yet, with all that belongs to it."""

    message: Message
    reports: list[SentReport] = field(default_factory=list)
    session: Session | None = None
    code: SentCode | None = None
    attempts: list[Attempt] = field(default_factory=list)


@dataclass(slots=True)
class Fate:
    fields: dict[str, Any]
    reports: list[SentReport] = field(default_factory=list)


def key_of(ground: Ground, account: Account) -> str:
    return next(key for key, one in ground.accounts.items() if one.pk == account.pk)


def draft(ground: Ground, account: Account, at: datetime, fate: Fate, **fields: Any) -> Draft:
    """A message of this account, created at `at`."""
    typed: dict[str, Any] = {"typed_by": fields.get("created_by"), "typed_at": at}
    message = Message(
        public_id=ground.public_id(),
        reference=ground.reference(),
        account=account,
        price=account.price_per_segment,
        created_at=at,
        queued_at=at,
        not_before=at,
        **{**typed, **fields, **fate.fields},
    )
    return Draft(message, fate.reports)


def accept(ground: Ground, account: Account, at: datetime, wait: float = 0.4) -> Fate:
    """The provider accepted it and has reported nothing yet."""
    handed_over = at + ground.seconds(0.05, wait)
    key = key_of(ground, account)
    fields = {
        "state": S.SUBMITTED,
        "handed_over_at": handed_over,
        "answered_at": handed_over + ground.seconds(0.15, 0.9),
        "http_status": 200,
        "provider_id": ground.next_id(key, FIRST_IDS[key]),
        "words": ACCEPTED_WORDS[account.provider],
    }
    return Fate(fields)


def report(ground: Ground, fate: Fate, word: str, at: datetime) -> Fate:
    """Its first report: the message is in the state that the report says."""
    if at >= ground.now:
        return fate
    fate.reports.append(SentReport(word, at))
    fate.fields |= {"state": STATE_OF_WORD[word], "reported_at": at}
    return fate


def usual_fate(
    ground: Ground, account: Account, at: datetime, country: str, trouble: float = 1.0
) -> Fate:
    """What becomes of a message to this country; `trouble` times as many fail as usual."""
    luck = ground.rng.random()
    if luck < 0.011:
        return refuse(ground, at, Reason.OTHER_REFUSAL, "Invalid Phone Number")
    if luck < 0.014:
        return never_send(ground, at)
    fate = accept(ground, account, at)
    if account.provider not in REPORTED or luck > 0.992:
        return fate
    failing = FAILING[country] * trouble
    word = ground.choose(REPORT_WORDS) if ground.rng.random() < failing else DELIVERED
    wait = ground.delay(MEDIAN_SECONDS[country])
    wait += timedelta(hours=24) if word == "Expired" else timedelta(0)
    if word == DELIVERED and ground.rng.random() < 0.02:
        # The telephone was off.
        wait = ground.seconds(600, 7 * 3600)
    answered: datetime = fate.fields["answered_at"]
    if word != DELIVERED and account.provider == "otpservice":
        word, wait = "Undeliverable", ground.delay(6.0)
    return report(ground, fate, word, answered + wait)


def refuse(ground: Ground, at: datetime, reason: str, words: str) -> Fate:
    handed_over = at + ground.seconds(0.05, 0.4)
    fields = {
        "state": S.REFUSED,
        "reason": reason,
        "words": words,
        "http_status": 200,
        "handed_over_at": handed_over,
        "answered_at": handed_over + ground.seconds(0.1, 0.5),
    }
    return Fate(fields)


def never_send(ground: Ground, at: datetime) -> Fate:
    """The provider could not be reached, however often it was tried."""
    ended = at + ground.seconds(58, 75)
    fields = {
        "state": S.NOT_SENT,
        "reason": Reason.CONNECT_TIMED_OUT,
        "tries": 6,
        "answered_at": ended,
        "ended_at": ended,
    }
    return Fate(fields)
