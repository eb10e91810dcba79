"""After a busy day, the database holds no text of the catalogue, and history is in Chinese."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import suppress
from typing import Any, Final

import polib
import pytest
from django.apps import apps
from django.contrib.admin.models import LogEntry
from django.db.models import CharField, JSONField, Model, TextField
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from core.stored_texts import is_known
from messaging.models import Batch, DoNotSend, Message
from otp.models import Session
from providers.hold.begin import begin
from providers.hold.decisions import Decision, decide, held_groups
from providers.models import Account, Hold
from rentals.models import Finding, Order
from smsportal.configuration.environment import BASE_DIR
from tests.factories.accounts import make_account
from tests.factories.batches import make_batch
from tests.factories.codes import make_session
from tests.factories.messages import make_message
from tests.factories.orders import change, make_order, make_rented
from tests.factories.staff import make_staff, make_user

pytestmark = pytest.mark.django_db
CATALOGUE: Final = polib.pofile(str(BASE_DIR / "locale/zh_Hans/LC_MESSAGES/django.po"))
CHINESE: Final = {"accept-language": "zh-hans"}
OURS: Final = (
    "alerts",
    "audit",
    "core",
    "figures",
    "lookup",
    "messaging",
    "otp",
    "privacy",
    "providers",
    "rentals",
    "admin",
)
WORDS: Final = 2
"""Words from which a text counts as a sentence. A single word may be a key or a name."""


def patterns() -> list[re.Pattern[str]]:
    """Every text of the catalogue in both languages, whatever its values are."""
    texts = {text for entry in CATALOGUE for text in (entry.msgid, entry.msgstr)}
    parts = [re.split(r"%\(\w+\)[sd]", text) for text in texts if is_sentence(text)]
    return [re.compile(".+?".join(map(re.escape, each)), re.DOTALL) for each in parts]


def is_sentence(text: str) -> bool:
    """Whether the text says something of its own, beside its values."""
    own = re.sub(r"%\(\w+\)[sd]", " ", text)
    words = [word for word in own.split() if re.search("[A-Za-z]{2}", word)]
    return len(words) >= WORDS or bool(re.search(r"[\u3400-\u9fff]{2}", own))


def stored_strings() -> Iterator[tuple[str, str]]:
    """Each string of each row, also inside JSON, with the name of its column."""
    for model in apps.get_models():
        if model._meta.app_label not in OURS:
            continue
        for field in model._meta.concrete_fields:
            if isinstance(field, CharField | TextField | JSONField) and not field.primary_key:
                name = f"{model._meta.label}.{field.name}"
                for value in model._default_manager.values_list(field.name, flat=True):
                    yield from ((name, text) for text in strings_in(value))


def strings_in(value: Any) -> Iterator[str]:
    if isinstance(value, str) and value.startswith("{"):
        with suppress(ValueError):
            value = json.loads(value)
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list):
        for each in value:
            yield from strings_in(each)
    elif isinstance(value, str) and value:
        yield value


def url(obj: Model, page: str) -> str:
    name = f"admin:{obj._meta.app_label}_{obj._meta.model_name}_{page}"
    return reverse(name, args=[obj.public_id])  # type: ignore[attr-defined]


@pytest.fixture
def browser() -> Client:
    client = Client(headers=CHINESE)
    client.force_login(make_user(is_superuser=True, first_name="伟", last_name="李"))
    return client


@pytest.fixture
def busy_day(browser: Client) -> list[Model]:
    """Acts of every kind, with reasons to choose, by staff who read Chinese."""
    return [
        *messages(browser),
        *batches(browser),
        *codes(browser),
        *orders(browser),
        *accounts(browser),
    ]


def act(browser: Client, obj: Model, page: str, **form: Any) -> None:
    answer = browser.post(url(obj, page), form)
    assert answer.status_code in (200, 302), (obj, page, answer.status_code)


def messages(browser: Client) -> list[Model]:
    sent, not_sent, waiting, held = (
        make_message(state=state) for state in ("unknown", "unknown", "queued", "held")
    )
    act(browser, sent, "settle", outcome="sent", reason="has")
    act(browser, not_sent, "settle", outcome="not_sent", reason="console")
    act(browser, not_sent, "again", form_token="again")
    act(browser, waiting, "reveal", reason="complaint")
    act(browser, waiting, "cancel")
    act(browser, held, "release")
    bulk = [make_message(state="unknown").pk, make_message(state="unknown").pk]
    form = {"action": "mark_sent", "_selected_action": bulk, "confirmed": "yes", "reason": "has"}
    browser.post(reverse("admin:messaging_message_changelist"), form)
    list(browser.get(reverse("admin:messaging_message_export"), {"shown": "unknown"}))
    add = {"numbers": "+8613900000009", "because": "asked"}
    browser.post(reverse("admin:messaging_donotsend_add_numbers"), add)
    listed = DoNotSend.objects.get()
    act(browser, listed, "remove", because="asked again")
    return [sent, not_sent, waiting, held, *Message.objects.filter(pk__in=bulk), listed]


def batches(browser: Client) -> list[Model]:
    batch = make_batch("13900000001\n13900000002\nnonsense\n", make_account("haorui"))
    seen = browser.get(url(batch, "confirm")).context["seen"]
    act(browser, batch, "confirm", when="now", seen=seen)
    act(browser, batch, "pause")
    act(browser, batch, "continue")
    act(browser, batch, "cancel")
    list(browser.get(url(batch, "report")))
    return [batch]


def codes(browser: Client) -> list[Model]:
    session = make_session(make_account("haosms"))
    act(browser, session, "reveal", reason="check")
    act(browser, session, "cancel")
    list(browser.get(reverse("admin:otp_session_export")))
    return [session]


def orders(browser: Client) -> list[Model]:
    account = make_account("gosms")
    lost = change(make_order(account), state="unknown")
    rented, waiting = make_rented(account), make_order(account)
    act(browser, lost, "settle", outcome="not_made", reason="nothing")
    act(browser, rented, "hand", to=make_staff("manager").pk)
    act(browser, rented, "reveal", reason="provider")
    act(browser, rented, "cancel", then_rent="yes")
    act(browser, waiting, "cancel")
    for page in ("order", "transaction"):
        list(browser.get(reverse(f"admin:rentals_{page}_export")))
    kind = Finding.Kind.UNKNOWN_TYPE
    finding = Finding.objects.create(account=account, kind=kind, about="x")
    act(browser, finding, "explain", reason="later")
    return [lost, rented, waiting, finding]


def accounts(browser: Client) -> list[Model]:
    account = make_account("haorui")
    act(browser, account, "pause", reason="stock-taking")
    act(browser, account, "resume")
    act(browser, account, "new_address")
    return [account]


def decide_about_a_hold() -> None:
    """Begin a hold, extend it, and decide half of it."""
    make_message(state="queued")
    make_session(make_account("haosms"))
    make_order(make_account("gosms"))
    hold = begin(Hold.Cause.BY_HAND, {"at": timezone.now().isoformat()}, reason="drill")
    assert hold
    make_message(state="queued")
    begin(Hold.Cause.GAP, {})
    for group in held_groups(hold)[:2]:
        decide(hold, [Decision(group.key, send=False)], by=make_user(), reason="too old")


def test_no_row_holds_a_text_of_the_catalogue(busy_day: list[Model], browser: Client) -> None:
    decide_about_a_hold()
    list(browser.get(reverse("admin:hold_export")))
    found = patterns()
    values = set(stored_strings())
    assert len(values) > 200
    stored = {
        (column, text)
        for column, text in values
        for pattern in found
        if column not in GIVEN and pattern.fullmatch(text)
    }
    assert stored == set()


GIVEN: Final = {
    "messaging.Message.text": "what staff send",
    "otp.Session.text": "what staff send",
    "rentals.Region.remark": "a remark of the documents, which staff edit; translated when shown",
}
"""Columns of words that are not the portal's own."""


def test_all_acts_are_logged_as_known_keys(busy_day: list[Model]) -> None:
    texts = list(LogEntry.objects.values_list("change_message", flat=True))
    assert [text for text in texts if not is_known(text)] == []
    keys = {json.loads(text)["key"] for text in texts}
    assert len(keys) > 25


def test_history_and_timelines_are_in_chinese(busy_day: list[Model], browser: Client) -> None:
    english = [
        *(entry.msgid for entry in CATALOGUE if entry.msgid != entry.msgstr),
    ]
    sentences = [text for text in english if len(text.split()) > WORDS and "%" not in text]
    for obj in busy_day:
        for page in ("change", "history"):
            shown = browser.get(url(obj, page)).content.decode()
            text = re.sub(r"<(script|style).*?</\1>|<[^>]+>", " ", shown, flags=re.DOTALL)
            assert [one for one in sentences if one in text] == [], (obj, page)
            assert '"key"' not in text
            assert "{&quot;" not in text, (obj, page)
    models = {type(obj) for obj in busy_day}
    assert models == {Message, Batch, DoNotSend, Session, Order, Finding, Account}
