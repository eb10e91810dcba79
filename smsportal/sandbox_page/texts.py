"""The words of the sandbox page for faults and errors, by their keys in the sandbox."""

from __future__ import annotations

from typing import Final

from django.utils.functional import Promise
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from providers.presentation.labels import operation_label
from sandbox.remote import RemoteError

FAULTS: Final[dict[str, Promise]] = {
    "slow": _("Answers slowly"),
    "never_answers": _("Never answers"),
    "reset_before": _("Connection lost before the request is accepted"),
    "reset_after": _("Connection lost after the request is accepted"),
    "closed_after": _("Closes the connection after the request, without an answer"),
    "tls_broken": _("TLS fails after the request is read"),
    "trickled_headers": _("Sends its headers byte by byte"),
    "trickled_body": _("Sends its answer byte by byte"),
    "endless_headers": _("Sends endless headers"),
    "huge_header": _("Sends a 1 MB header"),
    "keep_alive_closed": _("Closes the connection after the answer without notice"),
    "keep_alive_reset": _("Drops the next request on the same connection"),
    "html_200": _("HTML error page with status 200"),
    "empty_200": _("Empty answer"),
    "json_truncated": _("Broken answer: truncated"),
    "json_duplicate_keys": _("Broken answer: duplicate keys"),
    "json_nan": _("Broken answer: NaN instead of numbers"),
    "odd_text": _("Unusual characters in texts"),
    "contradiction": _("Answer that contradicts itself"),
    "too_many": _("Too many requests (429)"),
    "too_many_retry_after": _("Too many requests, with retry time"),
    "huge_body": _("2 MB answer"),
    "gzip_bomb": _("Small answer that decompresses to 32 MB"),
    "callback_twice": _("Reports arrive twice"),
    "callback_late": _("Reports arrive late"),
    "callback_overtaken": _("Reports arrive in the wrong order"),
    "callback_lost": _("Reports never arrive"),
    "html_500": _("HTML error page with status 500"),
    "html_502": _("HTML error page with status 502"),
    "html_503": _("HTML error page with status 503"),
    "html_504": _("HTML error page with status 504"),
    "json_list": _("Broken answer: a list"),
    "json_string": _("Broken answer: a text"),
    "json_null": _("Broken answer: null"),
    "json_number": _("Broken answer: a number"),
    "json_deep": _("Broken answer: nested too deeply"),
    "json_missing_keys": _("Broken answer: an empty object"),
    "bad_utf8": _("Broken answer: not UTF-8"),
    "redirect_301": _("Redirect with status 301"),
    "redirect_302": _("Redirect with status 302"),
    "redirect_303": _("Redirect with status 303"),
    "redirect_307": _("Redirect with status 307"),
    "redirect_308": _("Redirect with status 308"),
}
ERRORS: Final[dict[str, Promise]] = {
    "unreachable": _("The sandbox cannot be reached."),
    "unknown_fault": _("The sandbox has no fault called %(name)s."),
    "unknown_provider": _("The sandbox has no provider called %(name)s."),
    "unknown_message": _("The sandbox has no message %(id)s."),
    "unknown_order": _("The sandbox has no order %(id)s."),
    "has_sms": _("Order %(id)s has already received its SMS."),
    "no_callback_url": _("Message %(id)s was sent without a callback address."),
    "account_without_callback_url": _("Account %(name)s has no callback address."),
    "no_reports": _("%(provider)s does not push reports."),
    "no_numbers": _("%(provider)s does not rent numbers."),
}


OPERATIONS: Final = {
    "haorui.send": "send_text",
    "haosms.otp_msg": "send_code",
    "haosms.s_balance": "fetch_balance",
    "otpservice.send": "start_code",
    "otpservice.code": "check_code",
    "gosms.create_order": "place_order",
    "gosms.get_order": "fetch_order",
    "gosms.cancel_order": "cancel_order",
    "gosms.orders": "list_orders",
    "gosms.balance": "fetch_balance",
    "gosms.profile": "fetch_profile",
    "gosms.transactions": "list_transactions",
}
"""What the portal calls an operation of a sandbox provider. One without a name keeps its id."""


def call_label(provider: str, operation: str) -> str:
    """The name of an operation of a provider, as on the pages of API calls."""
    return operation_label(OPERATIONS.get(f"{provider}.{operation}", operation))


def fault_label(fault_id: str, label: str) -> str:
    """The translated label of a fault. A fault that is not listed keeps the sandbox's label."""
    return str(FAULTS.get(fault_id, label))


def error_text(error: RemoteError) -> str:
    """Why the sandbox refused, translated. An error without a known key is quoted."""
    text = ERRORS.get(error.key)
    try:
        if text is not None:
            return str(text) % error.values
    except KeyError:
        pass
    return gettext("The sandbox refused: %(text)s") % {"text": error}
