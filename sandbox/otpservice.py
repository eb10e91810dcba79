"""Simulates the OTP Service: `/send`, `/code`, and the two callbacks.

Source: "OTP Service API", steps 1 to 4. The provider makes the code and checks it. No phone
receives it here, so the book has it (`fields["generated_code"]` of the send). The document gives
a CODE for every refusal and no HTTP status, so the status is 200 unless the setting
`http_status_follows_code` is on. Callbacks are GETs to the account's `callback_url`.

A number that ends in 999001 is reported "Wrong number", one in 999003 is never reported.
"""

from __future__ import annotations

import itertools
import re
import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlencode

from sandbox import credentials
from sandbox.book import Book
from sandbox.callbacks import Push, Pusher, Timing
from sandbox.exchange import Reply, Request
from sandbox.provider import (
    SILENT_ENDING,
    UNREACHABLE_ENDING,
    Account,
    Call,
    ControlError,
    Provider,
    Settings,
)

PATHS = {"/send": "send", "/code": "code"}
MSISDN = re.compile(r"\+?[0-9]{6,15}")
MESSAGES = {
    "200": "",
    "400": "Incorrect request parameters",
    "401": "Incorrect username or password",
    "412": "Account is not activated",
    "500": "Internal server error",
}
CALLBACK_MESSAGES = {"200": "", "400": "Wrong number", "500": "Internal server error"}
FIRST_MSGID = 100
SEND_STATUS, CHECK_RESULT = "0", "1"


@dataclass
class OTPServiceSettings(Settings):
    """The OTP Service's settings.

    report_delay: seconds from an answer to its callback; None: only on request.
    fixed_code: the code of every session; "" generates a new one each time.
    placeholder_msgid: answer MSGID "0" to every send, as the document's sample does.
    extid_in_code_answer: the field table of /code lists EXTID, its example omits it.
    max_attempts, validity: wrong tries and seconds until a code expires; the document gives none.
    """

    report_delay: float | None = 2.0
    fixed_code: str = ""
    placeholder_msgid: bool = False
    extid_in_code_answer: bool = False
    http_status_follows_code: bool = False
    max_attempts: int = 5
    validity: float = 600.0


@dataclass
class Session:
    """One sent code."""

    msgid: int
    msisdn: str
    eid: str
    code: str
    account: Account
    made: float
    attempts: int = 0
    used: bool = False


