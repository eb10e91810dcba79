"""Notices: told once, counted while unread, deleted after a while."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from core import notices
from core.models import Notice
from core.stored_texts import from_staff
from tests.factories.staff import make_user

pytestmark = pytest.mark.django_db
TEXT = from_staff("Something happened.")


def test_event_is_told_once_to_each_person() -> None:
    me, colleague = make_user(), make_user()
    for user in (me, me, colleague):
        notices.notify(user.pk, "thing:1:ended", TEXT, "/")
    notices.notify(me.pk, "thing:2:ended", TEXT, "/")
    assert (notices.unread_of(me).count(), notices.unread_of(colleague).count()) == (2, 1)


def test_read_notice_stays_and_is_not_told_again() -> None:
    me = make_user()
    notices.notify(me.pk, "thing:1:ended", TEXT, "/")
    notices.mark_read(notices.unread_of(me))
    notices.notify(me.pk, "thing:1:ended", TEXT, "/")
    assert notices.unread_of(me).count() == 0
    assert len(notices.newest_of(me)) == 1


def test_old_notices_are_deleted() -> None:
    me = make_user()
    for event in ("old", "new"):
        notices.notify(me.pk, event, TEXT, "/")
    Notice.objects.filter(event="old").update(created_at=timezone.now() - timedelta(days=31))
    assert notices.prune() == 1
    assert Notice.objects.get().event == "new"
