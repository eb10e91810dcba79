"""The phones on the sandbox page: what arrived on each, and what its reports said."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from math import ceil
from typing import Any, Final

from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from core.admin.labels import Role, StateLabel, render_label
from core.phones.parse import grouped

from ..log.filters import hide_tokens
from .texts import fault_label

LATE_SECONDS: Final = 90
_ONLY_CODE: Final = re.compile(r"[0-9A-Za-z]{1,8}")
_SPEAKS_OF_CODE: Final = re.compile(r"code|码", re.IGNORECASE)
_DIGITS: Final = re.compile(r"(?<![0-9A-Za-z])[0-9]{4,8}(?![0-9A-Za-z])", re.ASCII)
DELIVERED: Final = StateLabel(pgettext_lazy("state", "Delivered"), Role.SUCCESS, "done_all")
NOT_DELIVERED: Final = StateLabel(_("Not delivered"), Role.DANGER, "error")
NO_REPORT: Final = StateLabel(_("No report yet"), Role.INFO, "outbound")
ON_THE_PHONE: Final = StateLabel(pgettext_lazy("state", "Arrived"), Role.SUCCESS, "done")
RENTED: Final = StateLabel(_("Waiting for an SMS"), Role.INFO, "hourglass_top")
SERVED: Final = StateLabel(_("Number rented"), Role.NEUTRAL, "call")


def phones_context(phones: dict[str, Any], providers: list[dict[str, Any]]) -> dict[str, Any]:
    """The context of the phones, from the answers of the sandbox's control interface."""
    by_name = {one["name"]: one for one in providers}
    chosen: dict[str, Any] | None = phones.get("chosen")
    return {
        "phones": [
            {
                **_summary(phone),
                "is_chosen": chosen is not None and phone["number"] == chosen["number"],
            }
            for phone in phones["phones"]
        ],
        "phone_total": phones["total"],
        "phone": chosen
        and {
            **_summary(chosen),
            "bubbles": [
                _bubble(one, by_name.get(one["provider"], {})) for one in chosen["bubbles"]
            ],
            "older": chosen["count"] - len(chosen["bubbles"]),
        },
        "late_seconds": LATE_SECONDS,
    }


def _summary(phone: dict[str, Any]) -> dict[str, Any]:
    return {
        "entry": phone["entry"],
        "number": phone["number"],
        "shown": grouped(phone["number"]),
        "time": datetime.fromtimestamp(phone["at"], tz=UTC),
        "text": hide_tokens(phone["text"]),
        "is_order": phone["kind"] == "order",
        "count": phone["count"],
    }


def _bubble(bubble: dict[str, Any], provider: dict[str, Any]) -> dict[str, Any]:
    text, reports, due_in = bubble["text"], bubble["reports"], bubble["due_in"]
    code = _code_in(text)
    is_reported = bubble["kind"] == "message" and bool(provider.get("delivered_word"))
    return {
        **bubble,
        "text": hide_tokens(text),
        "code": code,
        "is_code": bool(code) and code == text,
        "time": datetime.fromtimestamp(bubble["at"], tz=UTC),
        "provider_label": provider.get("label", bubble["provider"]),
        "state": render_label(_state(bubble, provider, is_reported)),
        "fault_word": fault_label(bubble["fault"], bubble["fault"]),
        "due_in": ceil(due_in) if is_reported and due_in is not None else None,
        "may_report": is_reported and not reports,
        "report_words": provider.get("report_words", []) if is_reported else [],
        "is_unreported": bubble["kind"] == "message" and not is_reported,
        "is_refused": bool(reports) and not reports[-1]["taken"],
    }


def _code_in(text: str) -> str:
    """The code in a text, for a button that copies it; empty if there seems to be none."""
    if _ONLY_CODE.fullmatch(text):
        return text
    found = _DIGITS.search(text) if _SPEAKS_OF_CODE.search(text) else None
    return found[0] if found else ""


def _state(bubble: dict[str, Any], provider: dict[str, Any], is_reported: bool) -> StateLabel:
    if bubble["kind"] == "order":
        return RENTED if bubble["takes_sms"] else SERVED
    if not is_reported:
        return ON_THE_PHONE
    if not bubble["reports"]:
        return NO_REPORT
    word = bubble["reports"][-1]["word"]
    known = {provider["delivered_word"]: DELIVERED, provider["failed_word"]: NOT_DELIVERED}
    return known.get(word) or StateLabel(hide_tokens(word), Role.NEUTRAL, "mail")
