"""Sandbox of Example SMS: `/v1/messages`, `/v1/balance` and the delivery report that it pushes.

A phone number that ends in 999001 is refused. For one that ends in 999003 no report is sent.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from decimal import Decimal

from sandbox import credentials
from sandbox.book import Book
from sandbox.callbacks import Push, Pusher
from sandbox.exchange import Reply, Request, dump_json
from sandbox.provider import SILENT_ENDING, UNREACHABLE_ENDING, Account, Call, Provider, Settings

API_KEY = "ex_practice_key"
OPERATIONS = {("POST", "/v1/messages"): "send", ("GET", "/v1/balance"): "balance"}


@dataclass
class ExampleSettings(Settings):
    """`price` is the cost of one message."""

    price: Decimal = Decimal("0.05")


class ExampleSms(Provider):
    name = "examplesms"
    label = "Example SMS"
    operations = ("send", "balance")
    polls = ("balance",)
    phone_fields = {"send": ("to", "text")}
    settings: ExampleSettings

    def __init__(self, book: Book, pusher: Pusher) -> None:
        super().__init__(book, pusher)
        self.settings = ExampleSettings()
        self._ids = itertools.count(1)

    def default_account(self) -> Account:
        return Account(credentials.PRACTICE, API_KEY)

    def route(self, method: str, path: str) -> str | None:
        return OPERATIONS.get((method, path))

    def read(self, operation: str, request: Request) -> Call:
        fields = request.json_object() or {}
        key = request.headers.get("authorization", "").removeprefix("Bearer ")
        return Call(operation, self.find(key), fields, str(fields.get("ref", "")))

    def act(self, call: Call) -> Reply:
        account, to = call.account, str(call.fields.get("to", ""))
        if account is None:
            return _refuse(401, "bad_key")
        if call.operation == "balance":
            return Reply({"balance": account.balance})
        if account.balance < self.settings.price:
            return _refuse(402, "no_credit")
        if to.endswith(UNREACHABLE_ENDING):
            return _refuse(422, "bad_number")
        account.balance -= self.settings.price
        message_id = f"ex-{next(self._ids)}"
        if call.fields.get("callback") and not to.endswith(SILENT_ENDING):
            self.pusher.schedule(_report(message_id, call), 0.0, call.timing)
        payload = {"id": message_id, "status": "queued"}
        return Reply(payload, 202, "submitted", message_id=message_id)

    def reset(self) -> None:
        """Do nothing, because no state is kept."""


def _refuse(status: int, word: str) -> Reply:
    return Reply({"error": word}, status, f"refused: {word}", accepted=False)


def _report(message_id: str, call: Call) -> Push:
    report = {"id": message_id, "ref": call.reference, "status": "arrived"}
    return Push(
        provider=ExampleSms.name,
        account=credentials.PRACTICE,
        operation="report",
        message_id=message_id,
        method="POST",
        url=str(call.fields["callback"]),
        body=dump_json(report),
        headers={"Content-Type": "application/json"},
        fields=report,
    )
