"""Leases of tasks that should run once at a time."""

from __future__ import annotations

import pytest

from providers.clock import database_now
from providers.models import TaskLease
from providers.task_leases import hold_task_lease

pytestmark = pytest.mark.django_db


def test_second_holder_gets_none() -> None:
    with hold_task_lease("task", 60) as first, hold_task_lease("task", 60) as second:
        assert first is not None
        assert second is None


def test_leases_of_different_tasks_are_independent() -> None:
    with hold_task_lease("task", 60), hold_task_lease("another task", 60) as renew:
        assert renew is not None


def test_lease_is_released_at_the_end_of_the_block() -> None:
    with hold_task_lease("task", 60):
        pass
    with hold_task_lease("task", 60) as renew:
        assert renew is not None


def test_expired_lease_is_lost_to_the_next_holder() -> None:
    with hold_task_lease("task", 60) as first:
        assert first is not None
        TaskLease.objects.update(expires_at=database_now() - 1)
        with hold_task_lease("task", 60) as second:
            assert second is not None
            assert not first()