class OTPService(Provider):
    name = "otpservice"
    label = "OTP Service"
    operations = ("send", "code")
    phone_fields = {"send": ("msisdn", "generated_code")}
    report_operation, report_field = "type_0", "STATUS"
    delivered_word, failed_word = "SUCCESS", "ERROR"
    report_words = ("SUCCESS", "ERROR")
    settings: OTPServiceSettings

    def __init__(self, book: Book, pusher: Pusher) -> None:
        super().__init__(book, pusher)
        self.settings = OTPServiceSettings()
        self.sessions: dict[str, Session] = {}
        self._ids = itertools.count(FIRST_MSGID)

    def default_account(self) -> Account:
        login, password = credentials.OTPSERVICE_USERNAME, credentials.OTPSERVICE_PASSWORD
        return Account(credentials.PRACTICE, login, password)

    def route(self, method: str, path: str) -> str | None:
        return PATHS.get(path) if method == "GET" else None

    def read(self, operation: str, request: Request) -> Call:
        values: dict[str, object] = dict(request.parameters())
        login, password = values.pop("username", None), values.pop("password", None)
        if not login or not password:
            values["missing"] = ["username or password"]
        reference = str(values.get("eid", "")) if operation == "send" else ""
        return Call(operation, self.find(login, password), values, reference)

    def act(self, call: Call) -> Reply:
        required = ("msisdn", "eid") if call.operation == "send" else ("sid", "code")
        if "missing" in call.fields or not all(call.fields.get(name) for name in required):
            return self._refuse(call, "400")
        if call.account is None:
            return self._refuse(call, "401")
        if not call.account.active:
            return self._refuse(call, "412")
        if call.operation == "send":
            return self._send(call, call.account)
        return self._check(call, call.account)

    def _refuse(self, call: Call, code: str) -> Reply:
        payload: dict[str, object] = {"STATUS": "ERROR", "MSG": MESSAGES[code], "CODE": code}
        payload["MSGID"] = "0" if call.operation == "send" else 0
        status = int(code) if self.settings.http_status_follows_code else 200
        return Reply(payload, status, f"refused: {code} {MESSAGES[code]}", accepted=False)

    def _send(self, call: Call, account: Account) -> Reply:
        msisdn = str(call.fields["msisdn"])
        if not MSISDN.fullmatch(msisdn):
            return self._refuse(call, "400")
        code = self.settings.fixed_code or f"{secrets.randbelow(1_000_000):06d}"
        eid = str(call.fields["eid"])
        session = Session(next(self._ids), msisdn, eid, code, account, time.monotonic())
        self.sessions[str(session.msgid)] = session
        reached = "400" if msisdn.endswith(UNREACHABLE_ENDING) else "200"
        self._report_later(session, SEND_STATUS, reached, call.timing)
        shown = "0" if self.settings.placeholder_msgid else str(session.msgid)
        payload = {"STATUS": "SUCCESS", "MSG": "", "CODE": "200", "MSGID": shown}
        notes: dict[str, object] = {"generated_code": code}
        return Reply(payload, outcome="submitted", message_id=str(session.msgid), notes=notes)

    def _session(self, sid: str, account: Account) -> Session | None:
        session = self.sessions.get(sid)
        if session is None and sid == "0" and self.settings.placeholder_msgid:
            # The placeholder identifies no session, so it means the latest one.
            mine = [one for one in self.sessions.values() if one.account is account]
            session = mine[-1] if mine else None
        return session if session and session.account is account else None

    def _check(self, call: Call, account: Account) -> Reply:
        sid = str(call.fields["sid"])
        session = self._session(sid, account)
        if session is None:
            return self._refuse(call, "400")
        passed = self._try(session, str(call.fields["code"]))
        self._report_later(session, CHECK_RESULT, "200" if passed else "400", call.timing)
        payload: dict[str, object] = {"STATUS": "SUCCESS", "MSG": "", "CODE": "200"}
        payload["MSGID"] = int(sid)
        if self.settings.extid_in_code_answer:
            payload["EXTID"] = session.eid
        payload["RESULT"] = "PASS" if passed else "FAILED"
        return Reply(payload, outcome=str(payload["RESULT"]), message_id=str(session.msgid))

    def _try(self, session: Session, code: str) -> bool:
        age = time.monotonic() - session.made
        alive = not session.used and age <= self.settings.validity
        passed = alive and session.attempts < self.settings.max_attempts and code == session.code
        session.attempts += 1
        session.used = session.used or passed
        return passed

    def _report_later(self, session: Session, kind: str, code: str, timing: Timing) -> None:
        delay = self.settings.report_delay
        if delay is not None and not session.msisdn.endswith(SILENT_ENDING):
            word = "SUCCESS" if code == "200" else "ERROR"
            push = _push(session, {"STATUS": word, "TYPE": kind, "CODE": code})
            self.pusher.schedule(push, delay, timing)

    def report(
        self, message_id: str, word: str, fields: Mapping[str, str], delay: float = 0.0
    ) -> None:
        """Push TYPE 0 with this STATUS. Pass TYPE "1" in `fields` for a check result."""
        session = self.sessions.get(message_id)
        if session is None:
            raise ControlError(
                f"The OTP Service has no message {message_id}.", "unknown_message", id=message_id
            )
        if not session.account.callback_url:
            raise ControlError(
                f"Account {session.account.label} has no callback_url.",
                "account_without_callback_url",
                name=session.account.label,
            )
        code = "200" if word == "SUCCESS" else "400"
        values = {"STATUS": word, "TYPE": SEND_STATUS, "CODE": code, **fields}
        self.pusher.schedule(_push(session, values), delay)

    def reset(self) -> None:
        with self.lock:
            self.sessions.clear()

    def contradict(self, payload: dict[str, object]) -> dict[str, object]:
        """STATUS SUCCESS with CODE 500, or STATUS ERROR with CODE 200."""
        good = payload.get("STATUS") == "SUCCESS"
        return {**payload, "CODE": "500" if good else "200"}


def _push(session: Session, values: Mapping[str, str]) -> Push:
    parameters = {
        "STATUS": values["STATUS"],
        "MSG": CALLBACK_MESSAGES.get(values["CODE"], ""),
        "TYPE": values["TYPE"],
        "CODE": values["CODE"],
        "MSGID": str(session.msgid),
        "EXTID": session.eid,
        **values,
    }
    url = session.account.callback_url
    joint = "&" if "?" in url else "?"
    return Push(
        provider=OTPService.name,
        account=session.account.label,
        operation=f"type_{parameters['TYPE']}",
        message_id=str(session.msgid),
        method="GET",
        url=f"{url}{joint}{urlencode(parameters)}" if url else "",
        fields=parameters,
    )
