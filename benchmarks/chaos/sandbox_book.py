"""The sandbox's book, read during the run, since it keeps 20,000 entries only."""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import Any

from sandbox.remote import Remote

SEND_OPERATIONS = {"haorui": "send", "haosms": "otp_msg", "otpservice": "send"}


class SandboxBook:
    def __init__(self, remote: Remote) -> None:
        self._remote = remote
        self._last = 0
        self.missed = 0
        """Entries that dropped out of the book before they were read."""
        self.sent: dict[str, Counter[str]] = defaultdict(Counter)
        """By provider: accepted sends for each reference (uid, eid, or phone and code)."""
        self.codes: dict[str, str] = {}
        """The codes that the OTP Service made, by its session id."""
        self.checks: Counter[tuple[str, str]] = Counter()
        """By session id and code, with any answer."""
        self.passed: set[tuple[str, str]] = set()
        self.orders: dict[tuple[str, str, str], list[str]] = defaultdict(list)
        """By account, app and country: the ids of the created orders."""
        self.cancels: Counter[str] = Counter()
        """By the order's id, with any answer."""
        self.cancelled: set[str] = set()
        self.sms_codes: dict[str, str] = {}
        """The codes that arrived on rented numbers, by the order's id."""

    def read(self) -> None:
        """Read the new entries."""
        new = self._remote.entries(after=self._last, limit=1_000_000)
        for entry in new:
            number = int(str(entry["number"]))
            self.missed += number - self._last - 1
            self._last = number
            self.record(entry)

    def repeated(self) -> list[str]:
        """References that a provider accepted more than once, by the sandbox's own count."""
        found = self._remote.state()["repeated"]
        return list(map(str, found)) if isinstance(found, list) else []

    def record(self, entry: dict[str, Any]) -> None:
        provider, operation, fields = entry["provider"], entry["operation"], entry["fields"]
        if operation == SEND_OPERATIONS.get(provider) and entry["accepted"]:
            self.sent[provider][entry["reference"]] += 1
            if provider == "otpservice":
                self.codes[entry["message_id"]] = fields["generated_code"]
        elif (provider, operation) == ("otpservice", "code"):
            checked = str(fields["sid"]), str(fields["code"])
            self.checks[checked] += 1
            if entry["outcome"] == "PASS":
                self.passed.add(checked)
        elif provider == "gosms":
            self._record_rental(entry)

    def _record_rental(self, entry: dict[str, Any]) -> None:
        operation, fields, order = entry["operation"], entry["fields"], entry["message_id"]
        if operation == "create_order" and entry["accepted"]:
            pair = entry["account"], str(fields["project_code"]), str(fields["region"])
            self.orders[pair].append(order)
        elif operation == "cancel_order":
            self.cancels[str(fields["order_id"])] += 1
            if entry["accepted"]:
                self.cancelled.add(order)
        elif operation == "sms":
            self.sms_codes[order] = str(fields["code"])
