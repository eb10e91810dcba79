"""The portal's own terms for requests to a provider and for their results."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum

from .stated_times import lifetime_of


class Outcome(StrEnum):
    """The effect of a call at the provider."""

    DONE = "done"
    NOT_DONE = "not_done"
    """Nothing happened, for certain. Repeating is free."""
    REFUSED = "refused"
    """The provider refused the call. Repeating is pointless."""
    UNKNOWN = "unknown"
    """It may have happened. Never repeated automatically."""


class Reason(StrEnum):
    """Why a call did not end in DONE. The texts for staff are keyed by these."""

    CREDENTIALS = "credentials"
    ACCOUNT_DISABLED = "account_disabled"
    NO_BALANCE = "no_balance"
    PARAMETERS = "parameters"
    BAD_NUMBER = "bad_number"
    NO_NUMBER_AVAILABLE = "no_number_available"
    PRICE_NOT_CALCULATED = "price_not_calculated"
    ORDER_NOT_FOUND = "order_not_found"
    ORDER_EXPIRED = "order_expired"
    OTHER_REFUSAL = "other_refusal"
    CANNOT_TAKE = "cannot_take"
    """The client itself declined (`CannotTake`). The provider was not called."""
    RATE_LIMITED = "rate_limited"
    UNREACHABLE = "unreachable"
    """No connection, for a reason that none of the following names."""
    NAME_NOT_FOUND = "name_not_found"
    CONNECTION_REFUSED = "connection_refused"
    CONNECT_TIMED_OUT = "connect_timed_out"
    CONNECTION_RESET = "connection_reset"
    """Closed by the other side before the request was sent."""
    NO_ROUTE = "no_route"
    NO_TLS = "no_tls"
    """The port answers, but not in TLS."""
    TLS_FAILED = "tls_failed"
    """Both sides speak TLS and could not agree."""
    CERT_EXPIRED = "cert_expired"
    CERT_NOT_YET_VALID = "cert_not_yet_valid"
    CERT_OTHER_HOST = "cert_other_host"
    CERT_SELF_SIGNED = "cert_self_signed"
    CERT_UNKNOWN_ISSUER = "cert_unknown_issuer"
    CERT_INVALID = "cert_invalid"
    FORBIDDEN_ADDRESS = "forbidden_address"
    """The base URL leads to an address that this installation does not allow."""
    REDIRECTED = "redirected"
    REDIRECTED_TO_SLASH = "redirected_to_slash"
    """To the same path with a trailing slash."""
    NOTHING_THERE = "nothing_there"
    """HTTP 404 without any words: the base URL is probably wrong."""
    TIMED_OUT = "timed_out"
    CUT_OFF = "cut_off"
    UNREADABLE = "unreadable"
    CONTRADICTION = "contradiction"
    PROVIDER_FAULT = "provider_fault"
    """The provider reported its own failure (HTTP 5xx or its own word for it)."""
    PORTAL_FAULT = "portal_fault"
    """Our own code failed. The outcome says whether the call may have taken effect."""


REDIRECTS = frozenset({Reason.REDIRECTED, Reason.REDIRECTED_TO_SLASH})
PAUSING = frozenset({Reason.CREDENTIALS, Reason.ACCOUNT_DISABLED, Reason.NO_BALANCE}) | REDIRECTS
"""Reasons that pause the paid calls of an account."""


class DeliveryState(StrEnum):
    """The state of a message in a provider's report, weakest first."""

    SUBMITTED = "submitted"
    IN_TRANSIT = "in_transit"
    UNKNOWN_REPORT = "unknown_report"
    """The provider says that it does not know. Keep waiting."""
    EXPIRED = "expired"
    UNDELIVERED = "undelivered"
    REJECTED = "rejected"
    DELIVERED = "delivered"


class OrderState(StrEnum):
    """The state of a rented number according to the provider."""

    PENDING = "pending"
    RECEIVED = "received"
    COMPLETED = "completed"
    CANCELLED = "cancelled"
    EXPIRED = "expired"
    UNRECOGNISED = "unrecognised"
    """A word that is in no table. `raw_state` keeps it."""


class SmsKind(StrEnum):
    TRANSACTIONAL = "T"
    MARKETING = "P"


