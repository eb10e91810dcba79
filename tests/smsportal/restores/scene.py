"""A scene: every kind of call that must not be repeated, in the middle of its work."""

from __future__ import annotations

import secrets
from collections import Counter, defaultdict
from datetime import timedelta
from typing import Final

from django.contrib.auth.models import User
from django.utils import timezone

from messaging.batches import lifecycle
from messaging.batches.states import CHANGING
from messaging.models import Batch, Message
from otp import check_code
from otp.models import Attempt
from providers.models import Account
from rentals.cancel_requests import request_cancel
from rentals.models import Cancel, Order
from sandbox.server import Sandbox
from tests.factories.batches import make_batch, numbers, start_batch
from tests.factories.codes import make_session
from tests.factories.messages import make_message
from tests.factories.orders import make_order
from tests.smsportal.restores.site import Calls, Site
from tests.support.wait_until import wait_until

RUNNING: Final = 50
SCHEDULED: Final = 4
FIRST_SCHEDULED: Final = 500
TEXTS: Final = 5
IN_THE_MIDDLE: Final = 15
LATE: Final = 3
UNDER_WAY: Final = ("queued", "claimed", "sending", "placing")
HELD: Final = ("held", "queued", "claimed")


def make_sandbox() -> Sandbox:
    sandbox = Sandbox()
    sandbox.change_settings("haorui", report_delay=None)
    # Its limits make the engine slow down for half a minute.
    sandbox.change_settings("gosms", rate_per_second=0, rate_per_minute=0)
    sandbox.change_settings("gosms", stock={"google/IN": 0}, sms_delay=None)
    return sandbox


class Scene:
    """What staff began at a site before the copy was taken, so that it outlives each restore."""

    def __init__(self, site: Site) -> None:
        self.site = site
        self.by = User.objects.create_user(
            f"chief-{secrets.token_hex(3)}", is_staff=True, is_superuser=True
        )
        self.bulk = site.account("haorui", "bulk", per_second=10)
        self.slow = site.account("haorui", "slow", per_second=1, per_minute=60)
        self.codes = site.account("haosms", "codes")
        self.checked = site.account("otpservice", "checked")
        self.rent = site.account("gosms", "rent", options={"exclusive_key": True})
        self.shared = site.account("gosms", "shared")

    def begin(self) -> None:
        """Make what was called already when the copy is taken, a batch, and slow texts."""
        self.session = make_session(self.checked, recipient="+8613700000001", typed="", by=self.by)
        make_order(self.rent, project="nosms", region="ID", by=self.by)
        self.cancelled = make_order(self.rent, project="nosms", region="US", by=self.by)
        make_order(self.rent, project="google", region="IN", keep_trying=20, by=self.by)
        wait_until(lambda: Message.objects.filter(state="submitted").exists())
        wait_until(lambda: Order.objects.filter(state="pending").count() == 2)
        book = self.site.sandbox.book
        wait_until(lambda: book.entries("gosms", "create_order", accepted=False))
        self.running = make_batch(numbers(RUNNING), self.bulk, by=self.by)
        start_batch(self.running)
        for number in range(TEXTS):
            self.text(number)
        wait_until(lambda: book.count("haorui", "send") >= IN_THE_MIDDLE)

    def begin_rest(self) -> None:
        """Make what has not been called when the copy is taken. The site is frozen meanwhile."""
        make_session(self.codes, recipient="+8613700000002", by=self.by)
        make_session(self.checked, recipient="+8613700000003", typed="", by=self.by)
        code = self.site.sandbox.book.entries("otpservice", "send")[0].fields["generated_code"]
        self.session.refresh_from_db()
        check_code.check(self.session, str(code), by=self.by, form_token="scene")
        make_order(self.rent, project="whatsapp", region="ID", by=self.by)
        # The provider's list also shows the orders of others, so it cannot settle this one.
        make_order(self.shared, project="facebook", region="GB", by=self.by)
        assert request_cancel(Order.objects.get(pk=self.cancelled.pk), self.by)
        self.scheduled = make_batch(numbers(SCHEDULED, FIRST_SCHEDULED), self.bulk, by=self.by)
        soon = timezone.now() + timedelta(seconds=1)
        assert lifecycle.schedule(self.scheduled, self.by, soon)

    def text(self, number: int, account: Account | None = None) -> Message:
        recipient = f"+86136{number:08}"
        return make_message(account or self.slow, recipient=recipient, by=self.by)

    def end(self) -> None:
        self.site.sandbox.change_settings("gosms", stock={})
        Order.objects.filter(project="google", state="queued").update(not_before=timezone.now())
        wait_until(self.has_ended)

    def begin_last(self) -> None:
        """Leave one text that is sent in about a second."""
        before = self.site.calls().total()
        for number in range(LATE):
            self.text(100 + number)
        wait_until(lambda: self.site.calls().total() == before + LATE - 1)

    def has_ended(self) -> bool:
        lifecycle.start_due()
        waiting = [
            model._default_manager.filter(state__in=UNDER_WAY).exists()
            for model in (Message, Order, Attempt, Cancel)
        ]
        return not any(waiting) and not Batch.objects.filter(state__in=sorted(CHANGING)).exists()

    def held(self) -> dict[str, Calls]:
        """The calls that a release of each group would make, by the group's key."""
        found: dict[str, Calls] = defaultdict(Counter)
        messages = Message.objects.filter(state__in=HELD).select_related("batch")
        for message in messages.defer("text"):
            kind = "messages" if message.kind == Message.Kind.TEXT else "codes"
            key = f"{kind}:{message.account_id}" if message.hold_id else ""
            if message.batch is not None and message.batch.hold_id:
                key = f"batch:{message.batch_id}"
            if key:
                found[key][message.recipient.removeprefix("+")] += 1
        waits = Batch.objects.filter(pk=self.scheduled.pk, started_at=None, hold__isnull=False)
        if waits.exists():
            phones = numbers(SCHEDULED, FIRST_SCHEDULED).split()
            found[f"batch:{self.scheduled.pk}"].update(f"86{phone}" for phone in phones)
        for order in Order.objects.filter(state="held").exclude(hold=None):
            found[f"orders:{order.account_id}"][f"order {order.project} {order.region}"] += 1
        return dict(found)
