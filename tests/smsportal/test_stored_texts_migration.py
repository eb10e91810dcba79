"""The sentences of earlier versions become keys, in slices, and can go back."""

from __future__ import annotations

import json
from collections import Counter
from importlib import import_module
from typing import Any

import pytest
from django.apps import apps
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.contenttypes.models import ContentType
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils.translation import override

from core import stored_texts
from core.admin.history import log_text
from core.stored_texts import is_known, show
from messaging.models import Message
from rentals.models import Finding, Order
from tests.factories.messages import make_message
from tests.factories.orders import make_order
from tests.factories.staff import make_user

pytestmark = pytest.mark.django_db
migration = import_module("smsportal.migrations.0001_stored_texts")
TYPED = ["rang at 14:05", "Recipient", "has", '{"key": "outcome.has"', "", "Paused: {reason}"]


@pytest.fixture(autouse=True)
def every_page() -> None:
    """The pages declare most keys, and are loaded with the addresses."""
    reverse("admin:index")


class Editor:
    connection = connection


def carry_over() -> None:
    migration.forwards(apps, Editor)


def log(model: str, message: str, object_id: str | None = "1") -> LogEntry:
    app, _, name = model.partition(".")
    return LogEntry.objects.create(
        user=make_user(),
        content_type=ContentType.objects.get(app_label=app, model=name),
        object_id=object_id,
        object_repr="messages" if object_id is None else "one",
        action_flag=CHANGE,
        change_message=message,
    )


def because(*texts: str) -> list[Message]:
    return [make_message(state="submitted", settled_because=text) for text in texts]


@pytest.mark.parametrize(
    ("sentence", "key"),
    [(text, key) for key, texts in migration.OUTCOMES.items() for text in texts],
)
def test_reason_of_an_earlier_version_becomes_its_key(sentence: str, key: str) -> None:
    (message,) = because(sentence)
    carry_over()
    message.refresh_from_db()
    assert json.loads(message.settled_because) == {"key": key}
    with override("zh-hans"):
        assert not show(message.settled_because).isascii()


def test_reasons_of_orders_and_findings_become_keys() -> None:
    order = make_order(state="not_created", settled_because="Seen in the provider's console")
    finding = Finding.objects.create(
        account=order.account,
        kind=Finding.Kind.UNKNOWN_TYPE,
        about="x",
        explained_because="Booked later",
    )
    carry_over()
    assert Order.objects.get().settled_because == '{"key": "order_outcome.console"}'
    finding.refresh_from_db()
    assert finding.explained_because == '{"key": "finding.later"}'


def test_words_of_staff_stay_as_typed() -> None:
    messages = because(*TYPED)
    entries = [log("messaging.message", text) for text in TYPED if text]
    carry_over()
    migration.backwards(apps, Editor)
    carry_over()
    for message, text in zip(messages, TYPED, strict=True):
        message.refresh_from_db()
        assert message.settled_because == text
    for entry in entries:
        before = entry.change_message
        entry.refresh_from_db()
        assert entry.change_message == before


VALUES = {
    "reason": "as typed: with a colon",
    "id": "x_7-a",
    "format": "csv",
    "filters": "shown=unknown&q=%20",
    "account": "HAORUI: main",
    "count": 12,
    "name": "Li {Wei}",
}


@pytest.mark.parametrize(("model", "key", "sentence"), migration.LOG)
def test_log_text_of_an_earlier_version_becomes_its_key_with_its_values(
    model: str, key: str, sentence: str
) -> None:
    text = sentence.format_map(VALUES)
    entry = log(model or "providers.callback", text)
    carry_over()
    entry.refresh_from_db()
    found = json.loads(entry.change_message)
    assert found.pop("key") == key
    assert found == {name: VALUES[name] for name in found}
    assert is_known(entry.change_message)
    assert "{" not in log_text(entry).replace("Li {Wei}", "")
    with override("zh-hans"):
        assert not log_text(entry).isascii()


def test_reason_in_a_log_text_becomes_its_key_too() -> None:
    entry = log("messaging.message", "Settled as not_sent: Recipient does not have it")
    shown = log("otp.session", "Revealed: A complaint")
    carry_over()
    entry.refresh_from_db()
    shown.refresh_from_db()
    assert json.loads(entry.change_message)["reason"] == {"key": "outcome.has_not"}
    assert log_text(shown) == "Revealed: Complaint"


def test_same_words_of_another_model_are_left_alone() -> None:
    entry = log("messaging.template", "Cancelled")
    carry_over()
    entry.refresh_from_db()
    assert entry.change_message == "Cancelled"


def test_texts_go_back_to_the_sentences_of_the_earlier_version() -> None:
    (message,) = because("Recipient has it")
    entry = log("messaging.message", "Settled as sent: Recipient has it")
    export = log("messaging.message", "Exported as csv: q=1", object_id=None)
    carry_over()
    export.refresh_from_db()
    assert export.object_repr == "messaging.message"
    migration.backwards(apps, Editor)
    for row in (message, entry, export):
        row.refresh_from_db()
    assert message.settled_because == "Recipient has it"
    assert entry.change_message == "Settled as sent: Recipient has it"
    assert (export.object_repr, export.change_message) == ("messages", "Exported as csv: q=1")


@pytest.mark.parametrize("size", [1, 2, 7])
def test_slices_leave_no_row_out(monkeypatch: pytest.MonkeyPatch, size: int) -> None:
    monkeypatch.setattr(migration, "SLICE", size)
    because(*["Recipient has it", "typed", "Seen in the provider's console"] * 2)
    for _ in range(5):
        log("messaging.message", "Cancelled")
        log("messaging.message", "other")
    carry_over()
    assert Counter(Message.objects.values_list("settled_because", flat=True)) == {
        '{"key": "outcome.has"}': 2,
        '{"key": "outcome.console"}': 2,
        "typed": 2,
    }
    assert LogEntry.objects.filter(change_message='{"key": "message.cancelled"}').count() == 5


def test_no_statement_touches_more_rows_than_a_slice(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(migration, "SLICE", 2)
    because(*["Recipient has it"] * 5)
    with CaptureQueriesContext(connection) as queries:
        carry_over()
    updates = [each["sql"] for each in queries if each["sql"].startswith("UPDATE")]
    assert len(updates) == 3
    assert all(sql.count(",") <= 2 for sql in updates)
    assert not migration.Migration.atomic


def test_nothing_changes_when_it_runs_again() -> None:
    because("Recipient has it")
    log("messaging.message", "Settled as sent: Recipient has it")
    carry_over()
    before: Any = [*Message.objects.values(), *LogEntry.objects.values()]
    carry_over()
    assert [*Message.objects.values(), *LogEntry.objects.values()] == before


def test_every_key_that_it_writes_is_known() -> None:
    reasons = (*migration.OUTCOMES, *migration.ORDER_OUTCOMES, *migration.FINDINGS)
    logged = {key for _, key, _ in migration.LOG}
    assert {*reasons, *migration.REVEALS, *logged} <= set(stored_texts.declared())
