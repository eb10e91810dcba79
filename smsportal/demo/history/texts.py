"""Single texts over the month, and the few that need a person or have a story."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, Final

from messaging import segments
from messaging.models import Message
from messaging.states import MessageState
from providers.gateway.vocabulary import Reason, SmsKind
from providers.models import Account

from .accounts import PAUSED_DAYS_AGO, WRONG_LOGIN
from .ground import OFFICE_HOURS, Ground, invent_number
from .messages import Draft, Fate, SentReport, accept, draft, never_send, refuse, report, usual_fate

S = MessageState

PER_DAY: Final = 80
COUNTRIES: Final = {"CN": 44, "ID": 18, "PH": 16, "US": 12, "TH": 10}
SENDER_ID: Final = "PORTAL"
LONG_ENGLISH: Final = (
    "We could not deliver your parcel today. We will try again tomorrow between 9 and 12."
    " If nobody is at home, it will be at pickup point 14 from 17:00 on, where it is kept for"
    " 5 days."
)
LONG_CHINESE: Final = (
    "今天未能送达您的包裹，明天9点至12点再次派送。如家中无人，17点后可到14号取件点领取，"
    "保留5天，逾期将退回。如需改期，请在今天20点前联系客服。"
)
ENGLISH: Final = (
    "Your parcel has arrived at pickup point 14. It is kept for 5 days.",
    "Your appointment is tomorrow at 10:30. Reply to the office if it does not suit you.",
    "Your order has left our warehouse and arrives within 2 days.",
    "The service desk is closed on Friday. Urgent requests are answered by e-mail.",
    "Your invoice for this month is ready in your account.",
    LONG_ENGLISH,
)
TEXTS: Final = {
    "CN": (
        "您的包裹已到14号取件点，保留5天。",
        "您的订单已发出，预计2天内送达。",
        "温馨提示：您明天10:30有预约。",
        "本月账单已生成，请登录账户查看。",
        LONG_CHINESE,
    ),
    "ID": ("Paket Anda sudah tiba di titik ambil 14 dan disimpan 5 hari.", *ENGLISH[1:3]),
    "TH": ("พัสดุของคุณมาถึงจุดรับ 14 แล้ว เก็บไว้ 5 วัน", *ENGLISH[2:4]),
}
OUTAGE_DAYS_AGO: Final = 11.3
OUTAGE: Final = timedelta(minutes=45)
BAD_SINCE: Final = timedelta(hours=30)
"""Since then, more messages to Indonesia fail than usual."""


def draft_texts(ground: Ground) -> list[Draft]:
    """All texts that were sent one by one."""
    drafts = [_draft_one(ground, at) for at in ground.moments(PER_DAY, OFFICE_HOURS)]
    return [*drafts, *_draft_refused_login(ground), *_draft_stories(ground)]


def text_fields(ground: Ground, country: str, text: str = "") -> dict[str, Any]:
    text = text or ground.rng.choice(TEXTS.get(country, ENGLISH))
    counted = segments.count(text)
    return {
        "kind": Message.Kind.TEXT,
        "recipient": invent_number(ground, country),
        "country": country,
        "text": text,
        "sms_kind": SmsKind.TRANSACTIONAL.value,
        "sender_id": SENDER_ID,
        "encoding": counted.encoding.value,
        "segments": counted.segments,
    }


def _draft_one(ground: Ground, at: datetime) -> Draft:
    country = ground.choose(COUNTRIES)
    account = _account_for(ground, at)
    return _write(ground, account, at, country, _fate(ground, account, at, country))


def _write(ground: Ground, account: Account, at: datetime, country: str, fate: Fate) -> Draft:
    fields = text_fields(ground, country)
    return draft(ground, account, at, fate, created_by=ground.sender(), **fields)


def _account_for(ground: Ground, at: datetime) -> Account:
    is_open = at < ground.days_ago(PAUSED_DAYS_AGO) - timedelta(minutes=5)
    return ground.accounts["second" if is_open and ground.rng.random() < 0.3 else "haorui"]


def _fate(ground: Ground, account: Account, at: datetime, country: str) -> Fate:
    outage = ground.days_ago(OUTAGE_DAYS_AGO)
    if outage < at < outage + OUTAGE:
        return never_send(ground, at)
    if ground.rng.random() < 0.006:
        # Somebody thought better of it while it waited.
        ended = at + ground.seconds(0.4, 3)
        return Fate(
            {"state": S.CANCELLED, "ended_at": ended, "ended_by": ground.people["operator"]}
        )
    is_bad = country == "ID" and at > ground.now - BAD_SINCE
    return usual_fate(ground, account, at, country, trouble=2.6 if is_bad else 1.0)


def _draft_refused_login(ground: Ground) -> list[Draft]:
    """The text whose refusal paused the second account."""
    at = ground.days_ago(PAUSED_DAYS_AGO) - timedelta(seconds=2)
    fate = refuse(ground, at, Reason.CREDENTIALS, WRONG_LOGIN)
    return [_write(ground, ground.accounts["second"], at, "CN", fate)]


def _draft_stories(ground: Ground) -> list[Draft]:
    account = ground.accounts["haorui"]
    manager = ground.people["manager"]
    stories = [
        (19.2, "CN", S.SUBMITTED, "The recipient says that it arrived."),
        (7.3, "PH", S.NOT_SENT, "Not in the provider's console."),
    ]
    drafts = []
    for days, country, state, because in stories:
        at = ground.days_ago(days)
        settled_at = at + ground.seconds(1800, 5400)
        settled = {"settled_at": settled_at, "settled_by": manager, "settled_because": because}
        fate = Fate({**_lost(ground, at), "state": state, **settled})
        drafts.append(_write(ground, account, at, country, fate))
    at = ground.days_ago(0.4)
    drafts.append(_write(ground, account, at, "CN", Fate(_lost(ground, at))))
    drafts += [_contradicted(ground, ground.days_ago(days)) for days in (15.4, 6.2, 2.1)]
    for days in (0.09, 0.07):
        at = ground.days_ago(days)
        fate = accept(ground, account, at)
        fate = report(ground, fate, "Acknowledged", at + ground.seconds(3, 9))
        drafts.append(_write(ground, account, at, "ID", fate))
    return drafts


def _lost(ground: Ground, at: datetime) -> dict[str, Any]:
    """No answer came before the time was up."""
    handed_over = at + ground.seconds(0.1, 0.4)
    ended = handed_over + timedelta(seconds=30)
    fields = {"state": S.UNKNOWN, "reason": Reason.TIMED_OUT, "handed_over_at": handed_over}
    return {**fields, "answered_at": ended}


def _contradicted(ground: Ground, at: datetime) -> Draft:
    """Reported as delivered, and later as undeliverable."""
    account = ground.accounts["haorui"]
    fate = accept(ground, account, at)
    fate = report(ground, fate, "Delivered", at + ground.seconds(4, 9))
    fate.reports.append(SentReport("Undeliverable", at + ground.seconds(600, 4000), True))
    fate.fields["conflict"] = True
    return _write(ground, account, at, "CN", fate)