class Encoding(StrEnum):
    """The encoding of a text: GSM 03.38 (7 bit) or UCS-2."""

    GSM7 = "gsm7"
    UCS2 = "ucs2"


# --- requests --------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class TextMessage:
    """Any text to one number. `recipient` is E.164 with its plus sign."""

    recipient: str
    text: str = field(repr=False)
    kind: SmsKind
    sender_id: str
    encoding: Encoding
    reference: str
    """Our own id of this message. The provider repeats it in its reports."""
    callback_url: str = field(default="", repr=False)
    secrets: tuple[str, ...] = field(default=(), repr=False)
    """Parts of the text that are hidden wherever they occur: a code of ours."""


@dataclass(frozen=True, slots=True)
class OwnCode:
    """A code of ours. The provider puts it into a text of its own."""

    recipient: str
    code: str = field(repr=False)
    channel: str
    template: str = ""
    """Empty for the provider's default text."""


@dataclass(frozen=True, slots=True)
class ProviderCode:
    """A request to make a code and send it."""

    recipient: str
    reference: str


@dataclass(frozen=True, slots=True)
class CodeCheck:
    """A request to check whether `code` is the one that the provider sent in `session_id`."""

    session_id: str
    code: str = field(repr=False)
    reference: str = ""
    """Our reference, as sent with the code. An answer that names another one is not believed."""


# --- results ---------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Submission:
    """The provider accepted a message. This says nothing about delivery."""

    provider_id: str
    """As the provider wrote it; empty if it gave none."""
    words: str = ""
    """The provider's own words, redacted by the transport, never translated."""
    warnings: tuple[str, ...] = ()
    """Oddities for staff: `no_id`, `other_reference`."""


@dataclass(frozen=True, slots=True)
class CheckResult:
    """The provider's verdict on a code. Only `passed` verifies anything."""

    passed: bool
    words: str = ""
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Balance:
    """Amounts as the provider states them, in its own unit. None means not stated."""

    balance: Decimal
    frozen: Decimal | None = None
    available: Decimal | None = None
    credit_limit: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Profile:
    user_id: str
    username: str
    billing_type: str
    is_active: bool | None
    balance: Balance
    created_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Rental:
    """A rented-number order as one answer states it. None means not stated there."""

    order_id: str
    state: OrderState
    raw_state: str
    phone: str
    project: str
    region: str
    price: Decimal | None
    code: str | None = field(default=None, repr=False)
    content: str | None = field(default=None, repr=False)
    created_at: datetime | None = None
    expires_at: datetime | None = None
    received_at: datetime | None = None
    raw_times: Mapping[str, str] = field(default_factory=dict)
    """Times that name no moment, as the provider wrote them. Their names are in `stated_times`."""
    warnings: tuple[str, ...] = ()

    @property
    def state_word(self) -> str:
        """Our word for a state that we know, however it was written; else the provider's own."""
        known = self.state is not OrderState.UNRECOGNISED
        return self.state.value if known else self.raw_state

    @property
    def lifetime(self) -> timedelta | None:
        """The time between creation and end, as stated; a time zone is not needed for it."""
        return lifetime_of(self.created_at, self.expires_at, self.raw_times)


@dataclass(frozen=True, slots=True)
class RentalPage:
    rentals: tuple[Rental, ...]
    total: int
    page: int
    page_size: int
    unreadable: int = 0
    """Rows that were left out because they could not be read."""


@dataclass(frozen=True, slots=True)
class Cancellation:
    """The provider confirmed a cancellation. The order itself must still be looked up."""

    words: str
    refund: Decimal | None


@dataclass(frozen=True, slots=True)
class Transaction:
    transaction_id: str
    type: str
    """The provider's word, known to us or not."""
    amount: Decimal
    balance_after: Decimal | None
    frozen_after: Decimal | None
    description: str
    order_id: str
    created_at: datetime | None
    raw_created_at: str = ""


@dataclass(frozen=True, slots=True)
class TransactionPage:
    transactions: tuple[Transaction, ...]
    total: int
    page: int
    page_size: int
    unreadable: int = 0
    """Rows that were left out because they could not be read."""
