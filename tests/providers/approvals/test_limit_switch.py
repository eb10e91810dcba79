"""Limits that cease to apply, because too few people can approve, are recorded and told."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User

from core.models import Act, Notice
from core.stored_texts import show
from messaging.batches import tasks
from providers.approvals import limit_switch
from providers.models import ApprovalLimit
from tests.factories.approvals import make_approvers, make_limited
from tests.factories.staff import make_staff, make_user

pytestmark = pytest.mark.django_db


def acts() -> list[str]:
    switched = Act.objects.filter(what__in=(limit_switch.OFF, limit_switch.ON))
    return list(switched.order_by("pk").values_list("what", flat=True))


@pytest.fixture
def second() -> User:
    """The second of two people who can approve, while a role has a limit."""
    make_limited(messages=2)
    return make_approvers()[1]


def test_who_sets_limits_is_told_once_when_limits_cease_and_apply_again(second: User) -> None:
    sets = make_user("providers.change_approvallimit")
    closed = make_user("providers.change_approvallimit")
    User.objects.filter(pk=closed.pk).update(is_active=False)
    assert not limit_switch.look()
    User.objects.filter(pk=second.pk).update(is_active=False)
    assert limit_switch.look(by=sets)
    assert not limit_switch.look()
    User.objects.filter(pk=second.pk).update(is_active=True)
    assert limit_switch.look()
    assert acts() == ["approval_limit.off", "approval_limit.on"]
    assert Act.objects.get(what=limit_switch.OFF).by == sets
    assert {one.user_id for one in Notice.objects.all()} == {sets.pk}
    told = [show(one.text) for one in Notice.objects.order_by("pk")]
    assert "no longer apply to anyone" in told[0]
    assert "apply again" in told[1]
    assert len(told) == 2


def test_nothing_is_told_where_no_role_has_a_limit(second: User) -> None:
    ApprovalLimit.objects.all().delete()
    User.objects.filter(pk=second.pk).update(is_active=False)
    assert not limit_switch.look()
    assert acts() == []


def test_queue_notices_what_no_page_changed(second: User) -> None:
    manager = make_staff("manager")
    make_approvers(1)
    User.objects.exclude(pk=manager.pk).update(is_active=False)
    tasks.tend()
    assert acts() == ["approval_limit.off"]
    assert Notice.objects.filter(user=manager, event__startswith="approval_limits:").exists()
