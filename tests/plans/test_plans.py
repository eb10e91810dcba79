"""No page, fragment or sweep reads or sorts a whole large table, on both databases."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import timedelta
from typing import Any, Final

import pytest
from django.contrib.auth.models import User
from django.core.cache import cache
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoDbBlocker

from core.admin.export_jobs.slices import write_slice
from core.models import ExportJob
from core.phones.tokens import token_of
from messaging.models import Batch, Message
from messaging.presentation.labels import LABELS as MESSAGE_STATES
from otp.presentation.labels import LABELS as SESSION_STATES
from providers.models import Account, DailyLimit
from rentals.presentation.labels import LABELS as ORDER_STATES
from smsportal.caps.effect import effect_of
from tests.plans.explain import captured, faults_of, prepare
from tests.plans.rows import make_rows
from tests.support.module_rows import undone_after_module

pytestmark = pytest.mark.django_db

USUAL: Final = ("delivered", "verified", "expired")
"""The states that nearly all rows have here."""
OF_A_NUMBER: Final = ("message_by_recipient", "session_by_recipient", "order_by_phone")
"""Rows of one number may be sorted."""
NOT_DELIVERED: Final = ["undelivered", "expired", "rejected", "refused", "not_sent"]
DAY: Final = {"created_at_from_0": "{today}", "created_at_to_0": "{today}"}
MONTH: Final = {"created_at_from_0": "{month}", "created_at_to_0": "{today}"}


@pytest.fixture(scope="module")
def made_rows(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[int]:
    with undone_after_module(django_db_blocker):
        account = make_rows()
        prepare()
        yield account.pk


@pytest.fixture
def rare(made_rows: int, db: None) -> Account:
    return Account.objects.get(pk=made_rows)


@pytest.fixture
def boss(client: Client) -> Client:
    client.force_login(User.objects.create_superuser("boss"))
    return client


def check(
    boss: Client,
    rare: Account,
    address: str,
    queries: Sequence[Mapping[str, Any]],
    few: Collection[str] = (),
) -> None:
    """Open the list with each of these queries, and report all bad plans at once."""
    today = timezone.localdate()
    sender = Message.objects.exclude(created_by=None).get().created_by_id
    names = {
        "today": today.isoformat(),
        "month": (today - timedelta(days=30)).isoformat(),
        "rare": str(rare.pk),
        "rare_id": rare.public_id,
        "sender": str(sender),
        "batch": Batch.objects.get().public_id,
        "reference": Message.objects.latest("pk").reference,
    }
    faults = []
    for query in queries:
        filled = {
            name: [one.format(**names) for one in value]
            if isinstance(value, list)
            else str(value).format(**names)
            for name, value in query.items()
        }
        cache.clear()
        with captured() as asked:
            answer = boss.get(address, filled)
        assert answer.status_code in (200, 302), (address, query)
        faults += [f"{address} {query}\n  {fault}" for fault in faults_of(asked, few)]
    assert not faults, "\n\n".join(faults)


def each(name: str, values: Any) -> list[Mapping[str, Any]]:
    """A query for each value that few rows have: PostgreSQL rightly reads the others by time."""
    return [{name: str(value)} for value in values if value not in USUAL]


def test_messages(boss: Client, rare: Account) -> None:
    account, state = {"account__id__exact": "{rare}"}, {"shown": "unknown"}
    queries: list[Mapping[str, Any]] = [
        {},
        {"period": "all"},
        {"period": "30"},
        {"period": "all", "p": "3"},
        {"o": "7"},
        {"o": "-7"},
        {"o": "1"},
        *each("shown", MESSAGE_STATES),
        {"shown": ["unknown", "held"]},
        {"shown": ["queued", "sending", "scheduled"]},
        {"shown": NOT_DELIVERED},
        account,
        {"kind__exact": "provider_code"},
        {"created_by__id__exact": "{sender}"},
        {"country": "ID"},
        {"reason": "timeout"},
        {"reason": ["timeout", "refused"]},
        {"conflict": "1"},
        {**account, **state},
        {**account, **DAY},
        {**state, **MONTH},
        {"created_by__id__exact": "{sender}", **DAY},
        {"q": "081234567890"},
        {"q": "+62 812 3456 7890"},
        {"q": "{reference}"},
        {"q": "odd"},
        {"q": "parcel"},
        {"batch": "{batch}"},
        {"batch": "{batch}", "o": "7"},
    ]
    check(boss, rare, "/messaging/message/", queries)


def test_changes_of_messages(boss: Client, rare: Account) -> None:
    newest = Message.objects.order_by("-created_at").first()
    assert newest is not None
    boss.defaults["HTTP_X_ROWS"] = newest.public_id
    queries = [{}, {"period": "all"}, {"shown": "unknown"}, {"account__id__exact": "{rare}"}]
    check(boss, rare, "/messaging/message/changes/", queries)


def test_codes(boss: Client, rare: Account) -> None:
    account = {"account__id__exact": "{rare}"}
    queries: list[Mapping[str, Any]] = [
        {},
        {"period": "all"},
        {"period": "all", "p": "3"},
        {"o": "1"},
        {"o": "7"},
        {"o": "8"},
        *each("shown", SESSION_STATES),
        account,
        {"country": "ID"},
        {"created_by__id__exact": "{sender}"},
        {**account, "shown": "failed"},
        {**account, **DAY},
        {"shown": "failed", **MONTH},
        {"created_by__id__exact": "{sender}", **DAY},
        {"q": "+62 812 3456 7890"},
        {"q": "{reference}"},
        {"q": "odd"},
        *each("sms", MESSAGE_STATES),
    ]
    check(boss, rare, "/otp/session/", queries)
    check(boss, rare, "/otp/session/changes/", [{}, {"shown": "failed"}])


def test_orders(boss: Client, rare: Account) -> None:
    account = {"account__id__exact": "{rare}"}
    queries: list[Mapping[str, Any]] = [
        {},
        {"p": "3"},
        {"o": "1"},
        {"o": "7"},
        {"o": "8"},
        *each("shown", [state for state in ORDER_STATES if state not in ("claimed",)]),
        account,
        {"project": "odd"},
        {"region": "VN"},
        {"held_by__id__exact": "{sender}"},
        {"ending": "soon"},
        {**account, "shown": "unknown"},
        {**account, **DAY},
        {"q": "+62 812 3456 7890"},
        {"q": "odd"},
    ]
    check(boss, rare, "/rentals/order/", queries)
    check(boss, rare, "/rentals/order/board/", [{"scope": "team"}])
    # The index holds open orders only.
    check(boss, rare, "/rentals/order/board/changes/", [{}], ("order_open",))


def test_transactions(boss: Client, rare: Account) -> None:
    queries: list[Mapping[str, Any]] = [
        {},
        {"p": "3"},
        {"o": "0"},
        {"type": "Odd"},
        {"account__id__exact": "{rare}"},
        {"q": "order7"},
    ]
    check(boss, rare, "/rentals/transaction/", queries)


def test_calls(boss: Client, rare: Account) -> None:
    queries: list[Mapping[str, Any]] = [
        {},
        {"p": "3"},
        {"o": "0"},
        {"account": "{rare_id}"},
        {"operation": "send_code"},
        {"outcome": "refused"},
        {"status": "429"},
        {"status": "4"},
        {"status": "3"},
        {"status": "none"},
        {"q": "message:7"},
        {"q": "{reference}"},
        {"q": "nothing"},
    ]
    check(boss, rare, "/providers/apicall/", queries)


def test_callbacks(boss: Client, rare: Account) -> None:
    queries: list[Mapping[str, Any]] = [
        {},
        {"p": "3"},
        {"state": "unmatched"},
        {"account": "{rare_id}"},
        {"says": "rejected"},
        {"problem": "no_match"},
        {"q": "odd"},
    ]
    check(boss, rare, "/providers/callback/", queries)


def test_overviews(boss: Client, rare: Account) -> None:
    check(boss, rare, "/", [{}])
    check(boss, rare, "/providers/account/", [{}])


def test_search_and_page_of_a_number(boss: Client, rare: Account) -> None:
    faults = []
    for typed in ("+62 812 3456 7890", "odd", "parcel", Message.objects.latest("pk").reference):
        with captured() as asked:
            assert boss.post("/search/", {"s": typed}).status_code == 200
        faults += faults_of(asked, OF_A_NUMBER)
    assert not faults, "\n\n".join(faults)
    check(boss, rare, f"/number/{token_of('+6281234567890')}/", [{}], OF_A_NUMBER)


@pytest.mark.parametrize(
    "address",
    [
        "/messaging/message/export/",
        "/otp/session/export/",
        "/rentals/order/export/",
        "/rentals/transaction/export/",
    ],
)
@pytest.mark.parametrize("filters", [{}, {"account__id__exact": "{rare}"}])
def test_export_reads_its_rows_in_the_order_of_an_index(
    boss: Client, rare: Account, address: str, filters: Mapping[str, str]
) -> None:
    filled = {name: value.format(rare=rare.pk) for name, value in filters.items()}
    with captured() as asked:
        answer: Any = boss.get(address, {"format": "csv", **filled})
        assert answer.status_code == 200
        if answer.streaming:
            list(answer.streaming_content)
        else:
            # There are so many rows that the export is a job.
            boss.post(address, query_params={"format": "csv", **filled})
            write_slice()
            assert ExportJob.objects.get().rows
    # An export reads all rows that the filters show.
    sorts = [fault for fault in faults_of(asked) if "TEMP B-TREE" in fault or "Sort by" in fault]
    assert not sorts, "\n\n".join(sorts)


def test_effect_of_a_cap(rare: Account) -> None:
    person = Message.objects.exclude(created_by=None).get().created_by
    own: list[dict[str, Any]] = [
        {"scope": "number", "key": "+6281234567890"},
        {"scope": "country", "key": "ID"},
        {"scope": "account", "key": str(rare.pk)},
        {"user": person},
        *({"scope": scope, "key": "*"} for scope in ("number", "prefix", "country", "user")),
    ]
    with captured() as asked:
        for subject in own:
            for what in ("messages", "codes", "orders", "all"):
                effect_of(DailyLimit(**subject, what=what, window="day", most=1))
    assert not (faults := faults_of(asked)), "\n\n".join(faults)
