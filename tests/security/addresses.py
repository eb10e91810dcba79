"""Every address of the portal, and a portal with one object of each kind to request them from."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Final

from auditlog.models import LogEntry
from axes.models import AccessAttempt, AccessFailureLog, AccessLog
from django.contrib.auth.models import Group, User
from django.contrib.contenttypes.models import ContentType
from django.urls import URLResolver, get_resolver
from django.utils import timezone
from django_q.models import Failure, OrmQ, Schedule, Success

from alerts.models import Delivery
from audit.breaks import Break, Kind
from audit.models import ChainCheck
from core.acts import record_act
from core.models import ExportJob, Notice
from core.notices import notify
from core.phones.tokens import token_of
from core.stored_texts import from_staff
from lookup.models import Note
from messaging.models import Message, Template
from privacy.models import Erasure, LegalHold
from providers.accounts import new_callback_token
from providers.approvals import requests
from providers.models import ApiCall, Callback, CapExemption, DailyLimit
from rentals.models import Finding, Project, Region, Transaction
from tests.alerts.world import make_receiver, make_rule
from tests.factories.accounts import make_account
from tests.factories.approvals import make_approvers, make_limited, make_request
from tests.factories.batches import make_batch
from tests.factories.codes import make_sent_session
from tests.factories.messages import make_message
from tests.factories.orders import make_rented
from tests.factories.staff import make_staff, make_user

FILE: Final = Path(__file__).with_name("addresses.txt")
ROLES: Final = ("anonymous", "nobody", "viewer", "operator", "manager", "auditor", "superuser")
METHODS: Final = ("GET", "POST")
_PARAMETER: Final = re.compile(r"<(?:\w+:)?(\w+)>")


def routes(resolver: URLResolver | None = None, before: str = "") -> Iterator[str]:
    """The route of each address that the portal answers, as `urls.py` files write them."""
    for pattern in (resolver or get_resolver()).url_patterns:
        route = before + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            yield from routes(pattern, route)
        else:
            yield _readable(route)


def _readable(route: str) -> str:
    """A route with `<name>` for each parameter, also if it is a regular expression."""
    route = _PARAMETER.sub(r"<\1>", route)
    named = re.sub(r"\(\?P<(\w+)>[^()]*\)", r"<\1>", route)
    return "/" + named.removeprefix("^").removesuffix("$").removesuffix("/?")


def make_world() -> dict[str, str]:
    """Make one object of each kind. Returns what stands for each parameter, by route and name."""
    make_approvers()
    sender, renter = make_account(), make_account("gosms")
    session = make_sent_session(make_account("haosms"), recipient="13912345679")
    order = make_rented(renter)
    message = make_message(sender)
    now = timezone.now()
    call = ApiCall.objects.create(
        account=renter, operation="fetch_balance", started_at=now, duration=0.1, outcome="done"
    )
    callback = Callback.objects.create(account=sender, digest="d", method="POST", state="unmatched")
    finding = Finding.objects.create(
        kind="price_differs", account=renter, about=order.provider_id, order=order
    )
    transaction = Transaction.objects.create(
        account=renter, provider_id="1", type="Hold", amount=1, balance_after=1, frozen_after=1
    )
    task = {"func": "math.floor", "started": now, "stopped": now}
    target = make_staff("operator")
    token = new_callback_token(sender)
    sign_in = {"ip_address": "127.0.0.1", "username": "x", "user_agent": "x", "path_info": "/"}
    made = {
        "/providers/account/": sender.public_id,
        "/providers/callback/": callback.public_id,
        "/providers/apicall/": call.pk,
        "/providers/dailylimit/": DailyLimit.objects.create(
            user=target, what=DailyLimit.What.MESSAGES, most=5
        ).pk,
        "/providers/approval/": _decided_request(),
        "/providers/capexemption/": CapExemption.objects.create(
            scope="number", key="+8613912345672", because="asked", ends_at=now, created_by=target
        ).public_id,
        "/messaging/batch/": make_batch("13912345670", sender).public_id,
        "/messaging/template/": Template.objects.create(name="t", text="t").public_id,
        "/messaging/donotsend/": _listed_number(),
        "/messaging/message/": message.public_id,
        "/otp/session/": session.public_id,
        "/rentals/finding/": finding.public_id,
        "/rentals/order/": order.public_id,
        "/rentals/project/": Project.objects.create(provider="gosms", code="c", name="c").pk,
        "/rentals/region/": Region.objects.create(provider="gosms", code="c", remark="c").pk,
        "/rentals/transaction/": transaction.pk,
        "/auth/user/": target.pk,
        "/auth/group/": Group.objects.get(name="viewer").pk,
        "/django_q/ormq/": OrmQ.objects.create(key="k", payload="p", lock=now).pk,
        "/django_q/failure/": Failure.objects.create(id="f" * 32, success=False, **task).pk,
        "/django_q/success/": Success.objects.create(id="s" * 32, success=True, **task).pk,
        "/django_q/schedule/": Schedule.objects.create(func="math.floor").pk,
        "/axes/accessattempt/": AccessAttempt.objects.create(**sign_in, failures_since_start=1).pk,
        "/axes/accesslog/": AccessLog.objects.create(**sign_in).pk,
        "/axes/accessfailurelog/": AccessFailureLog.objects.create(**sign_in).pk,
        "/audit/entry/accept/": _broken_chain(),
        "/audit/entry/": record_act("message.cancelled", by=target, subject="message:1").pk,
        "/auditlog/logentry/": LogEntry.objects.log_create(target, action=0, changes={}).pk,
        "/r/<content_type_id>/": ContentType.objects.get_for_model(Message).pk,
        "/r/<content_type_id>/<object_id>/": message.pk,
        "/number/<token>/": token_of(message.recipient),
        "/handbook/<part>/": "staff",
        "/handbook/<part>/<name>/": "send",
        "/handbook/pictures/<language>/": "en",
        "/handbook/pictures/<language>/<name>/": "dashboard",
        "/notes/<kind>/": "message",
        "/notes/<kind>/<address_id>/": message.public_id,
        "/notes/<pk>/": Note.objects.create(
            kind="message", object_id=message.pk, text="x", by=target, assigned_to=target
        ).pk,
        "/my-exports/": ExportJob.objects.create(
            by=target,
            state=ExportJob.State.READY,
            rows_of="messaging.message",
            format="csv",
            is_whole=False,
            asked_at=now,
            progressed_at=now,
            expires_at=now,
        ).public_id,
        "/my-lists/<rows_of>/": "messaging.message",
        "/notices/": _notice_of(target),
        "/my-security/passkeys/": 1,
        "/what-waits/rows/": "message",
        "/alerts/rules/add/": "hold",
        "/alerts/rules/": make_rule("hold").public_id,
        "/alerts/receivers/": make_receiver().public_id,
        "/alerts/delivery/": Delivery.objects.create(occasion="test").public_id,
        "/privacy/erasures/": _erasure(),
        "/privacy/holds/": _legal_hold(),
        "/approvals/<public_id>/": make_request(make_limited(messages=0), 1)[1].public_id,
        "/callbacks/": token,
        "/<mistyped>/": "Callbacks/anything",
        # A link that has ended: the page says so.
        "/set-password/<uidb64>/": "MQ",
        "/set-password/<uidb64>/<token>/": "ended-link",
        "/<app_label>/": "messaging",
        "/<url>": "nothing-here",
    }
    return {route: str(value) for route, value in made.items()}


def _notice_of(user: User) -> int:
    notify(user.pk, "thing:1:ended", from_staff("Ended."), "/")
    return int(Notice.objects.get(user=user).pk)


def _erasure() -> str:
    erasure = Erasure.objects.create(
        number="+8613912345672", digest="e" * 64, masked="…", reason="x"
    )
    return erasure.public_id


def _legal_hold() -> str:
    hold = LegalHold.objects.create(
        number="+8613912345673", digest="f" * 64, masked="…", reason="x"
    )
    return hold.public_id


def _decided_request() -> str:
    asker = make_limited(messages=0)
    request = make_request(asker, 1)[1]
    requests.withdraw(request, asker)
    return str(request.public_id)


def _broken_chain() -> str:
    """Returns the key of what a check found."""
    found = Break(Kind.ACT_REMOVED, seal=1)
    ChainCheck.objects.create(ended_at=timezone.now(), breaks=[asdict(found)])
    return found.key


def _listed_number() -> str:
    from messaging import do_not_send

    entry, _new = do_not_send.add("+8613912345671", "asked", make_user())
    return str(entry.public_id)


def address_of(route: str, world: dict[str, str]) -> str:
    """The route with an object of the world for each parameter."""

    def value_of(parameter: re.Match[str]) -> str:
        up_to_here = route[: parameter.end()] + "/"
        return world[max((start for start in world if up_to_here.startswith(start)), key=len)]

    return re.sub(r"<\w+>", value_of, route)


def person(role: str) -> User:
    if role == "superuser":
        return make_user(is_superuser=True)
    return make_user() if role == "nobody" else make_staff(role)


def expected_answers() -> dict[tuple[str, str], list[str]]:
    """The answers in `addresses.txt` by method and route, in the order of `ROLES`."""
    lines = FILE.read_text(encoding="utf-8").splitlines()
    rows = [line.split() for line in lines if line.strip() and not line.startswith("#")]
    return {(row[0], row[1]): row[2:] for row in rows}
