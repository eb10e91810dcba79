"""A batch of the manager that is beyond the limit of the role, and waits for the administrator."""

from __future__ import annotations

from datetime import timedelta
from typing import Final
from uuid import UUID

from django.contrib.auth.models import Group

from core.models import Act
from messaging.batches import proposals
from messaging.batches.states import BatchState
from messaging.models import Batch, StagedRow
from providers.approvals.digest import digest_of
from providers.models import Approval, ApprovalLimit

from .ground import QUIET_END, Ground
from .texts import SENDER_ID, text_fields

LIMITS: Final = {"operator": (100, 10), "manager": (500, 20)}
"""Messages and rented numbers of each role."""
COUNT: Final = 640
TEXT: Final = "Until 31 December your second night is half price. Reply T to stop."
COUNTRIES: Final = {"PH": 60, "US": 30, "ID": 10}
WHY: Final = "Offer of the season, agreed with the sales office."


def ask_for_approval(ground: Ground) -> None:
    """Last of all, so that what else is invented does not depend on it."""
    for role, (messages, orders) in LIMITS.items():
        ApprovalLimit.objects.get_or_create(
            group=Group.objects.get(name=role), defaults={"messages": messages, "orders": orders}
        )
    batch = _checked_batch(ground)
    manager, proposal = ground.people["manager"], proposals.proposal_of(batch, None)
    approval = Approval.objects.create(
        public_id=ground.public_id(),
        kind=proposal.kind,
        subject=proposal.subject,
        title=proposal.title,
        account=batch.account,
        digest=digest_of(proposal),
        count=proposal.size.count,
        cost=proposal.size.cost,
        passed=[{"limit": "messages", "most": str(LIMITS["manager"][0]), "used": "0"}],
        asked_by=manager,
        asked_at=batch.created_at + timedelta(minutes=6),
        why=WHY,
        involved=[manager.pk],
    )
    # Not by `record_act`, whose acts are of now.
    Act.objects.create(
        at=approval.asked_at,
        what="approval.ask",
        by=manager,
        subject=proposal.subject,
        details={
            "approval": approval.pk,
            "count": approval.count,
            "cost": None if approval.cost is None else str(approval.cost),
        },
    )


def _checked_batch(ground: Ground) -> Batch:
    manager = ground.people["manager"]
    created = ground.now - QUIET_END - timedelta(minutes=10)
    text = text_fields(ground, "US", TEXT)
    run = UUID(bytes=ground.rng.randbytes(16))
    batch = Batch.objects.create(
        public_id=ground.public_id(),
        form_token=f"history-{ground.reference()}",
        account=ground.accounts["haorui"],
        state=BatchState.AWAITING_APPROVAL,
        name="Year-end offer",
        text=TEXT,
        sms_kind="P",
        sender_id=SENDER_ID,
        source=Batch.Source.FILE,
        file_name="guests-december.xlsx",
        file_digest=ground.rng.randbytes(32).hex(),
        recipients_digest=ground.rng.randbytes(32).hex(),
        columns=["Number"],
        number_column=0,
        check_run=run,
        accepted_run=run,
        row_count=COUNT,
        good=COUNT,
        segments=COUNT * text["segments"],
        usual_segments=text["segments"],
        reading_at=created + timedelta(minutes=1),
        created_by=manager,
        created_at=created,
        answerable=manager,
    )
    StagedRow.objects.bulk_create(_row(ground, batch, run, number) for number in range(COUNT))
    return batch


def _row(ground: Ground, batch: Batch, run: UUID, number: int) -> StagedRow:
    country = ground.choose(COUNTRIES)
    fields = text_fields(ground, country, TEXT)
    return StagedRow(
        batch=batch,
        run=run,
        number=number + 2,
        verdict=StagedRow.Verdict.GOOD,
        recipient=fields["recipient"],
        country=country,
        segments=fields["segments"],
        encoding=fields["encoding"],
    )
