"""Duties that must not be done twice at a time."""

from __future__ import annotations

import pytest

from providers.clock import database_now
from providers.models import TaskLease
from providers.task_leases import hold_task_lease

pytestmark = pytest.mark.django_db


def test_whoever_comes_second_gets_none() -> None:
    with hold_task_lease("duty", 60) as first, hold_task_lease("duty", 60) as second:
        assert first is not None
        assert second is None


def test_other_duties_go_on_beside_it() -> None:
    with hold_task_lease("duty", 60), hold_task_lease("another", 60) as keep:
        assert keep is not None


def test_a_duty_that_ended_is_free_at_once() -> None:
    with hold_task_lease("duty", 60):
        pass
    with hold_task_lease("duty", 60) as keep:
        assert keep is not None


def test_a_lease_that_ran_out_is_lost_to_whoever_takes_it() -> None:
    with hold_task_lease("duty", 60) as first:
        assert first is not None
        TaskLease.objects.update(expires_at=database_now() - 1)
        with hold_task_lease("duty", 60) as second:
            assert second is not None
            assert not first()
