"""The lease that lets one backup run at a time."""

from __future__ import annotations

import pytest

from providers.models import TaskLease
from smsportal.backup import BackupError, lease
from tests.support.wait_until import wait_until

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("often")]


@pytest.fixture
def often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lease, "RENEW_EVERY", 0.05)


def expires_at() -> float:
    return TaskLease.objects.get(name=lease.NAME).expires_at


def test_lease_is_renewed_as_long_as_the_work_takes() -> None:
    with lease.only_one() as check:
        first = expires_at()
        wait_until(lambda: expires_at() > first)
        check()
    assert TaskLease.objects.get().holder == ""


def test_second_holder_is_refused() -> None:
    with lease.only_one(), pytest.raises(BackupError, match="Another backup"), lease.only_one():
        pass


def test_lost_lease_stops_the_backup() -> None:
    def is_lost() -> bool:
        try:
            check()
        except BackupError:
            return True
        return False

    with lease.only_one() as check:
        assert not is_lost()
        TaskLease.objects.update(holder="another", expires_at=1e11)
        wait_until(is_lost)
    assert TaskLease.objects.get().holder == "another"
