"""The declarations of every client, and the requests that it may send."""

from __future__ import annotations

import inspect
import re
from collections.abc import Mapping

import pytest

from core.secrets import Secret
from providers.gateway import client as contract
from providers.gateway.call import Effect, Operation, Request
from providers.gateway.client import (
    Client,
    CredentialField,
    OptionField,
    OptionKind,
    ReceivesCallbacks,
    RentsNumbers,
)
from providers.gateway.registry import client_for, clients

from .fake_transport import credential_of, open_client, raw_answer
from .samples import CALLBACK_URL, CALLS, CODE, CONFIRMED, PAID, RECIPIENT, SAMPLES, TEXT

for_every_client = pytest.mark.parametrize("client", clients().values(), ids=clients())
CLIENT_CALLS = [
    (client, method) for client in clients().values() for method in CALLS if hasattr(client, method)
]
for_every_call = pytest.mark.parametrize(
    ("client", "method"),
    CLIENT_CALLS,
    ids=[f"{client.key}-{method}" for client, method in CLIENT_CALLS],
)
OFFLINE = {"sender_ids", "channels", "check_own_code", "parse_callback"}


def request_of(client: type[Client], method: str) -> tuple[Operation, Request]:
    opened, transport = open_client(client, raw_answer(SAMPLES[client.key, method]))
    CALLS[method](opened)
    ((operation, request),) = transport.calls
    return operation, request


def fields_of(request: Request) -> Mapping[str, object]:
    return {**request.query, **(request.form or {}), **(request.json or {})}


def test_the_four_providers_are_found() -> None:
    assert list(clients()) == ["gosms", "haorui", "haosms", "otpservice"]
    assert [client.name for client in clients().values()] == [
        "GoSMS",
        "HAORUI",
        "HaoSMS",
        "OTP Service",
    ]


def test_unknown_key_has_no_client() -> None:
    assert client_for("gone") is None


def test_every_capability_method_has_a_sample_call() -> None:
    capabilities = [
        value
        for value in vars(contract).values()
        if inspect.isclass(value) and issubclass(value, Client) and value is not Client
    ]
    abstract = set().union(*(value.__abstractmethods__ for value in capabilities))
    assert abstract - OFFLINE == set(CALLS)


@for_every_client
def test_client_declares_its_identity(client: type[Client]) -> None:
    assert re.fullmatch(r"[a-z0-9]{2,20}", client.key)
    assert client.name
    assert client.summary
    assert client.base_url_help
    assert client.default_base_url == "" or client.default_base_url.startswith("https://")
    assert not client.default_base_url.endswith("/")


@for_every_client
def test_form_fields_have_labels_and_help(client: type[Client]) -> None:
    assert client.credential_fields
    shown: list[CredentialField | OptionField] = [*client.credential_fields, *client.option_fields]
    assert len({field.name for field in shown}) == len(shown)
    for field in shown:
        assert re.fullmatch(r"[a-z_]+", field.name)
        assert field.label.strip()
        assert field.help.strip()


@for_every_client
def test_options_have_valid_defaults(client: type[Client]) -> None:
    for field in client.option_fields:
        values = [value for value, _ in field.choices]
        assert bool(values) == (field.kind is OptionKind.CHOICE)
        assert not values or field.default in values
        assert isinstance(field.default, bool) == (field.kind is OptionKind.FLAG)
        assert all(label for _, label in field.choices)


@for_every_client
def test_callbacks_are_received_if_and_only_if_delivery_is_reported(client: type[Client]) -> None:
    assert client.reports_delivery == issubclass(client, ReceivesCallbacks)
    if issubclass(client, ReceivesCallbacks):
        assert client.callback_methods
        assert client.callback_methods <= {"GET", "POST"}


@for_every_client
def test_default_rate_limits_are_consistent(client: type[Client]) -> None:
    assert client.pace.per_second >= 1
    assert client.pace.per_minute >= client.pace.per_second
    assert client.pace.in_flight >= 1


@for_every_client
def test_documented_projects_and_regions_have_code_and_name(client: type[Client]) -> None:
    if issubclass(client, RentsNumbers):
        for offer in (*client.documented_projects, *client.documented_regions):
            assert offer.code
            assert offer.name
        assert all(re.fullmatch("[A-Z]{2}", row.code) for row in client.documented_regions)


@for_every_call
def test_operation_has_the_name_and_effect_of_its_method(client: type[Client], method: str) -> None:
    operation, _ = request_of(client, method)
    assert operation.name == method
    if method in PAID:
        assert operation.effect is Effect.PAID
    elif method in CONFIRMED:
        assert operation.effect is Effect.CONFIRMED
    else:
        assert operation.effect is Effect.READ


@for_every_call
def test_request_path_is_plain_and_has_no_query(client: type[Client], method: str) -> None:
    _, request = request_of(client, method)
    assert request.method in ("GET", "POST")
    assert re.fullmatch(r"(/[A-Za-z0-9_]+)+", request.path)
    assert request.form is None or request.json is None


@for_every_call
def test_sent_credentials_are_hidden(client: type[Client], method: str) -> None:
    operation, request = request_of(client, method)
    logins = {credential_of(field.name) for field in client.credential_fields}
    sent = {name for name, value in fields_of(request).items() if value in logins}
    assert sent <= operation.hidden
    assert sent or request.headers == {"Authorization": f"Bearer {credential_of('api_key')}"}


@for_every_call
def test_codes_texts_and_callback_urls_are_hidden_and_numbers_masked(
    client: type[Client], method: str
) -> None:
    operation, request = request_of(client, method)
    for name, value in fields_of(request).items():
        if value in (CODE, TEXT, CALLBACK_URL):
            assert name in operation.hidden
            assert value in request.secrets
        if RECIPIENT[-8:] in str(value):
            assert name in operation.masked


@for_every_call
def test_repr_contains_no_secret(client: type[Client], method: str) -> None:
    opened, transport = open_client(client, raw_answer(SAMPLES[client.key, method]))
    result = CALLS[method](opened)
    shown = f"{opened!r} {opened.login!r} {transport.calls[0][1]!r} {result!r}"
    secrets = [credential_of(field.name) for field in client.credential_fields]
    for secret in (*secrets, CODE, TEXT, "tokentokentokentoken", "'123456'"):
        assert secret not in shown


@for_every_client
def test_credentials_are_not_decrypted_before_a_call(client: type[Client]) -> None:
    def unreadable() -> str:
        raise AssertionError("read too early")

    sealed = {field.name: Secret(unreadable) for field in client.credential_fields}
    opened, _ = open_client(client)
    type(opened)(type(opened.login)("https://provider.example", sealed), opened.transport)
