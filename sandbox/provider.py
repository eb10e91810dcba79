"""The base of every simulated provider: accounts, settings, limits, and the answer to a call.

To add a provider, add a module with a subclass of `Provider` to this package. The server finds
it and serves it under `/<name>` unless it sets another prefix.

Two endings of a phone number are special, so that staff can try failures:
    …999001   the provider refuses the number, or reports it as unreachable
    …999003   no delivery report and no SMS arrives
"""

from __future__ import annotations

import dataclasses
import threading
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import ClassVar

from sandbox.book import Book
from sandbox.callbacks import Pusher, Timing
from sandbox.exchange import Reply, Request
from sandbox.limits import SlidingWindow

UNREACHABLE_ENDING = "999001"
SILENT_ENDING = "999003"
MAX_NUMBER = 10**9


class ControlError(Exception):
    """The sandbox cannot do what a control call asks for. The text says why.

    `key` and `values` say the same to a page that translates; without a key, only the text does.
    """

    def __init__(self, text: str, key: str = "", **values: str) -> None:
        super().__init__(text)
        self.key = key
        self.values = values


@dataclass
class Account:
    """One account at a simulated provider. `login` is the key or name that identifies it."""

    label: str
    login: str
    secret: str = ""
    balance: Decimal = Decimal("1000000")
    active: bool = True
    callback_url: str = ""
    window: SlidingWindow = field(default_factory=SlidingWindow, repr=False)


@dataclass
class Settings:
    """The settings that every provider has. A limit of 0 is off."""

    rate_per_second: int = 0
    rate_per_minute: int = 0


@dataclass
class Call:
    """A request as the provider parsed it, before acting on it."""

    operation: str
    account: Account | None
    fields: dict[str, object]
    reference: str = ""
    in_flight: int = 1
    timing: Timing = field(default_factory=Timing)


def _as_bool(value: object) -> bool:
    if not isinstance(value, bool):
        raise TypeError("true or false expected")
    return value


def _as_number(value: object) -> Decimal:
    number = Decimal(str(value))
    if not number.is_finite() or abs(number) > MAX_NUMBER:
        raise ValueError("a number within reason expected")
    return number


def _as_list(value: object) -> list[str]:
    if not isinstance(value, list):
        raise TypeError("a list expected")
    return [str(item) for item in value]


def _as_dict(value: object, item: Callable[[object], object]) -> dict[str, object]:
    if not isinstance(value, dict):
        raise TypeError("an object expected")
    return {str(name): item(number) for name, number in value.items()}


CONVERT: Mapping[str, Callable[[object], object]] = {
    "bool": _as_bool,
    "int": lambda value: int(_as_number(value)),
    "float": lambda value: float(_as_number(value)),
    "str": str,
    "Decimal": _as_number,
    "list[str]": _as_list,
    "dict[str, int]": lambda value: _as_dict(value, lambda item: int(_as_number(item))),
    "dict[str, Decimal]": lambda value: _as_dict(value, _as_number),
}


def settable(target: Account | Settings) -> dict[str, object]:
    """The values that control calls may change, by name. Never a login or a secret."""
    return {
        entry.name: getattr(target, entry.name)
        for entry in dataclasses.fields(target)
        if str(entry.type).removesuffix(" | None") in CONVERT
        and entry.name not in ("label", "login", "secret")
    }


def change(target: Account | Settings, changes: Mapping[str, object]) -> None:
    """Set values by name. Raises ControlError and changes nothing if any of them is invalid."""
    types = {entry.name: str(entry.type) for entry in dataclasses.fields(target)}
    ready: dict[str, object] = {}
    for name, value in changes.items():
        if name not in settable(target):
            raise ControlError(f"There is no setting called {name}.")
        kind = types[name]
        if value is None and kind.endswith(" | None"):
            ready[name] = None
            continue
        try:
            ready[name] = CONVERT[kind.removesuffix(" | None")](value)
        except (TypeError, ValueError, ArithmeticError):
            raise ControlError(f"{name} cannot be set to {value!r}.") from None
    for name, value in ready.items():
        setattr(target, name, value)


class Provider(ABC):
    """A provider as its document describes it. `lock` guards all state."""

    name: ClassVar[str]
    label: ClassVar[str]
    prefix: ClassVar[str] = ""
    operations: ClassVar[tuple[str, ...]]
    polls: ClassVar[tuple[str, ...]] = ()
    """The operations that only read."""
    phone_fields: ClassVar[Mapping[str, tuple[str, str]]] = {}
    """By operation that reaches a phone: the fields of its number and its text, "" for none."""
    report_words: ClassVar[tuple[str, ...]] = ()
    report_operation: ClassVar[str] = "report"
    report_field: ClassVar[str] = ""
    """The field of a delivery report that holds its word."""
    delivered_word: ClassVar[str] = ""
    failed_word: ClassVar[str] = ""
    account_class: ClassVar[type[Account]] = Account
    settings: Settings

    def __init__(self, book: Book, pusher: Pusher) -> None:
        self.book = book
        self.pusher = pusher
        self.lock = threading.RLock()
        self.accounts: dict[str, Account] = {}
        self.add_account(self.default_account())

    @abstractmethod
    def default_account(self) -> Account:
        """The account that exists from the start."""

    @abstractmethod
    def route(self, method: str, path: str) -> str | None:
        """The operation for a method and path, or None."""

    @abstractmethod
    def read(self, operation: str, request: Request) -> Call:
        """Parse a request and find its account, without changing anything."""

    @abstractmethod
    def act(self, call: Call) -> Reply:
        """Carry out the call and return the answer."""

    def limited(self) -> Reply:
        """The answer to a call over the rate limit. Only the document of GoSMS describes one."""
        return Reply({"error": "Too Many Requests"}, 429, "refused: rate limit", accepted=False)

    def contradict(self, payload: dict[str, object]) -> dict[str, object]:
        """The same answer, changed so that it contradicts itself."""
        return payload

    def phone_number(self, written: str) -> str:
        """A phone number as the provider writes it, in international form."""
        return "+" + written.lstrip("+")

    def report(
        self, message_id: str, word: str, fields: Mapping[str, str], delay: float = 0.0
    ) -> None:
        """Push one report with this status word after `delay` seconds.

        `fields` overrides callback fields.
        """
        raise ControlError(f"{self.label} pushes no reports.", "no_reports", provider=self.label)

    def deliver_sms(self, message_id: str, text: str, code: str | None) -> None:
        """Let an SMS arrive on a rented number."""
        raise ControlError(f"{self.label} rents no numbers.", "no_numbers", provider=self.label)

    @abstractmethod
    def reset(self) -> None:
        """Forget every message. Accounts and settings stay."""

    def answer(self, call: Call) -> Reply:
        """Answer a call. Rate limits come first, since providers count calls on arrival."""
        with self.lock:
            account, rules = call.account, self.settings
            if account and not account.window.admit(rules.rate_per_second, rules.rate_per_minute):
                return self.limited()
            return self.act(call)

    def add_account(self, account: Account) -> None:
        with self.lock:
            self.accounts[account.label] = account

    def find(self, login: object, secret: object = "") -> Account | None:
        """The account with this login and secret, or None."""
        for account in self.accounts.values():
            if account.login == login and account.secret == secret:
                return account
        return None

    def account(self, label: str) -> Account:
        try:
            return self.accounts[label]
        except KeyError:
            raise ControlError(f"{self.label} has no account called {label}.") from None

    def base_path(self) -> str:
        return self.prefix or f"/{self.name}"
