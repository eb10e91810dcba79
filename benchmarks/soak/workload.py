"""The work of a run: sends, batches, three kinds of codes, checks, rentals, cancels, callbacks."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Iterator
from itertools import count
from typing import Any

from django.contrib.auth.models import User
from django.urls import reverse

from messaging.admin.batch_page import fingerprint
from messaging.batches.states import BatchState
from messaging.models import Batch
from otp.models import Session
from otp.states import UNDER_WAY, SessionState
from providers.accounts import callback_url
from providers.models import Account
from rentals.models import Order, Region
from rentals.states import OrderState

from ..chaos.accounts import NEVER_AN_SMS, PROJECTS, WEIGHTS, Accounts, regions
from .soak_book import SoakBook
from .staff import Form, Staff

TEXT = "Your parcel is here."
KINDS = {"send": 40, "code": 18, "check": 14, "rent": 9, "cancel": 6, "stray": 10, "batch": 3}
"""The kinds of work and their weights."""
BATCH_SIZES = (5, 60)
SHARE_OF_RIGHT_CODES = 0.5
SHARE_WITHOUT_SMS = 0.5
SHARE_OF_TIMED_CANCELS = 0.1
SHARE_OF_REPLACEMENTS = 0.2
PLACE = {
    "send": "admin:messaging_message_send",
    "batch": "admin:messaging_batch_new",
    "code": "admin:otp_session_send",
    "rent": "admin:rentals_order_rent",
}
STRAY_BODIES = (
    b'{"uid":"%s","DLRStatus":"Delivered","message_id":"%s"}',
    b'{"uid":"%s","DLRStatus":"\xff\xfe","message_id":"%s"}',
    b"not JSON %s %s",
)


class Workload:
    """Submits forms as staff do, through `Staff`, which records each submission."""

    def __init__(
        self, staff: Staff, accounts: Accounts, by: User, book: SoakBook, chance: random.Random
    ) -> None:
        self.checked: dict[str, tuple[str, str]] = {}
        """The token of a check's form, to the provider's session id and the code."""
        self._staff = staff
        self._accounts = accounts
        self._by = by
        self._book = book
        self._chance = chance
        self._numbers = count(1)
        self._strays = count(1)
        self._wrong_codes = count(1)
        self._regions: dict[tuple[int, str], Iterator[str]] = defaultdict(lambda: iter(regions()))
        self._asked: set[int] = set()
        """Sessions of which a check is under way or done, and orders with a cancel."""
        self._cancelled: set[int] = set()
        self._addresses = {one.pk: _callback_path(one) for one in accounts.haorui}
        known = set(Region.objects.filter(provider="gosms").values_list("code", flat=True))
        Region.objects.bulk_create(
            Region(provider="gosms", code=code) for code in regions() if code not in known
        )
        _offer_projects()

    def begin_one(self) -> None:
        kind = self._chance.choices(list(KINDS), list(KINDS.values()))[0]
        getattr(self, f"_{kind}")()

    # --- what staff begin ------------------------------------------------------------

    def _send(self) -> None:
        account = self._chance.choices(self._accounts.haorui, WEIGHTS)[0]
        fields = {"sms_kind": "T", "sender_id": "BENCH", "text": TEXT}
        self._post("send", account, {**fields, "recipient": self._next_number()})

    def _batch(self) -> None:
        account = self._chance.choices(self._accounts.haorui, WEIGHTS)[0]
        size = self._chance.randint(*BATCH_SIZES)
        pasted = "\n".join(self._next_number() for _ in range(size))
        fields = {"sms_kind": "T", "sender_id": "BENCH", "text": TEXT, "pasted": pasted}
        self._post("batch", account, fields)

    def _code(self) -> None:
        group = self._chance.choice(("haorui", "haosms", "otpservice"))
        account = self._chance.choice(getattr(self._accounts, group))
        fields = {"recipient": self._next_number(), "minutes": "10"}
        own = {"maker": "made", "length": "6", "template": "2"}
        if group == "haosms":
            fields |= {**own, "channel": account.options["channels"][0]}
        elif group == "haorui":
            fields |= {**own, "template": "own", "text": "Code XXXX", "sender_id": "BENCH"}
        self._post("code", account, fields)

    def _rent(self) -> None:
        account = self._chance.choice(self._accounts.gosms)
        project = NEVER_AN_SMS
        if self._chance.random() >= SHARE_WITHOUT_SMS:
            project = self._chance.choice(PROJECTS[:-1])
        region = next(self._regions[account.pk, project], None)
        if region is None:
            return
        fields = {"project": project, "region": region, "count": "1", "without_sms": "wait"}
        if self._chance.random() < SHARE_OF_TIMED_CANCELS:
            fields |= {"without_sms": "cancel", "cancel_after": "1"}
        self._post("rent", account, fields)

    def _cancel(self) -> None:
        pending = Order.objects.filter(state=OrderState.PENDING, project=NEVER_AN_SMS)
        waiting = [one for one in pending.order_by("pk") if one.pk not in self._cancelled]
        if not waiting:
            return
        order = self._chance.choice(waiting)
        self._cancelled.add(order.pk)
        again = {"then_rent": "yes"} if self._chance.random() < SHARE_OF_REPLACEMENTS else {}
        path = reverse("admin:rentals_order_cancel", args=[order.public_id])
        self._staff.post("cancel", path, again)

    def _check(self) -> None:
        """Check a correct or a wrong code of a session that its provider accepted."""
        open_ones = Session.objects.filter(
            state__in=(SessionState.SENT, SessionState.CHECK_UNKNOWN)
        ).exclude(attempts__state__in=sorted(UNDER_WAY))
        ready = [one for one in open_ones.order_by("-pk")[:40] if one.pk not in self._asked]
        if not ready:
            return
        session = self._chance.choice(ready)
        self._asked.add(session.pk)
        message = session.newest_code().message
        code = self._code_for(message)
        path = reverse("admin:otp_session_check", args=[session.public_id])
        provider_id = message.provider_id if message.account.provider == "otpservice" else ""

        def note(form: Form) -> None:
            self._asked.discard(session.pk)

        form = self._staff.post("check", path, {"code": code}, then=note)
        if form is not None and provider_id:
            self.checked[form.token] = provider_id, code

    def _stray(self) -> None:
        """Send a callback that matches nothing, twice now and then."""
        account = self._chance.choice(self._accounts.haorui)
        mark = f"stray-{next(self._strays):08}"
        body = self._chance.choice(STRAY_BODIES) % (mark.encode(), mark.encode())
        for _ in range(self._chance.choice((1, 1, 2))):
            self._staff.send_callback(mark, self._addresses[account.pk], body)

    # --- batches that were read ------------------------------------------------------

    def tend_batches(self) -> None:
        """Start the batches that are ready, and now and then pause, continue or cancel one."""
        for batch in Batch.objects.filter(state=BatchState.READY, good__gt=0, hold=None):
            fields = {"when": "now", "seen": fingerprint(batch)}
            self._act(batch, "confirm", fields)
        for batch in Batch.objects.filter(state=BatchState.PAUSED, hold=None):
            self._act(batch, "continue", {})
        running = Batch.objects.filter(state=BatchState.SENDING, hold=None)
        for batch in running:
            if self._chance.random() < 0.05:
                self._act(batch, "cancel" if self._chance.random() < 0.3 else "pause", {})

    def _act(self, batch: Batch, action: str, fields: dict[str, str]) -> None:
        path = reverse(f"admin:messaging_batch_{action}", args=[batch.public_id])
        self._staff.post(f"batch {action}", path, fields)

    # --- parts -----------------------------------------------------------------------

    def _post(self, kind: str, account: Account, fields: dict[str, str]) -> None:
        self._staff.post(kind, reverse(PLACE[kind]), {"account": account.public_id, **fields})

    def _next_number(self) -> str:
        return f"+86139{next(self._numbers):08}"

    def _code_for(self, message: Any) -> str:
        right = self._book.code_of(message)
        wrong = f"{next(self._wrong_codes):06}"
        return right if right and self._chance.random() < SHARE_OF_RIGHT_CODES else wrong


def _callback_path(account: Account) -> str:
    address = callback_url(account)
    assert address is not None
    return "/" + address.reveal().split("/", 3)[3]


def _offer_projects() -> None:
    from rentals.models import Project

    for code in PROJECTS:
        Project.objects.get_or_create(provider="gosms", code=code, defaults={"name": code})
