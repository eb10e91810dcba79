"""What staff do on the sandbox page: faults, reports, incoming SMS and balances."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, Final

from django.http import QueryDict
from django.utils.translation import gettext_lazy as _

from sandbox.remote import Remote

from .phones import LATE_SECONDS

REPORT_SECONDS: Final = 2.0
"""From a message to its report, if reports go automatically."""
_AMOUNT: Final = re.compile(r"\d{1,9}(\.\d{1,4})?", re.ASCII)


def rows_of(state: dict[str, object], name: str) -> list[dict[str, Any]]:
    rows = state.get(name)
    return rows if isinstance(rows, list) else []


def _set_fault(remote: Remote, post: QueryDict) -> Any:
    provider, _colon, operation = post.get("call", "").partition(":")
    is_next = post.get("calls") != "all"
    if is_next and not operation:
        # A background poll would use up the one call.
        raise ValueError(_("For “next call”, choose what the call does."))
    remote.fault(
        post.get("fault", ""),
        provider=provider or None,
        operation=operation or None,
        calls=1 if is_next else None,
        # So would the repeat of a message that an earlier fault struck.
        first_tries=is_next,
    )
    return _("Fault turned on.")


def _stop_fault(remote: Remote, post: QueryDict) -> Any:
    number = post.get("number", "")
    if number.isascii() and number.isdigit():
        remote.clear_faults(int(number))
    return _("Fault turned off.")


def _clear_faults(remote: Remote, post: QueryDict) -> Any:
    remote.clear_faults()
    return _("All faults turned off.")


def _set_reports(remote: Remote, post: QueryDict) -> Any:
    """Let reports go automatically, all good or mixed, or wait until each is sent by hand."""
    mode = post.get("reports", "")
    if mode not in REPORT_MODES:
        return None
    for provider in rows_of(remote.state(), "providers"):
        known = provider["settings"]
        changes = {
            "report_delay": None if mode == "wait" else REPORT_SECONDS,
            "mixed": mode == "mix",
        }
        if wanted := {name: value for name, value in changes.items() if name in known}:
            remote.change_settings(provider["name"], **wanted)
    return REPORT_MODES[mode]


def _set_balance(remote: Remote, post: QueryDict) -> Any:
    """Set what the account of the demo has left with one provider."""
    typed = post.get("balance", "").strip().replace(",", "")
    if not _AMOUNT.fullmatch(typed):
        raise ValueError(_("Not changed: type an amount such as 950.50."))
    remote.change_account(post.get("provider", ""), balance=typed)
    return _("Balance changed. The portal shows it after the next reading.")


def _report(remote: Remote, post: QueryDict) -> Any:
    """Send the report that a button stands for (`what`), or the chosen `word`."""
    name, what = post.get("provider", ""), post.get("what", "")
    known = next((one for one in rows_of(remote.state(), "providers") if one["name"] == name), {})
    words = {"fail": "failed_word", "deliver": "delivered_word", "late": "delivered_word"}
    word = str(known.get(words[what], "")) if what in words else post.get("word", "")
    is_late = what == "late"
    remote.report(name, post.get("message_id", ""), word, delay=LATE_SECONDS if is_late else 0)
    if is_late:
        return _("The report is sent in %(count)d seconds.") % {"count": LATE_SECONDS}
    return _("Report sent.")


def _deliver(remote: Remote, post: QueryDict) -> Any:
    remote.deliver_sms(post.get("message_id", ""), post.get("text", ""))
    return _("The SMS was delivered to the number.")


REPORT_MODES: Final[dict[str, Any]] = {
    "alone": _("Reports are sent automatically."),
    "mix": _("Reports are sent automatically; some fail, and a few never come."),
    "wait": _("Reports wait for you."),
}
ACTIONS: Final[dict[str, Callable[[Remote, QueryDict], Any]]] = {
    "fault": _set_fault,
    "stop": _stop_fault,
    "clear": _clear_faults,
    "reports": _set_reports,
    "report": _report,
    "sms": _deliver,
    "balance": _set_balance,
}
