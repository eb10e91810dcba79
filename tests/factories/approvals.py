"""Factory of approval limits, people who approve, and requests."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import Group, User

from messaging.batches import proposals
from messaging.models import Batch
from providers.models import Approval, ApprovalLimit
from tests.factories.batches import make_batch, numbers
from tests.factories.staff import make_user


def make_approvers(count: int = 2) -> list[User]:
    """People who can approve, and see what they approve."""
    permissions = ("providers.approve", "messaging.view_batch", "rentals.view_order")
    return [make_user(*permissions) for _ in range(count)]


def make_limited(**limits: Any) -> User:
    """A person who sends batches and rents numbers, up to these limits of their role."""
    person = make_user(
        "messaging.bulk_message", "messaging.view_batch", "rentals.rent_order", "rentals.view_order"
    )
    role = Group.objects.create(name=f"limited {person.pk}")
    person.groups.add(role)
    ApprovalLimit.objects.create(group=role, **limits)
    # Permissions were cached when the person was made.
    return User.objects.get(pk=person.pk)


def make_request(by: User, count: int = 3, **values: Any) -> tuple[Batch, Approval]:
    """A batch of this person that waits for approval."""
    starts_at = values.pop("starts_at", None)
    why = values.pop("why", "Agreed with marketing.")
    batch = make_batch(values.pop("recipients", numbers(count)), by=by, **values)
    approval = proposals.ask(batch, by, starts_at, why)
    assert approval is not None
    batch.refresh_from_db()
    return batch, approval
