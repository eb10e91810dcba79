"""An `HttpClient` with a limiter, a recorder and a clock that record their use."""

from __future__ import annotations

import ssl
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from core.secrets import Secret
from providers.gateway.answers import json_object, raise_for_status
from providers.gateway.call import Answer, CallRecord, Effect, Login, Operation, Request
from providers.gateway.http.client import AddressPolicy, Connections, Deadlines, HttpClient

from .raw_server import RawServer

PAID = Operation("send", Effect.PAID)
CONFIRMED = Operation("cancel", Effect.CONFIRMED)
READ = Operation("balance", Effect.READ)
POST = Request("POST", "/send", json={"number": 1})
GET = Request("GET", "/balance")
ANYWHERE = AddressPolicy(allow_http=True, allow_private=True)
SHORT = Deadlines(connect=0.5, read=0.25, total=0.5)


def parse(answer: Answer) -> Mapping[str, Any]:
    raise_for_status(answer)
    return json_object(answer)


@dataclass
class Limiter:
    waits: int = 0
    slowed: list[float] = field(default_factory=list)

    def wait(self, operation: Operation) -> None:
        self.waits += 1

    def slow_down(self, seconds: float) -> None:
        self.slowed.append(seconds)


@dataclass
class Recorder:
    records: list[CallRecord] = field(default_factory=list)

    def record(self, record: CallRecord) -> None:
        self.records.append(record)


class Caller:
    """An `HttpClient` and its collaborators."""

    def __init__(
        self,
        url: str,
        *,
        policy: AddressPolicy = ANYWHERE,
        deadlines: Deadlines = SHORT,
        credentials: Mapping[str, str | Callable[[], str]] | None = None,
        ca_bundle: str | None = None,
    ) -> None:
        self.limiter = Limiter()
        self.recorder = Recorder()
        self.sleeps: list[float] = []
        self.connections = Connections(policy, deadlines, ca_bundle=ca_bundle)
        secrets = {name: Secret(value) for name, value in (credentials or {}).items()}
        self.http_client = HttpClient(
            self.connections,
            Login(url, secrets),
            subject="message:42",
            limiter=self.limiter,
            recorder=self.recorder,
            sleep=self.sleeps.append,
        )

    @property
    def records(self) -> list[CallRecord]:
        return self.recorder.records

    def pay(self, request: Request = POST, parse: Callable[[Answer], Any] = parse) -> Any:
        return self.http_client.call(PAID, request, parse)

    def read(self, request: Request = GET, parse: Callable[[Answer], Any] = parse) -> Any:
        return self.http_client.call(READ, request, parse)


class Names(dict[str, list[str]]):
    """Host names with their current addresses."""

    def __init__(self) -> None:
        super().__init__()
        self.lookups: list[str] = []


Serve = Callable[..., RawServer]
MakeCaller = Callable[..., Caller]


@dataclass(frozen=True)
class Certificate:
    """A self-signed certificate, by default for `localhost` only."""

    path: str
    context: ssl.SSLContext
