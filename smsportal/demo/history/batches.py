"""Batches: one finished, one with many failures, one cancelled, and one that a person paused."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from core.phones.parse import PhoneError, parse_number
from messaging.batches.states import BatchState
from messaging.models import Batch, DoNotSend, Message, StagedRow, Template
from messaging.states import MessageState

from .ground import Ground, invent_number
from .messages import Draft, Fate, draft, usual_fate
from .texts import SENDER_ID, text_fields

B = BatchState
S = MessageState
V = StagedRow.Verdict

PER_SECOND: Final = 4.2
NOTICE: Final = "Our office is closed on Monday. Orders of that day are sent on Tuesday."
REMINDER: Final = "您预约的服务即将到期，请登录账户续期。"
UNREADABLE: Final = ("not known", "12345", "+86 160 0000")
"""Numbers of the file that cannot be read."""


@dataclass(frozen=True, slots=True)
class Plan:
    name: str
    file_name: str
    days: float
    good: int
    text: str
    countries: dict[str, int]
    trouble: float = 1.0
    sent: int | None = None
    """How many were sent until a person stopped it. None: all."""
    state: BatchState = B.FINISHED
    refused: int = 0
    repeated: int = 0


PLANS: Final = (
    Plan(
        "Closed on Monday",
        "closed-on-monday.xlsx",
        20.4,
        410,
        NOTICE,
        {"PH": 50, "US": 30, "TH": 20},
        refused=3,
    ),
    Plan(
        "Closed on Monday, old list",
        "old-list.csv",
        16.3,
        160,
        NOTICE,
        {"PH": 60, "ID": 40},
        5.0,
        66,
        B.CANCELLED,
    ),
    Plan(
        "续期提醒 2",
        "renewal-2.csv",
        5.2,
        260,
        REMINDER,
        {"CN": 40, "ID": 60},
        4.4,
        repeated=4,
        refused=2,
    ),
    Plan(
        "续期提醒 3", "renewal-3.csv", 1.1, 300, REMINDER, {"CN": 80, "ID": 20}, 1.6, 117, B.PAUSED
    ),
)


def create_batches(ground: Ground) -> list[Draft]:
    """Store the batches. Returns their messages, which are not stored yet."""
    return [one for plan in PLANS for one in _create(ground, plan)]


def _create(ground: Ground, plan: Plan) -> list[Draft]:
    account, manager = ground.accounts["haorui"], ground.people["manager"]
    started = ground.days_ago(plan.days)
    text = text_fields(ground, "CN", plan.text)
    sent = plan.good if plan.sent is None else plan.sent
    last = started + timedelta(seconds=sent / PER_SECOND)
    batch = Batch.objects.create(
        public_id=ground.public_id(),
        form_token=f"history-{ground.reference()}",
        account=account,
        name=plan.name,
        text=plan.text,
        sms_kind="T",
        sender_id=SENDER_ID,
        source=Batch.Source.FILE,
        file_name=plan.file_name,
        file_digest=ground.rng.randbytes(32).hex(),
        recipients_digest=ground.rng.randbytes(32).hex(),
        columns=["Number"],
        number_column=0,
        row_count=plan.good + plan.refused + plan.repeated,
        good=plan.good,
        refused=plan.refused,
        repeated=plan.repeated,
        segments=plan.good * text["segments"],
        usual_segments=text["segments"],
        laid_out=plan.good,
        created_by=manager,
        created_at=started - timedelta(minutes=4),
        answerable=manager,
        started_at=started,
        moved_at=last,
        **_stop(ground, plan, last),
    )
    _stage_faulty_rows(ground, batch, plan)
    return [
        _draft_row(ground, batch, plan, number, number <= sent)
        for number in range(1, plan.good + 1)
    ]


def _stop(ground: Ground, plan: Plan, last: datetime) -> dict[str, Any]:
    at = last + timedelta(seconds=2)
    by = ground.people["manager"]
    if plan.state == B.PAUSED:
        return {"state": plan.state, "paused_at": at, "paused_by": by}
    ended_by = by if plan.state == B.CANCELLED else None
    return {"state": plan.state, "ended_at": at, "ended_by": ended_by}


def _stage_faulty_rows(ground: Ground, batch: Batch, plan: Plan) -> None:
    """The rows of the file that became no messages. Those that did are not kept."""
    run = UUID(bytes=ground.rng.randbytes(16))
    rows: list[StagedRow] = []
    for number in range(plan.good + 2, plan.good + 2 + plan.refused + plan.repeated):
        is_refused = len(rows) < plan.refused
        typed = UNREADABLE[len(rows)] if is_refused else invent_number(ground, "CN")
        rows.append(
            StagedRow(
                batch=batch,
                run=run,
                number=number,
                verdict=V.REFUSED if is_refused else V.REPEATED,
                problem=_problem_of(typed) if is_refused else "",
                typed=typed,
            )
        )
    StagedRow.objects.bulk_create(rows)


def _problem_of(typed: str) -> str:
    try:
        parse_number(typed)
    except PhoneError as error:
        return str(error.kind)
    raise ValueError("This number can be read.")


def _draft_row(ground: Ground, batch: Batch, plan: Plan, number: int, is_sent: bool) -> Draft:
    country = ground.choose(plan.countries)
    started = ground.days_ago(plan.days)
    at = started + timedelta(seconds=0.4)
    fields = {
        **text_fields(ground, country, plan.text),
        "batch": batch,
        "batch_row": number + 1,
        "created_by": batch.answerable,
        "typed_by": None,
        "typed_at": None,
    }
    if not is_sent:
        return draft(ground, batch.account, at, _unsent(ground, batch, plan), **fields)
    leaves = started + timedelta(seconds=number / PER_SECOND)
    fate = usual_fate(ground, batch.account, leaves, country, plan.trouble)
    return draft(ground, batch.account, at, fate, **fields)


def _unsent(ground: Ground, batch: Batch, plan: Plan) -> Fate:
    if plan.state == B.PAUSED:
        return Fate({"state": S.QUEUED})
    return Fate({"state": S.CANCELLED, "ended_at": batch.ended_at, "ended_by": batch.ended_by})


def add_lists(ground: Ground) -> None:
    """The templates of the texts, and the numbers that receive nothing."""
    texts = {"Office closed": NOTICE, "续期提醒": REMINDER}
    templates = [
        Template(public_id=ground.public_id(), name=name, text=text) for name, text in texts.items()
    ]
    Template.objects.bulk_create(templates, ignore_conflicts=True)
    manager = ground.people["manager"]
    written = Message.objects.filter(batch=None, kind=Message.Kind.TEXT, country="PH")
    numbers = list(dict.fromkeys(written.order_by("pk").values_list("recipient", flat=True)[:3]))
    DoNotSend.objects.bulk_create(
        DoNotSend(
            public_id=ground.public_id(),
            number=number,
            because="Asked by telephone to receive nothing more",
            added_by=manager,
            added_at=ground.days_ago(0.9 + position / 7),
        )
        for position, number in enumerate(numbers)
    )
