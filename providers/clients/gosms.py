"""GoSMS (appsms.net): rents numbers that receive SMS.

`code` is the received code in an order, but the name of an error in an error body. So `code` is
never read before it is clear which of the two arrived.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, Final, NoReturn, TypedDict, TypeVar

from providers.gateway.answers import is_json, json_object, json_object_or_none
from providers.gateway.call import Answer, Effect, Operation, Request
from providers.gateway.client import (
    CannotTake,
    CredentialField,
    Offer,
    OptionField,
    OptionKind,
    Pace,
    RentsNumbers,
    ReportsBalance,
    ReportsProfile,
)
from providers.gateway.errors import OutcomeUnknown, Refused
from providers.gateway.i18n import gettext_noop as _
from providers.gateway.listings import Rows
from providers.gateway.vocabulary import (
    Balance,
    Cancellation,
    Profile,
    Reason,
    Rental,
    RentalPage,
    TransactionPage,
)
from providers.gateway.words import is_nothing, is_placeholder, look_up, table

from . import gosms_rows as rows
from .parsing import (
    amount_of,
    raise_contradiction,
    raise_undecided,
    states_error,
    text_field,
    text_of,
)

T = TypeVar("T")


class Order(TypedDict):
    """The fields of an order that must not be stored."""

    hidden: frozenset[str]
    masked: frozenset[str]
    readable_in_error: frozenset[str]


ORDER: Final = Order(
    hidden=frozenset({"code", "content"}),
    masked=frozenset({"phone"}),
    readable_in_error=frozenset({"code"}),
)
PLACE: Final = Operation("place_order", Effect.PAID, **ORDER)
FETCH: Final = Operation("fetch_order", Effect.READ, **ORDER)
CANCEL: Final = Operation("cancel_order", Effect.CONFIRMED, **ORDER)
LIST: Final = Operation("list_orders", Effect.READ, rows=Rows("orders", "order_id"), **ORDER)
TRANSACTIONS: Final = Operation("list_transactions", Effect.READ, rows=Rows("transactions", "id"))
BALANCE: Final = Operation("fetch_balance", Effect.READ)
PROFILE: Final = Operation("fetch_profile", Effect.READ, hidden=frozenset({"email"}))

ERROR_CODES: Final = table(
    {
        Reason.CREDENTIALS: "UNAUTHORIZED",
        Reason.PARAMETERS: "INVALID_PARAMS",
        Reason.NO_BALANCE: "INSUFFICIENT_BALANCE",
        Reason.NO_NUMBER_AVAILABLE: "NO_AVAILABLE_NUMBER",
        Reason.ORDER_NOT_FOUND: "ORDER_NOT_FOUND",
        Reason.ORDER_EXPIRED: "ORDER_EXPIRED",
        Reason.PRICE_NOT_CALCULATED: "PRICE_CALCULATION_ERROR",
    }
)
"""业务错误码 in the document. They take precedence over the HTTP status."""
HTTP_STATUSES: Final = {
    400: Reason.PARAMETERS,
    401: Reason.CREDENTIALS,
    402: Reason.NO_BALANCE,
    403: Reason.ACCOUNT_DISABLED,
    404: Reason.ORDER_NOT_FOUND,
}
"""HTTP 状态码 in the document. 503 means "no number" only with its code; a proxy sends 503 too."""

LARGEST_PAGE: Final = 100
REGION: Final = re.compile(r"[A-Z]{2}")
BAD_REGION: Final = _("%(provider)s requires the country as two capital letters, such as ID.")
NO_PROJECT: Final = _("%(provider)s requires an app code.")
BAD_ORDER: Final = _("“%(order)s” is not an order ID of %(provider)s.")


class GoSMS(RentsNumbers, ReportsBalance, ReportsProfile):
    key = "gosms"
    name = "GoSMS"
    summary = _("Rent numbers")
    support = "Telegram @appsms_support · support@appsms.net · 7x24"
    default_base_url = "https://appsms.net/api/v1"
    base_url_help = _("As given in the provider's document, ending in /api/v1.")
    documented_paths = (
        "/order",
        "/user/balance",
        "/user/profile",
        "/user/orders",
        "/user/transactions",
    )
    credential_fields = (
        CredentialField(
            "api_key",
            _("API key"),
            _(
                "In the provider's console under 渠道管理 (channel management), visible to"
                " the channel's administrator. It begins with ch_."
            ),
            prefix="ch_",
        ),
    )
    option_fields = (
        OptionField(
            "exclusive_key",
            OptionKind.FLAG,
            _("Only this portal uses this key"),
            _(
                "If on, an order found at the provider after a lost answer is adopted"
                " automatically. Leave it off if other programs rent with the same key."
            ),
            default=False,
        ),
    )
    pace = Pace(per_second=10, per_minute=300, in_flight=4)
    documented_projects = (
        Offer("telegram", "Telegram"),
        Offer("whatsapp", "WhatsApp"),
        Offer("facebook", "Facebook"),
    )
    documented_regions = (
        Offer("ID", "Indonesia", _("low price, many numbers available")),
        Offer("US", "United States", _("higher price")),
        Offer("GB", "United Kingdom", _("medium price")),
        Offer("CN", "China", _("some apps only")),
        Offer("IN", "India", _("low price")),
    )

    def place_order(self, project: str, region: str) -> Rental:
        if not project:
            raise CannotTake(NO_PROJECT, provider=self.name)
        if not REGION.fullmatch(region):
            raise CannotTake(BAD_REGION, provider=self.name)
        fields = {"project_code": project, "region": region}
        return self._call(
            PLACE, "POST", "/order", lambda body: rows.placed(body, project, region), json=fields
        )

    def fetch_order(self, order_id: str) -> Rental:
        """Fetch one order. An answer about another order raises CONTRADICTION."""
        path = self._path_of(order_id)
        return self._call(FETCH, "GET", path, lambda body: rows.fetched(body, order_id))

    def cancel_order(self, order_id: str) -> Cancellation:
        """Cancel an order, without a body, because the document shows none."""
        return self._call(CANCEL, "POST", f"{self._path_of(order_id)}/cancel", _cancellation)

    def list_orders(self, *, page: int, page_size: int, state: str = "") -> RentalPage:
        query = {**_paging(page, page_size), **({"status": state} if state else {})}
        return self._call(
            LIST,
            "GET",
            "/user/orders",
            lambda body: rows.rental_page(body, page, page_size),
            query=query,
        )

    def list_transactions(self, *, page: int, page_size: int) -> TransactionPage:
        return self._call(
            TRANSACTIONS,
            "GET",
            "/user/transactions",
            lambda body: rows.transaction_page(body, page, page_size),
            query=_paging(page, page_size),
        )

    def fetch_balance(self) -> Balance:
        return self._call(BALANCE, "GET", "/user/balance", rows.balance)

    def fetch_profile(self) -> Profile:
        return self._call(PROFILE, "GET", "/user/profile", rows.profile)

    def _call(
        self,
        operation: Operation,
        method: str,
        path: str,
        read: Callable[[Mapping[str, Any]], T],
        *,
        query: Mapping[str, str] | None = None,
        json: Mapping[str, object] | None = None,
    ) -> T:
        headers = {"Authorization": f"Bearer {self.credential('api_key')}"}
        http_request = Request(method, path, query=query or {}, json=json, headers=headers)
        concerns_order = path.startswith("/order/")
        return self.transport.call(
            operation,
            http_request,
            lambda answer: _parse(answer, read, concerns_order=concerns_order),
        )

    def _path_of(self, order_id: str) -> str:
        if not rows.ORDER_ID.fullmatch(order_id):
            raise CannotTake(BAD_ORDER, provider=self.name, order=order_id)
        return f"/order/{order_id}"


def _parse(answer: Answer, read: Callable[[Mapping[str, Any]], T], *, concerns_order: bool) -> T:
    """Parse an answer. Success is HTTP 200 without an error. A ValueError of `read` means
    unreadable."""
    if answer.status != 200:
        _refuse(answer, concerns_order=concerns_order)
    body = json_object(answer)
    if states_error(body):
        _refuse(answer)
    try:
        return read(body)
    except rows.OtherOrder as other:
        raise_contradiction(answer, str(other))
    except ValueError:
        raise OutcomeUnknown(Reason.UNREADABLE, http_status=answer.status) from None


def _refuse(answer: Answer, *, concerns_order: bool = True) -> NoReturn:
    """Raise the error of an answer that is no success.

    `concerns_order`: whether the call named an order, so that HTTP 404 alone means that there is no
    such order. For any other call, 404 without JSON means a wrong address.
    """
    body = json_object_or_none(answer) or {}
    words = _words(body)
    if _names_order(body) and (states_error(body) or 300 <= answer.status < 500):
        # The order may exist, although the error or the status denies it.
        raise_contradiction(answer, words)
    reason = look_up(ERROR_CODES, body.get("code"))
    if reason is None and (answer.status != 404 or concerns_order or is_json(answer)):
        reason = HTTP_STATUSES.get(answer.status)
    if reason is not None:
        raise Refused(reason, words=words, http_status=answer.status)
    if answer.status == 200:
        raise_contradiction(answer, words)
    raise_undecided(answer, words)


def _names_order(body: Mapping[str, Any]) -> bool:
    """Whether a body names an order. Some servers write every field, with null or 0 for none."""
    return not is_placeholder(body.get("order_id"))


def _words(body: Mapping[str, Any]) -> str:
    """The error text and its name. Without an error text, or beside an order, `code` may be the
    code that staff wait for: then only a documented name is shown."""
    has_error = states_error(body)
    text = text_field(body, "error") if has_error else ""
    name = text_of(body.get("code"), 100)
    is_error_alone = has_error and not _names_order(body)
    is_documented = look_up(ERROR_CODES, body.get("code")) is not None
    return f"{text} ({name})" if name and (is_error_alone or is_documented) else text


def _cancellation(body: Mapping[str, Any]) -> Cancellation:
    message = text_field(body, "message")
    if is_nothing(message):
        raise ValueError("no message")
    return Cancellation(message, amount_of(body.get("refund_amount")))


def _paging(page: int, page_size: int) -> dict[str, str]:
    if page < 1 or not 1 <= page_size <= LARGEST_PAGE:
        raise ValueError("pages count from 1 and hold at most 100 rows")
    return {"page": str(page), "page_size": str(page_size)}
