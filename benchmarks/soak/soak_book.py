"""The sandbox's book, with the times of its calls and the callbacks that were pushed."""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import Any

from messaging.models import Message
from sandbox.book import PUSH
from sandbox.remote import Remote

from ..chaos.sandbox_book import SEND_OPERATIONS, SandboxBook

PushKey = tuple[str, frozenset[tuple[str, str]]]
"""The account's label and the content of a callback."""


class SoakBook(SandboxBook):
    def __init__(self, remote: Remote) -> None:
        super().__init__(remote)
        self.accepted_at: dict[str, list[float]] = defaultdict(list)
        """When a provider carried out a call, by the message's reference or the order's id."""
        self.stored: dict[PushKey, list[float]] = defaultdict(list)
        """When the portal answered a pushed callback with 200, by its content."""
        self.unanswered = 0
        """Pushes without such an answer. The sandbox does not repeat them."""
        self.struck = 0
        """Calls that a fault struck."""
        self.checks_done: Counter[tuple[str, str]] = Counter()
        """Checks that the provider carried out, by its session id and the code."""
        self.cancels_done: dict[str, list[float]] = defaultdict(list)
        """When the provider carried out a cancel, by the order's id."""
        self._texts: dict[str, str] = {}

    def code_of(self, message: Message) -> str:
        """The code in a message of a session, as the phone shows it; empty if unknown."""
        if message.account.provider == "otpservice":
            return self.codes.get(message.provider_id, "")
        if message.account.provider == "haosms":
            return self._texts.get(message.recipient.removeprefix("+86"), "")
        return self._texts.get(message.reference, "").removeprefix("Code ")

    def record(self, entry: dict[str, Any]) -> None:
        super().record(entry)
        at = float(entry["at"])
        if entry["kind"] == PUSH:
            self._record_push(entry, at)
            return
        self.struck += bool(entry["fault"])
        operation, reference = entry["operation"], str(entry["reference"])
        if not entry["accepted"]:
            return
        if operation == SEND_OPERATIONS.get(entry["provider"]):
            self.accepted_at[reference].append(at)
            if entry["provider"] == "haorui":
                self._texts[reference] = str(entry["fields"].get("textmessage", ""))
            elif entry["provider"] == "haosms":
                phone, _, code = reference.partition(":")
                self._texts[phone] = code
        elif operation == "create_order":
            self.accepted_at[str(entry["message_id"])].append(at)
        elif operation == "cancel_order":
            self.cancels_done[str(entry["fields"]["order_id"])].append(at)
        elif operation == "code":
            self.checks_done[str(entry["fields"]["sid"]), str(entry["fields"]["code"])] += 1

    def _record_push(self, entry: dict[str, Any], at: float) -> None:
        if entry["status"] == 200:
            self.stored[entry["account"], content_of(entry["fields"])].append(at)
        else:
            self.unanswered += 1


def content_of(fields: dict[str, Any]) -> frozenset[tuple[str, str]]:
    return frozenset((name, str(value)) for name, value in fields.items())
