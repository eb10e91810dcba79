"""A transport without a network: it records requests and returns prepared answers."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

import pytest

from core.secrets import Secret
from providers.gateway.call import Answer, Login, Operation, Request
from providers.gateway.client import Client, OptionKind
from providers.gateway.errors import GatewayError
from providers.gateway.vocabulary import Reason

T = TypeVar("T")


class FakeTransport:
    """Returns one prepared answer per call. Errors of `parse` pass unchanged."""

    def __init__(self, *answers: Answer) -> None:
        self.answers = list(answers)
        self.calls: list[tuple[Operation, Request]] = []

    def call(self, operation: Operation, request: Request, parse: Callable[[Answer], T]) -> T:
        self.calls.append((operation, request))
        return parse(self.answers.pop(0))


def raw_answer(body: bytes | str, status: int = 200, **headers: str) -> Answer:
    content = body.encode("utf-8", "surrogatepass") if isinstance(body, str) else body
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Answer(status, named, content)


def json_answer(payload: object, status: int = 200, **headers: str) -> Answer:
    return raw_answer(json.dumps(payload), status, **headers)


def credential_of(name: str) -> str:
    """A fake secret: long and unlike anything else."""
    return f"s3cret-{name}-7Qz"


def options_of(client: type[Client], **options: object) -> dict[str, object]:
    """The options of an account: the defaults, and one line for each `LINES` option."""
    given: dict[str, object] = {
        field.name: ["one"] if field.kind is OptionKind.LINES else field.default
        for field in client.option_fields
    }
    return {**given, **options}


def open_client(
    client: type[Client], *answers: Answer, **options: object
) -> tuple[Any, FakeTransport]:
    transport = FakeTransport(*answers)
    login = Login(
        base_url="https://provider.example",
        credentials={
            field.name: Secret(credential_of(field.name)) for field in client.credential_fields
        },
        options=options_of(client, **options),
    )
    return client(login, transport), transport


@dataclass(frozen=True)
class Failure:
    kind: type[GatewayError]
    reason: Reason
    words: str = ""


@dataclass(frozen=True)
class Case:
    """A provider's answer, and the expected result or failure."""

    label: str
    answer: Answer
    expected: object

    def check(
        self,
        client: type[Client],
        call: Callable[[Any], object],
        options: Mapping[str, object] | None = None,
    ) -> None:
        opened, transport = open_client(client, self.answer, **(options or {}))
        if isinstance(self.expected, Failure):
            with pytest.raises(self.expected.kind) as failed:
                call(opened)
            assert failed.value.reason is self.expected.reason
            assert failed.value.words == self.expected.words
            assert failed.value.http_status == self.answer.status
        else:
            assert call(opened) == self.expected
        assert len(transport.calls) == 1


def parametrize_cases(cases: list[Case]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("case", cases, ids=lambda case: str(case.label))
