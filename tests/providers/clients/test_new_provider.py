"""A new provider is one client file, one sandbox file and one table of payloads.

Each test adds the two example files to the folders in which the portal looks for them. Nothing
else in the portal knows of them. docs/developers/adding-a-provider.md explains them.
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
from tests.providers.admin.account_form_data import form_data
from tests.providers.callbacks.pushes import process_received, push_json
from tests.support.engine import run_engine, send

from . import test_declarations, test_odd_answers, test_odd_callbacks
from .fake_transport import Case, Failure, json_answer, open_client, raw_answer
from .samples import CALLS, MESSAGE, SAMPLES

HERE = Path(__file__).parent
SENT = {"id": "ex-1", "status": "queued"}


@pytest.fixture(autouse=True)
def client(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[type[Client]]:
    """The example client, found in its folder like any other client."""
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
    """An account created with the form that is derived from the client's declarations."""
    data = form_data(
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


# --- the payloads: answers, callbacks and their meaning --------------------

SEND_CASES = [
    Case("the documented answer", json_answer(SENT, 202), Submission("ex-1", "queued")),
    Case(
        "a bad key",
        json_answer({"error": "bad_key"}, 401),
        Failure(Refused, Reason.CREDENTIALS, "bad_key"),
    ),
    Case(
        "no credit",
        json_answer({"error": "no_credit"}, 402),
        Failure(Refused, Reason.NO_BALANCE, "no_credit"),
    ),
    Case(
        "an undocumented error",
        json_answer({"error": "odd"}, 422),
        Failure(Refused, Reason.OTHER_REFUSAL, "odd"),
    ),
    Case(
        "an error beside success",
        json_answer({"error": "odd"}, 200),
        Failure(OutcomeUnknown, Reason.UNREADABLE),
    ),
    Case(
        "success without an id",
        json_answer({"status": "queued"}, 202),
        Failure(OutcomeUnknown, Reason.UNREADABLE, "queued"),
    ),
    Case(
        "an error beside a request to slow down",
        json_answer({"error": "odd"}, 429),
        Failure(NotDone, Reason.RATE_LIMITED),
    ),
    Case(
        "success under a status that denies it",
        json_answer(SENT, 500),
        Failure(OutcomeUnknown, Reason.CONTRADICTION, "queued"),
    ),
    Case("no JSON", raw_answer("<html>", 502), Failure(OutcomeUnknown, Reason.PROVIDER_FAULT)),
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


@pytest.mark.parametrize("case", SEND_CASES, ids=lambda case: str(case.label))
def test_answer_to_sending_a_text(client: type[Client], case: Case) -> None:
    case.check(client, CALLS["send_text"])


def test_answer_with_a_balance(client: type[Client]) -> None:
    case = Case("the documented answer", json_answer({"balance": 12.5}), Balance(Decimal("12.5")))
    case.check(client, CALLS["fetch_balance"])


@pytest.mark.parametrize(("body", "event"), REPORTS)
def test_callback_is_parsed(client: Any, body: str, event: Event) -> None:
    assert client.parse_callback(CallbackRequest("POST", "", body.encode())) == (event,)


def test_message_without_a_sender_id_is_not_sent(client: type[Client]) -> None:
    opened, transport = open_client(client)
    with pytest.raises(CannotTake):
        opened.send_text(replace(MESSAGE, sender_id=""))
    assert transport.calls == []


# --- derived from the files alone ------------------------------------------

PAYLOADS = {"send_text": SENT, "fetch_balance": {"balance": 12.5}}
Check = Callable[[type[Client]], None]


def contract_tests_in(*modules: ModuleType) -> Iterator[Check]:
    """All contract tests that run for each client, or for each call of each client."""
    for module in modules:
        for test in vars(module).values():
            marks = getattr(test, "pytestmark", ())
            tables = [mark.args for mark in marks if mark.name == "parametrize"]
            names = [names for names, *_ in tables]
            if "client" in names:
                yield from (partial(test, **values) for values in parameter_sets(tables))
            elif ("client", "method") in names:
                for values in parameter_sets(tables):
                    yield from (partial(test, method=call, **values) for call in PAYLOADS)


def parameter_sets(tables: list[tuple[Any, ...]]) -> list[dict[str, Any]]:
    """The parameters of a test, apart from the client and its calls."""
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


CHECKS = list(contract_tests_in(test_declarations, test_odd_answers, test_odd_callbacks))


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: str(check.func.__name__))
def test_new_client_passes_the_contract_tests(
    client: type[Client], check: Check, monkeypatch: pytest.MonkeyPatch
) -> None:
    for method, payload in PAYLOADS.items():
        monkeypatch.setitem(SAMPLES, (client.key, method), json.dumps(payload))
    check(client)


def test_contract_tests_are_found() -> None:
    tested = {check.func.__module__ for check in CHECKS if isinstance(check, partial)}
    assert len(tested) == 3
    assert len(CHECKS) > 50


@pytest.mark.django_db
def test_no_migration_is_needed() -> None:
    call_command("makemigrations", check=True, dry_run=True, verbosity=0)


@pytest.mark.django_db(transaction=True)
def test_message_is_sent_and_its_report_processed(account: Account, sandbox: Sandbox) -> None:
    message = send(make_message(account, sender_id="ACME"))

    assert message.state == MessageState.SUBMITTED
    (entry,) = sandbox.book.entries(provider="examplesms")
    assert (entry.reference, entry.message_id) == (message.reference, message.provider_id)

    push_json(account, {"id": message.provider_id, "ref": message.reference, "status": "arrived"})
    process_received()
    message.refresh_from_db()
    assert message.state == MessageState.DELIVERED


@pytest.mark.django_db(transaction=True)
def test_refused_login_pauses_the_account(account: Account, sandbox: Sandbox) -> None:
    sandbox.providers["examplesms"].accounts.clear()
    message = make_message(account, sender_id="ACME")
    run_engine(lambda: Message.objects.filter(pk=message.pk, state=MessageState.REFUSED).exists())

    account.refresh_from_db()
    assert account.pause_reason == Reason.CREDENTIALS
