"""Who signed in, revealed, exported and took over is recorded, without what was seen."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db.models import Model
from django.http import QueryDict
from django.test import Client
from django.urls import reverse
from pytest_django import Settings

from audit.addresses import address_of, facts_of
from core.admin import actions
from core.admin.reasons import REVEAL_REASONS, says_something
from core.models import Act
from core.phones.parse import DOT
from providers.models import Callback
from tests.factories.accounts import make_account
from tests.factories.batches import make_batch
from tests.factories.codes import make_sent_session
from tests.factories.messages import make_message
from tests.factories.orders import make_rented
from tests.factories.staff import make_staff
from tests.support.signed_in import browser_of, member

pytestmark = pytest.mark.django_db


def act(what: str) -> Act:
    return Act.objects.get(what=what)


@pytest.fixture
def manager() -> User:
    return make_staff("manager")


@pytest.fixture
def browser(manager: User) -> Client:
    return browser_of(manager)


# --- sign-ins ---------------------------------------------------------------------------------


def test_sign_in_is_recorded_with_its_address() -> None:
    user = member("viewer")
    client = Client(REMOTE_ADDR="192.0.2.7")
    client.post(reverse("admin:login"), {"username": user.username, "password": "right"})
    signed_in = act("sign_in")
    assert (signed_in.by, facts_of(signed_in)) == (user, {"how": ["password"]})
    assert (address_of(signed_in), signed_in.personal) == ("192.0.2.7", {})
    client.post(reverse("admin:logout"))
    assert act("sign_out").by == user


def test_failed_sign_in_is_recorded_about_the_person_or_with_the_typed_name() -> None:
    user = member("viewer")
    client = Client(REMOTE_ADDR="192.0.2.7")
    client.post(reverse("admin:login"), {"username": user.username, "password": "wrong"})
    failed = act("sign_in.fail")
    assert (failed.by, failed.subject) == (None, f"user:{user.pk}")
    client.post(reverse("admin:login"), {"username": "nobody.here", "password": "wrong"})
    unknown = Act.objects.latest("pk")
    assert (unknown.what, unknown.subject) == ("sign_in.fail", "")
    assert (address_of(unknown), unknown.personal) == ("192.0.2.7", {"name": "nobody.here"})


def test_lock_out_is_recorded_once_and_what_it_refuses_is_not(settings: Settings) -> None:
    settings.AXES_ENABLED = True
    user = member("viewer")
    for _ in range(settings.AXES_FAILURE_LIMIT + 3):
        Client().post(reverse("admin:login"), {"username": user.username, "password": "wrong"})
    assert act("sign_in.lock").subject == f"user:{user.pk}"
    assert Act.objects.filter(what="sign_in.fail").count() == settings.AXES_FAILURE_LIMIT


# --- reveals ----------------------------------------------------------------------------------


def make_callback() -> Callback:
    return Callback.objects.create(
        account=make_account(), digest="d", method="POST", state="unmatched"
    )


@pytest.mark.parametrize(
    ("name", "make"),
    [
        ("messaging_message", make_message),
        ("otp_session", make_sent_session),
        ("rentals_order", make_rented),
        ("providers_callback", make_callback),
    ],
)
def test_reveal_is_recorded_with_its_reason(
    manager: User, browser: Client, name: str, make: Any
) -> None:
    obj: Any = make()
    url = reverse(f"admin:{name}_reveal", args=[obj.public_id])
    browser.post(url, {"reason": "other", "other": "x"})
    assert not Act.objects.filter(what="reveal").exists()
    browser.post(url, {"reason": "complaint"})
    revealed = act("reveal")
    assert (revealed.by, revealed.subject) == (manager, f"{obj._meta.model_name}:{obj.pk}")
    assert revealed.why == REVEAL_REASONS["complaint"].store()
    assert (revealed.reason, facts_of(revealed)) == ("", {})


def test_reveal_without_a_record_shows_nothing(
    browser: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    message = make_message()
    url = reverse("admin:messaging_message_reveal", args=[message.public_id])

    def fail(*_: object, **__: object) -> None:
        raise RuntimeError

    monkeypatch.setattr(actions, "record_act", fail)
    browser.raise_request_exception = False
    answer = browser.post(url, {"reason": "complaint"})
    assert answer.status_code == 500
    assert "139 1234 5678" not in answer.content.decode()


@pytest.mark.parametrize(
    ("typed", "enough"),
    [
        ("", False),
        ("x", False),
        ("....!", False),
        ("aaaaaaa", False),
        ("客", False),
        ("客客", False),
        ("客诉", True),
        ("客户投诉", True),
        ("asked", True),
        ("He called.", True),
    ],
)
def test_typed_reason_says_something(typed: str, enough: bool) -> None:
    assert says_something(typed) is enough


def test_taking_an_order_over_is_a_reveal(manager: User, browser: Client) -> None:
    order = make_rented()
    url = reverse("admin:rentals_order_hand", args=[order.public_id])
    browser.post(url, {"to": manager.pk})
    assert facts_of(act("order.hand_over")) == {"to": manager.pk}
    revealed = act("reveal")
    assert (revealed.by, revealed.subject) == (manager, f"order:{order.pk}")
    assert json.loads(revealed.why) == {"key": "reveal.taken_over"}


def test_handing_an_order_to_another_is_no_reveal(browser: Client) -> None:
    order, other = make_rented(), make_staff("operator")
    browser.post(reverse("admin:rentals_order_hand", args=[order.public_id]), {"to": other.pk})
    assert facts_of(act("order.hand_over")) == {"to": other.pk}
    assert not Act.objects.filter(what="reveal").exists()


# --- exports ----------------------------------------------------------------------------------

EXPORTS = {
    "messaging_message": make_message,
    "otp_session": make_sent_session,
    "rentals_order": make_rented,
}


@pytest.mark.parametrize("name", EXPORTS)
def test_export_is_recorded_with_filters_and_count(
    manager: User, browser: Client, name: str
) -> None:
    obj: Model = EXPORTS[name]()
    account = obj.account  # type: ignore[attr-defined]
    url = reverse(f"admin:{name}_export")
    browser.get(url, {"format": "csv", "account__id__exact": account.pk})
    exported = act("export")
    assert (exported.by, exported.subject) == (manager, "")
    assert facts_of(exported) == {"rows": obj._meta.label_lower, "count": 1}
    assert exported.personal == {"filters": f"account__id__exact={account.pk}"}


def test_export_of_nothing_is_recorded(browser: Client) -> None:
    browser.get(reverse("admin:otp_session_export"), {"format": "csv"})
    assert act("export").details["count"] == 0


def test_report_of_a_batch_is_recorded(browser: Client) -> None:
    batch = make_batch("13912345678\n1")
    browser.get(reverse("admin:messaging_batch_report", args=[batch.public_id]))
    exported = act("export")
    assert exported.subject == f"batch:{batch.pk}"
    assert facts_of(exported) == {"rows": "messaging.stagedrow", "count": 1, "whole": True}


@pytest.mark.parametrize(
    ("term", "kept"),
    [
        ("139 1234 5678", f"+86 139 {DOT * 4} 5678"),
        ("meet me at noon", DOT * 6),
        ("您好", DOT * 6),
        ("aB3-x_9", "aB3-x_9"),
    ],
)
def test_record_of_an_export_holds_no_number_and_no_text(
    browser: Client, term: str, kept: str
) -> None:
    browser.get(reverse("admin:messaging_message_export"), {"format": "csv", "q": term})
    assert QueryDict(act("export").personal["filters"]).dict() == {"q": kept}
