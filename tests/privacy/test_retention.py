"""Data goes by a rule only after a manager has confirmed its preview."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.core import signing
from django.test import Client
from django.utils import timezone

from core import retention
from core.models import Act
from core.phones.erased import FORGOTTEN
from core.stored_texts import from_staff
from messaging.batches.prune_batches import prune as prune_batches
from messaging.models import Message, StagedRow
from messaging.settle_outcome import can_repeat
from privacy import forget, legal_holds, rules
from privacy.models import RetentionRule
from providers import journal
from providers.callbacks import store
from providers.gateway.vocabulary import OrderState as Stated
from providers.gateway.vocabulary import Rental
from providers.models import ApiCall, Callback
from rentals.models import Order
from rentals.provider_fields import known_part
from tests.factories.accounts import make_account
from tests.factories.batches import make_batch
from tests.factories.messages import TEXT, make_message
from tests.factories.orders import make_rented
from tests.factories.staff import make_staff

pytestmark = pytest.mark.django_db
NUMBER = "+8613912345678"


def kind(key: str) -> retention.Kind:
    found = retention.find(key)
    assert found is not None
    return found


def make_old(days: int, **fields: Any) -> Message:
    message = make_message(**{"state": "delivered", **fields})
    Message.objects.filter(pk=message.pk).update(created_at=timezone.now() - timedelta(days=days))
    return message


def set_rule(key: str, days: int | None) -> RetentionRule:
    return rules.confirm(rules.preview(kind(key), days).signature, make_staff("manager"))


def text_of(message: Message) -> str:
    message.refresh_from_db()
    return message.text


def test_nothing_goes_before_a_rule_is_confirmed_and_only_what_is_old_then() -> None:
    old, young = make_old(181), make_old(179)
    shown = rules.preview(kind("texts"), 180)
    assert (shown.count, shown.oldest) == (1, Message.objects.get(pk=old.pk).created_at)
    forget.run_slice()
    assert text_of(old) == TEXT

    rules.confirm(shown.signature, make_staff("manager"))
    forget.run_slice()
    assert text_of(old) == ""
    assert (old.length, old.segments, old.encoding) == (len(TEXT), 1, "gsm7")
    assert text_of(young) == TEXT
    assert not can_repeat(old)
    act = Act.objects.get(what="retention.confirm")
    assert (act.details["kind"], act.details["days"], act.details["count"]) == ("texts", 180, 1)


def test_a_message_under_way_keeps_its_text_and_number() -> None:
    unknown = make_old(500, state="unknown")
    set_rule("texts", 30)
    set_rule("message_numbers", 30)
    forget.run_slice()
    assert text_of(unknown) == TEXT
    assert unknown.recipient == NUMBER


def test_numbers_become_one_stand_in() -> None:
    old = make_old(500)
    set_rule("message_numbers", 400)
    forget.run_slice()
    old.refresh_from_db()
    assert (old.recipient, old.country, old.text) == (FORGOTTEN, "CN", TEXT)


def test_a_second_night_looks_at_newly_old_rows_only_and_each_week_at_all() -> None:
    make_old(300)
    rule = set_rule("texts", 180)
    forget.run_slice()
    late = make_old(290, text="late")
    older = make_old(400, text="older than the last one")
    forget.run_slice()
    assert text_of(late) == ""
    assert text_of(older) != ""

    RetentionRule.objects.filter(pk=rule.pk).update(began_at=timezone.now() - timedelta(days=8))
    forget.run_slice()
    assert text_of(older) == ""


def test_more_rows_of_one_moment_than_a_chunk_are_all_cleared(monkeypatch: Any) -> None:
    monkeypatch.setattr(forget, "CHUNK", 2)
    moment = timezone.now() - timedelta(days=300)
    for _ in range(5):
        make_message(state="delivered")
    Message.objects.update(created_at=moment)
    set_rule("texts", 180)
    assert forget.run_slice(0)
    while forget.run_slice(0):
        pass
    assert not Message.objects.exclude(text="").exists()


@pytest.mark.parametrize("change", ["rule", "age", "forged"])
def test_a_preview_that_is_not_of_now_confirms_nothing(change: str, monkeypatch: Any) -> None:
    signature = rules.preview(kind("texts"), 180).signature
    if change == "rule":
        set_rule("texts", 90)
    elif change == "age":
        monkeypatch.setattr(rules, "VALID_FOR", timedelta(seconds=-1))
    else:
        signature = signing.dumps({"kind": "texts", "days": 1}, salt="other")
    with pytest.raises(rules.PreviewOutdated):
        rules.confirm(signature, make_staff("manager"))
    assert not RetentionRule.objects.filter(days=180).exists()


def test_the_days_of_the_environment_apply_until_a_rule_does(settings: Any) -> None:
    settings.JOURNAL_DAYS = 50
    assert retention.days_of("journal") == 50
    make_call(age=60)
    set_rule("journal", None)
    assert journal.prune() == 0
    set_rule("journal", 55)
    assert journal.prune() == 1


def make_call(age: int, **fields: Any) -> ApiCall:
    at = timezone.now() - timedelta(days=age)
    given = {"account": make_account(), "operation": "send", "duration": 1, "outcome": "done"}
    return ApiCall.objects.create(**given, started_at=at, **fields)


def test_a_legal_hold_keeps_texts_calls_callbacks_and_files() -> None:
    held, other = make_old(300), make_old(300, recipient="+8613900000000")
    hold = legal_holds.set_hold(NUMBER, from_staff("a lawsuit"), make_staff("manager"))
    assert hold is not None
    make_call(400, subject=f"message:{held.pk}")
    make_call(400, answer_body="to 139 1234 5678")
    free = make_call(400, subject=f"message:{other.pk}")
    at = {"received_at": timezone.now() - timedelta(days=400)}
    at["last_at"] = at["received_at"]
    body = {"body": b"8613912345678", "state": "processed", "method": "POST"}
    Callback.objects.create(account=make_account(), digest="1", **body, **at)
    batch = make_batch(NUMBER)
    ended = {"state": "cancelled", "ended_at": at["last_at"]}
    type(batch).objects.filter(pk=batch.pk).update(**ended)
    set_rule("texts", 180)

    forget.run_slice()
    assert (journal.prune(), store.prune(), prune_batches()) == (1, 0, 0)
    assert text_of(held) == TEXT
    assert text_of(other) == ""
    assert not ApiCall.objects.filter(pk=free.pk).exists()
    assert ApiCall.objects.count() == 2

    legal_holds.lift(hold, from_staff("it ended"), make_staff("manager"))
    forget.run_slice()
    assert (journal.prune(), store.prune()) == (2, 1)
    assert prune_batches() > 0
    assert text_of(held) == ""
    assert not StagedRow.objects.exists()


def test_a_cleared_sms_is_not_filled_in_again_by_the_providers_list() -> None:
    order = make_rented(state="completed", next_poll_at=None, content="hello", code="1")
    long_ago = timezone.now() - timedelta(days=300)
    Order.objects.filter(pk=order.pk).update(created_at=long_ago, sms_at=long_ago)
    set_rule("rented_sms", 180)
    forget.run_slice()
    order = Order.objects.get()
    assert not order.content
    stated = Rental("1", Stated.COMPLETED, "", order.phone, "", "", None, "1", "hello")
    assert known_part(order, stated).content == ""


def test_the_page_previews_and_confirms() -> None:
    old = make_old(200)
    client = Client()
    client.force_login(make_staff("manager"))
    shown = client.post("/privacy/retention/", {"kind": "texts", "texts-days": "180"})
    assert "1 row is cleared" in shown.content.decode()
    assert not RetentionRule.objects.exists()

    signature = shown.context["preview"].signature
    client.post("/privacy/retention/", {"confirm": signature})
    assert RetentionRule.objects.get().days == 180
    forget.run_slice()
    assert text_of(old) == ""


@pytest.mark.parametrize("typed", ["1", "x", "-5", "99999"])
def test_days_out_of_bounds_are_refused_beside_the_field(typed: str) -> None:
    client = Client()
    client.force_login(make_staff("manager"))
    answer = client.post("/privacy/retention/", {"kind": "texts", "texts-days": typed})
    page = answer.content.decode()
    assert "field-problem" in page
    assert f'value="{typed}"' in page
    assert "preview" not in answer.context
