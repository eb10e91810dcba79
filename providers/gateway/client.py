"""The declarations of a provider's client, and the capabilities it may inherit.

A new provider is one file in `providers/clients/`: a subclass of `Client` and of its
capabilities. The account form, the choices, the screens and the contract tests are derived from
it. A missing method of a capability fails when the class is used, not when staff send.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import ClassVar, Final

from .call import Login, Transport
from .events import CallbackRequest, Event
from .vocabulary import (
    Balance,
    Cancellation,
    CheckResult,
    CodeCheck,
    OwnCode,
    Profile,
    ProviderCode,
    Rental,
    RentalPage,
    Submission,
    TextMessage,
    TransactionPage,
)


@dataclass(frozen=True, slots=True)
class CredentialField:
    """One secret of an account. Label and help are in English and marked for translation."""

    name: str
    label: str
    help: str
    prefix: str = ""
    """The usual beginning of the value. Another beginning causes a warning, not an error."""


class OptionKind(StrEnum):
    TEXT = "text"
    LINES = "lines"
    """A list of exact strings, one per line."""
    CHOICE = "choice"
    FLAG = "flag"


@dataclass(frozen=True, slots=True)
class OptionField:
    """One setting of an account that only this provider has."""

    name: str
    kind: OptionKind
    label: str
    help: str
    default: str | bool | tuple[str, ...] = ""
    choices: tuple[tuple[str, str], ...] = ()
    required: bool = False


@dataclass(frozen=True, slots=True)
class Pace:
    """The limits that a new account starts with."""

    per_second: int
    per_minute: int
    in_flight: int


class CannotTake(Exception):
    """This provider cannot take this recipient or content. Nothing was sent.

    `text` is in English and marked for translation. `values` fills its `%(name)s` placeholders.
    """

    def __init__(self, text: str, **values: object) -> None:
        super().__init__(text)
        self.text = text
        self.values = values


class Client(ABC):
    """One provider account, ready for calls. Each job gets a new instance."""

    key: ClassVar[str]
    """Stored with the account and part of URLs. It never changes once it has landed."""
    name: ClassVar[str]
    summary: ClassVar[str]
    """Its purpose in a few words, for the choice of a provider."""
    support: ClassVar[str] = ""
    """How to reach the provider, according to its document."""
    default_base_url: ClassVar[str] = ""
    """Empty if the document names no host that can be trusted with a password."""
    base_url_help: ClassVar[str] = ""
    documented_paths: ClassVar[tuple[str, ...]] = ()
    """Paths of calls as the document writes them. Staff may paste an address with one of them."""
    credential_fields: ClassVar[tuple[CredentialField, ...]]
    option_fields: ClassVar[tuple[OptionField, ...]] = ()
    pace: ClassVar[Pace] = Pace(per_second=5, per_minute=300, in_flight=4)
    reports_delivery: ClassVar[bool] = False

    def __init__(self, login: Login, transport: Transport) -> None:
        self.login = login
        self.transport = transport

    def credential(self, name: str) -> str:
        return self.login.credentials[name].reveal()

    @classmethod
    def base_url_in(cls, address: str) -> str:
        """The base URL in an address that staff entered, without the path of a call."""
        for path in cls.documented_paths:
            if address.lower().endswith(path.lower()):
                return address[: -len(path)].rstrip("/")
        return address

    @classmethod
    def format_recipient(cls, recipient: str, options: Mapping[str, object]) -> str:
        """The recipient (E.164) in this provider's format. Raises `CannotTake`."""
        return recipient


# --- capabilities ----------------------------------------------------------


class SendsText(Client):
    """Sends any text that we write."""

    @classmethod
    @abstractmethod
    def sender_ids(cls, options: Mapping[str, object]) -> tuple[str, ...]: ...

    @abstractmethod
    def send_text(self, message: TextMessage) -> Submission: ...


@dataclass(frozen=True, slots=True)
class CodeTemplate:
    """A text of the provider's that surrounds our code."""

    key: str
    """The provider's key of the text; empty for its default."""
    text: str
    """The documented text, with XXXX in place of the code."""
    note: str = ""
    """A warning for staff who choose it; marked for translation."""


class SendsOwnCode(Client):
    """Sends a code of ours inside a text of the provider's."""

    templates: ClassVar[tuple[CodeTemplate, ...]]
    default_template: ClassVar[str] = ""

    @classmethod
    @abstractmethod
    def channels(cls, country: str, options: Mapping[str, object]) -> tuple[str, ...]:
        """The account's channels for a country (ISO 3166-1 alpha-2), possibly none."""

    @classmethod
    @abstractmethod
    def check_own_code(cls, code: str) -> None:
        """Raise `CannotTake` if the provider would not accept this code."""

    @abstractmethod
    def send_code(self, request: OwnCode) -> Submission: ...


class MakesCodes(Client):
    """Makes, sends and checks codes of its own."""

    @abstractmethod
    def start_code(self, request: ProviderCode) -> Submission: ...

    @abstractmethod
    def check_code(self, request: CodeCheck) -> CheckResult: ...


class ReportsBalance(Client):
    @abstractmethod
    def fetch_balance(self) -> Balance: ...


class ReportsProfile(Client):
    @abstractmethod
    def fetch_profile(self) -> Profile: ...


@dataclass(frozen=True, slots=True)
class Offer:
    """A row that the provider's document names. It fills our own lists initially."""

    code: str
    name: str
    remark: str = field(default="")


class RentsNumbers(Client):
    """Rents numbers that receive SMS."""

    documented_projects: ClassVar[tuple[Offer, ...]] = ()
    documented_regions: ClassVar[tuple[Offer, ...]] = ()

    @abstractmethod
    def place_order(self, project: str, region: str) -> Rental: ...

    @abstractmethod
    def fetch_order(self, order_id: str) -> Rental: ...

    @abstractmethod
    def cancel_order(self, order_id: str) -> Cancellation: ...

    @abstractmethod
    def list_orders(self, *, page: int, page_size: int, state: str = "") -> RentalPage: ...

    @abstractmethod
    def list_transactions(self, *, page: int, page_size: int) -> TransactionPage: ...


TEXT_FIELDS: Final = frozenset(
    {
        "smsmessage",
        "sms_message",
        "message",
        "message_text",
        "textmessage",
        "text_message",
        "text",
        "content",
        "body",
        "receipt",
        "data",
    }
)


class ReceivesCallbacks(Client):
    """Parses the provider's callbacks. Pure, so a stored callback can be parsed again."""

    callback_methods: ClassVar[frozenset[str]]
    callback_hidden: ClassVar[frozenset[str]] = TEXT_FIELDS
    """Names of fields that may contain a text or a code. They are hidden in a raw callback from
    staff who may not see them. Numbers are masked in every field."""

    @classmethod
    @abstractmethod
    def parse_callback(cls, request: CallbackRequest) -> tuple[Event, ...]: ...
