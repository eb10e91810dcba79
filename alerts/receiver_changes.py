"""What people do with receivers and the ping. Each act is recorded, none with an address."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.contrib.auth.models import User
from django.db import transaction

from core.acts import record_act
from core.secrets import Secret
from providers import clock

from . import outbox
from .models import Delivery, Receiver, Watch, the_watch
from .states import Occasion
from .targets import Target


def save_receiver(
    receiver: Receiver, values: Mapping[str, Any], target: Target | None, url: Secret, by: User
) -> None:
    """Create or change a receiver. Without a `target`, its address stays."""
    is_new = receiver.pk is None
    with transaction.atomic():
        for name, value in values.items():
            setattr(receiver, name, value)
        if target is not None:
            receiver.service, receiver.shown = target.service, target.shown
            receiver.url = url
        receiver.save()
        what = "alert_receiver.add" if is_new else "alert_receiver.change"
        details = {"service": receiver.service, "new_address": target is not None}
        _record(what, receiver, by, **details)


def remove_receiver(receiver: Receiver, by: User) -> None:
    """Its rules stay. The log keeps its name."""
    with transaction.atomic():
        _record("alert_receiver.remove", receiver, by)
        receiver.delete()


def send_test(receiver: Receiver, by: User) -> Delivery:
    """Have a test sent. The worker sends it, and the log shows what became of it."""
    now = clock.now()
    with transaction.atomic():
        delivery = Delivery.objects.create(
            receiver=receiver,
            receiver_name=receiver.name,
            occasion=Occasion.TEST,
            created_at=now,
            next_at=now,
        )
        outbox.queue_delivery()
        _record("alert_receiver.test", receiver, by)
    return delivery


def save_ping(target: Target | None, url: Secret, by: User) -> None:
    """Set the address that is asked each minute. Without a `target`, none is."""
    with transaction.atomic():
        the_watch()
        Watch.objects.filter(pk=Watch.SINGLETON).update(
            ping_url=url if target else "",
            ping_shown=target.shown if target else "",
            ping_claimed_at=None,
            pinged_at=None,
            ping_worked_at=None,
            ping_error="",
            ping_seconds=None,
        )
        record_act("alerts.ping" if target else "alerts.ping_off", by=by)


def _record(what: str, receiver: Receiver, by: User, **details: Any) -> None:
    personal = {"name": receiver.name}
    subject = f"alert_receiver:{receiver.pk}"
    record_act(what, by=by, subject=subject, personal=personal, **details)
