"""Simulates HAORUI: `/api/SendSMS` by POST JSON or GET, and the delivery reports it pushes.

Source: HAORUI "Single sending interface". The document describes neither delivery reports nor
failures. Both follow the platform that HAORUI runs on: the report is a POST of JSON to
`callback_url`, a missing parameter is HTTP 404, and a refusal has status F.

A phone number that ends in 999001 is reported Undeliverable, one in 999003 is never reported.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal

from sandbox import credentials
from sandbox.book import Book
from sandbox.callbacks import Push, Pusher, Timing
from sandbox.exchange import Reply, Request, dump_json
from sandbox.provider import (
    SILENT_ENDING,
    UNREACHABLE_ENDING,
    Account,
    Call,
    ControlError,
    Provider,
    Settings,
)

REQUIRED = (
    "api_id",
    "api_password",
    "sms_type",
    "encoding",
    "sender_id",
    "phonenumber",
    "textmessage",
)
PHONE = re.compile(r"[1-9][0-9]{6,14}")
MISSING = {"StatusCode": 404, "ReasonPhrase": "Missing Parameters"}
FIRST_MESSAGE_ID = 26471304
REPORT_GAP = 0.05
MIXED_LOST, MIXED_FAILED = 1, 3


@dataclass
class HaoruiSettings(Settings):
    """HAORUI's settings.

    report_delay: seconds from the answer to the first report; None: only on request.
    report_words: the status words reported for each message, in order.
    refuse_parallel: refuse overlapping calls ("IP not Whitelisted"), as this platform does.
    mixed: of 100 messages 3 are reported as not delivered, and 1 is never reported.
    """

    report_delay: float | None = 2.0
    report_words: list[str] = field(default_factory=lambda: ["Delivered"])
    price: Decimal = Decimal(1)
    refuse_parallel: bool = False
    mixed: bool = False


@dataclass(frozen=True)
class Message:
    """An accepted message, kept for later reports."""

    message_id: int
    phone: str
    uid: object
    account: str
    callback_url: str


class Haorui(Provider):
    name = "haorui"
    label = "HAORUI"
    operations = ("send",)
    phone_fields = {"send": ("phonenumber", "textmessage")}
    report_field = "DLRStatus"
    delivered_word, failed_word = "Delivered", "Undeliverable"
    report_words = (
        "Delivered",
        "Pending",
        "Undeliverable",
        "Acknowledged",
        "Expired",
        "Accepted",
        "Rejected",
        "Unknown",
        "Failed",
        "DND",
    )
    settings: HaoruiSettings

    def __init__(self, book: Book, pusher: Pusher) -> None:
        super().__init__(book, pusher)
        self.settings = HaoruiSettings()
        self.messages: dict[str, Message] = {}
        self._ids = itertools.count(FIRST_MESSAGE_ID)

    def default_account(self) -> Account:
        login, password = credentials.HAORUI_API_ID, credentials.HAORUI_API_PASSWORD
        return Account(credentials.PRACTICE, login, password)

    def route(self, method: str, path: str) -> str | None:
        return "send" if path == "/api/SendSMS" and method in ("GET", "POST") else None

    def read(self, operation: str, request: Request) -> Call:
        values: dict[str, object] = {}
        if request.method == "POST":
            values.update(request.json_object() or {})
        else:
            values.update(request.parameters())
        missing = [name for name in REQUIRED if values.get(name) in (None, "")]
        account = self.find(values.pop("api_id", None), values.pop("api_password", None))
        if missing:
            values["missing"] = missing
        uid = values.get("uid")
        return Call(operation, account, values, str(uid) if uid else "")

    def act(self, call: Call) -> Reply:
        fields, account = call.fields, call.account
        if "missing" in fields:
            return Reply(MISSING, 404, "refused: Missing Parameters", accepted=False)
        problem = self._problem(call)
        if problem or account is None:
            payload = _answer("", "F", problem, fields.get("uid"))
            return Reply(payload, outcome=f"refused: {problem}", accepted=False)
        account.balance -= self.settings.price
        message = Message(
            next(self._ids),
            str(fields["phonenumber"]),
            fields.get("uid"),
            account.label,
            str(fields.get("callback_url") or ""),
        )
        self.messages[str(message.message_id)] = message
        self._report_later(message, call.timing)
        # The document has this spelling.
        remarks = "Message Submitted Sucessfully"
        payload = _answer(message.message_id, "S", remarks, message.uid)
        return Reply(payload, outcome="submitted", message_id=str(message.message_id))

    def _problem(self, call: Call) -> str:
        fields, account = call.fields, call.account
        named = (*REQUIRED[2:], "uid", "callback_url")
        wrong = [name for name in named if not isinstance(fields.get(name, ""), str | None)]
        phone = fields["phonenumber"]
        if account is None:
            return "Invalid API ID or Password"
        if not account.active:
            return "Account is not active"
        if self.settings.refuse_parallel and call.in_flight > 1:
            return "IP not Whitelisted"
        if wrong:
            return f"Invalid type: {', '.join(wrong)}"
        if fields["sms_type"] not in ("P", "T"):
            return "Invalid SMS Type"
        if fields["encoding"] not in ("T", "U"):
            return "Invalid Encoding"
        if not PHONE.fullmatch(str(phone)):
            return "Invalid Phone Number"
        return "Insufficient balance" if account.balance < self.settings.price else ""

    def _report_later(self, message: Message, timing: Timing) -> None:
        delay = self.settings.report_delay
        if delay is None or message.phone.endswith(SILENT_ENDING):
            return
        words = self.settings.report_words
        place = message.message_id % 100 if self.settings.mixed else 100
        if place < MIXED_LOST:
            return
        if place < MIXED_LOST + MIXED_FAILED:
            words = ["Undeliverable"]
        if message.phone.endswith(UNREACHABLE_ENDING):
            words = ["Undeliverable"]
        for index, word in enumerate(words):
            # Only the first report is overtaken. Two would wait for each other forever.
            step = Timing(timing.twice, timing.late, timing.overtaken and index == 0, timing.lost)
            self.pusher.schedule(_push(message, word, {}), delay + index * REPORT_GAP, step)

    def report(
        self, message_id: str, word: str, fields: Mapping[str, str], delay: float = 0.0
    ) -> None:
        message = self.messages.get(message_id)
        if message is None:
            raise ControlError(
                f"HAORUI has no message {message_id}.", "unknown_message", id=message_id
            )
        if not message.callback_url:
            raise ControlError(
                f"Message {message_id} came without a callback_url.",
                "no_callback_url",
                id=message_id,
            )
        self.pusher.schedule(_push(message, word, fields), delay)

    def reset(self) -> None:
        with self.lock:
            self.messages.clear()

    def contradict(self, payload: dict[str, object]) -> dict[str, object]:
        """Status "submitted" with the remarks of a failure and the uid of another message."""
        return {**payload, "remarks": "Insufficient balance", "uid": "uid-of-another-message"}


def _answer(message_id: object, status: str, remarks: str, uid: object) -> dict[str, object]:
    return {"message_id": message_id, "status": status, "remarks": remarks, "uid": uid or None}


def _push(message: Message, word: str, fields: Mapping[str, str]) -> Push:
    failed = word not in ("Delivered", "Pending", "Acknowledged", "Accepted")
    report: dict[str, object] = {
        "message_id": str(message.message_id),
        "PhoneNumber": message.phone,
        "DLRStatus": word,
        "SMSID": f"sms-{message.message_id}",
        "ErrorCode": "001" if failed else "",
        "ErrorDescription": word if failed else "",
        "uid": message.uid,
        "ClientCost": 1,
        "Remarks": "",
        **fields,
    }
    return Push(
        provider=Haorui.name,
        account=message.account,
        operation="report",
        message_id=str(message.message_id),
        method="POST",
        url=message.callback_url,
        body=dump_json(report),
        headers={"Content-Type": "application/json"},
        fields=report,
    )
