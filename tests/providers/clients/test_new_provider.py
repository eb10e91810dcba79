"""A new provider is one client file, one sandbox file and one table of payloads.

Each test drops the two example files into the folders in which the portal looks for them.
Nothing else in the portal knows of them. docs/adding-a-provider.md explains them.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from decimal import Decimal
from functools import partial
from itertools import product
from pathlib import Path
from shutil import copy
from types import ModuleType
from typing import Any

import pytest
from django.core.management import call_command

import providers.clients as client_package
import sandbox as sandbox_package
from messaging.models import Message
from messaging.states import MessageState
from providers.admin.account_forms import AccountForm
from providers.gateway.client import CannotTake, Client
from providers.gateway.errors import NotDone, OutcomeUnknown, Refused
from providers.gateway.events import CallbackRequest, DeliveryReported, Event, Unrecognised
from providers.gateway.registry import clients
from providers.gateway.vocabulary import Balance, DeliveryState, Reason, Submission
from providers.models import Account
from sandbox.server import Sandbox
from tests.factories.messages import make_message
from tests.providers.admin.typed_forms import typed
from tests.providers.callbacks.pushes import digest_all, push_json
from tests.support.engine import run_engine, send

from . import test_declarations, test_odd_answers, test_odd_callbacks
from .fake_transport import Case, Failure, open_client, raw, said
from .samples import CALLS, MESSAGE, SAMPLES

HERE = Path(__file__).parent
SENT = {"id": "ex-1", "status": "queued"}


@pytest.fixture(autouse=True)
def client(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[type[Client]]:
    """The client, found as every other is: by the folder in which its file lies."""
    for package, source in (
        (client_package, "example_client.py"),
        (sandbox_package, "example_sandbox.py"),
    ):
        folder = tmp_path / package.__name__
        folder.mkdir()
        copy(HERE / source, folder / "examplesms.py")
        monkeypatch.setattr(package, "__path__", [*package.__path__, str(folder)])
    clients.cache_clear()
    yield clients()["examplesms"]
    monkeypatch.undo()
    clients.cache_clear()


@pytest.fixture
def sandbox(client: type[Client]) -> Iterator[Sandbox]:
    with Sandbox() as running:
        yield running


@pytest.fixture
def account(client: type[Client], sandbox: Sandbox) -> Account:
    """Made by the account form that follows from the declaration."""
    data = typed(
        client.key,
        base_url=sandbox.base_url(client.key),
        secret_api_key="ex_practice_key",
        option_sender_ids="ACME",
    )
    form = AccountForm(data, client=client)
    assert form.is_valid(), form.errors
    made = form.save()
    assert made is not None
    return made


# --- the payloads: what it answers, and what is made of it -----------------

SENDING = [
    Case("the documented answer", said(SENT, 202), Submission("ex-1", "queued")),
    Case(
        "a bad key",
        said({"error": "bad_key"}, 401),
        Failure(Refused, Reason.CREDENTIALS, "bad_key"),
    ),
    Case(
        "no credit",
        said({"error": "no_credit"}, 402),
        Failure(Refused, Reason.NO_BALANCE, "no_credit"),
    ),
    Case(
        "an undocumented error",
        said({"error": "odd"}, 422),
        Failure(Refused, Reason.OTHER_REFUSAL, "odd"),
    ),
    Case(
        "an error beside success",
        said({"error": "odd"}, 200),
        Failure(OutcomeUnknown, Reason.UNREADABLE),
    ),
    Case(
        "success without an id",
        said({"status": "queued"}, 202),
        Failure(OutcomeUnknown, Reason.UNREADABLE, "queued"),
    ),
    Case(
        "an error beside a request to slow down",
        said({"error": "odd"}, 429),
        Failure(NotDone, Reason.RATE_LIMITED),
    ),
    Case(
        "success under a status that denies it",
        said(SENT, 500),
        Failure(OutcomeUnknown, Reason.CONTRADICTION, "queued"),
    ),
    Case("no JSON", raw("<html>", 502), Failure(OutcomeUnknown, Reason.PROVIDER_FAULT)),
]
REPORTS: list[tuple[str, Event]] = [
    (
        '{"id": "ex-1", "ref": "r", "status": "arrived"}',
        DeliveryReported("r", "ex-1", "arrived", state=DeliveryState.DELIVERED),
    ),
    (
        '{"id": "ex-1", "ref": "r", "status": "odd"}',
        Unrecognised("r", "ex-1", "odd", problem="unknown_word"),
    ),
    ('{"status": "arrived"}', Unrecognised("", "", "arrived", problem="incomplete")),
    ("no JSON", Unrecognised("", "", "", problem="unreadable")),
    ("", Unrecognised("", "", "", problem="empty")),
]


@pytest.mark.parametrize("case", SENDING, ids=lambda case: str(case.label))
def test_an_answer_to_sending(client: type[Client], case: Case) -> None:
    case.check(client, CALLS["send_text"])


def test_an_answer_to_the_balance(client: type[Client]) -> None:
    case = Case("the documented answer", said({"balance": 12.5}), Balance(Decimal("12.5")))
    case.check(client, CALLS["fetch_balance"])


@pytest.mark.parametrize(("body", "event"), REPORTS)
def test_a_report(client: Any, body: str, event: Event) -> None:
    assert client.understand_callback(CallbackRequest("POST", "", body.encode())) == (event,)


def test_a_message_without_a_sender_id_is_not_sent(client: type[Client]) -> None:
    opened, transport = open_client(client)
    with pytest.raises(CannotTake):
        opened.send_text(replace(MESSAGE, sender_id=""))
    assert transport.calls == []


# --- what follows from the files alone -------------------------------------

PAYLOADS = {"send_text": SENT, "fetch_balance": {"balance": 12.5}}
Check = Callable[[type[Client]], None]


def checks_of(*modules: ModuleType) -> Iterator[Check]:
    """Every contract test that runs for each client, or for each call of each client."""
    for module in modules:
        for test in vars(module).values():
            marks = getattr(test, "pytestmark", ())
            tables = [mark.args for mark in marks if mark.name == "parametrize"]
            names = [names for names, *_ in tables]
            if "client" in names:
                yield from (partial(test, **values) for values in rows_of(tables))
            elif ("client", "method") in names:
                for values in rows_of(tables):
                    yield from (partial(test, method=call, **values) for call in PAYLOADS)


def rows_of(tables: list[tuple[Any, ...]]) -> list[dict[str, Any]]:
    """The values that a test is parametrized with, besides the client and its calls."""
    rows: list[dict[str, Any]] = [{}]
    for names, values in tables:
        if "client" in names:
            continue
        columns = (names,) if isinstance(names, str) else names
        cells = [(value,) if isinstance(names, str) else value for value in values]
        rows = [
            {**row, **dict(zip(columns, cell, strict=True))} for row, cell in product(rows, cells)
        ]
    return rows


CHECKS = list(checks_of(test_declarations, test_odd_answers, test_odd_callbacks))


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: str(check.func.__name__))
def test_the_contract_of_every_client_holds(
    client: type[Client], check: Check, monkeypatch: pytest.MonkeyPatch
) -> None:
    for method, payload in PAYLOADS.items():
        monkeypatch.setitem(SAMPLES, (client.key, method), json.dumps(payload))
    check(client)


def test_the_contract_is_not_empty() -> None:
    tested = {check.func.__module__ for check in CHECKS if isinstance(check, partial)}
    assert len(tested) == 3
    assert len(CHECKS) > 50


@pytest.mark.django_db
def test_no_migration_is_needed() -> None:
    call_command("makemigrations", check=True, dry_run=True, verbosity=0)


@pytest.mark.django_db(transaction=True)
def test_a_message_goes_out_and_its_report_comes_in(account: Account, sandbox: Sandbox) -> None:
    message = send(make_message(account, sender_id="ACME"))

    assert message.state == MessageState.SUBMITTED
    (entry,) = sandbox.book.entries(provider="examplesms")
    assert (entry.reference, entry.message_id) == (message.reference, message.provider_id)

    push_json(account, {"id": message.provider_id, "ref": message.reference, "status": "arrived"})
    digest_all()
    message.refresh_from_db()
    assert message.state == MessageState.DELIVERED


@pytest.mark.django_db(transaction=True)
def test_a_refused_login_pauses_the_account(account: Account, sandbox: Sandbox) -> None:
    sandbox.providers["examplesms"].accounts.clear()
    message = make_message(account, sender_id="ACME")
    run_engine(lambda: Message.objects.filter(pk=message.pk, state=MessageState.REFUSED).exists())

    account.refresh_from_db()
    assert account.pause_reason == Reason.CREDENTIALS
