"""Simulates HaoSMS: `otp_msg` and `s_balance`, by GET or POST form.

Source: HaoSMS API documentation, "Send Verification Code API" and "Query Balance API". Every
answer is HTTP 200. A failure has the result 失败 (balance: "False") and its reason as text in
`msg`. The document's example has a slash after `otp_msg` and its URL has none, so both are
served. There are no delivery reports. A phone number that ends in 999001 is refused.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal

from sandbox import credentials
from sandbox.book import Book
from sandbox.callbacks import Pusher
from sandbox.exchange import Reply, Request
from sandbox.provider import UNREACHABLE_ENDING, Account, Call, Provider, Settings

PATHS = {"/extra_api/otp_msg": "otp_msg", "/user/s_balance": "s_balance"}
CONTENT = re.compile(r"[A-Za-z0-9]{1,6}")
PHONE = re.compile(r"(?!0086)(?!86[0-9]{11}$)[0-9]{6,12}")
CHINESE = re.compile(r"1[0-9]{10}")
TEMPLATES = ("", "1", "2", "3", "4")

KEY_WRONG = "api_key错误"
ACCOUNT_DISABLED = "账号已禁用"
CONTENT_WRONG = "验证码只能包含数字和英文字母,最长6位"
PHONE_WRONG = "手机号格式错误"
PHONE_REFUSED = "号码无法接收短信"
PLATFORM_WRONG = "通道不存在"
TEMPLATE_WRONG = "模板不存在"
BALANCE_LOW = "余额不足"


@dataclass
class HaoSMSSettings(Settings):
    """HaoSMS's settings.

    platforms: the existing channels.
    price: the charge for one message.
    """

    platforms: list[str] = field(
        default_factory=lambda: [
            "China OTP Channel 1",
            "China OTP Channel 2",
            "中国OTP通道1",
            "中国OTP通道2",
            "验证码通道1",
        ]
    )
    price: Decimal = Decimal(1)


class HaoSMS(Provider):
    name = "haosms"
    label = "HaoSMS"
    operations = ("otp_msg", "s_balance")
    polls = ("s_balance",)
    phone_fields = {"otp_msg": ("phone", "content")}
    settings: HaoSMSSettings

    def __init__(self, book: Book, pusher: Pusher) -> None:
        super().__init__(book, pusher)
        self.settings = HaoSMSSettings()

    def default_account(self) -> Account:
        return Account(credentials.PRACTICE, credentials.HAOSMS_API_KEY)

    def phone_number(self, written: str) -> str:
        """Chinese numbers come without their country code."""
        return f"+86{written}" if CHINESE.fullmatch(written) else f"+{written}"

    def route(self, method: str, path: str) -> str | None:
        return PATHS.get(path.removesuffix("/")) if method in ("GET", "POST") else None

    def read(self, operation: str, request: Request) -> Call:
        values = request.form()
        account = self.find(values.pop("api_key", None))
        phone, content = values.get("phone", ""), values.get("content", "")
        reference = f"{phone}:{content}" if operation == "otp_msg" else ""
        return Call(operation, account, dict(values), reference)

    def act(self, call: Call) -> Reply:
        if call.operation == "s_balance":
            return self._balance(call)
        account = call.account
        problem = self._problem(account, call.fields)
        if problem or account is None:
            return self._refuse(problem)
        account.balance -= self.settings.price
        task = secrets.token_hex(16)
        return Reply(_answer(task, "成功"), outcome="submitted", message_id=task)

    def _problem(self, account: Account | None, fields: Mapping[str, object]) -> str:
        phone = str(fields.get("phone", ""))
        if account is None:
            return KEY_WRONG
        if not account.active:
            return ACCOUNT_DISABLED
        if not PHONE.fullmatch(phone):
            return PHONE_WRONG
        if not CONTENT.fullmatch(str(fields.get("content", ""))):
            return CONTENT_WRONG
        if fields.get("platform") not in self.settings.platforms:
            return PLATFORM_WRONG
        if fields.get("tmp_id", "") not in TEMPLATES:
            return TEMPLATE_WRONG
        if account.balance < self.settings.price:
            return BALANCE_LOW
        return PHONE_REFUSED if phone.endswith(UNREACHABLE_ENDING) else ""

    def _refuse(self, problem: str) -> Reply:
        return Reply(_answer(problem, "失败"), outcome=f"refused: {problem}", accepted=False)

    def _balance(self, call: Call) -> Reply:
        if call.account is None:
            payload = _answer(KEY_WRONG, "False", name="")
            return Reply(payload, outcome=f"refused: {KEY_WRONG}", accepted=False)
        balance = call.account.balance
        number = int(balance) if balance == balance.to_integral_value() else balance
        return Reply(_answer("", "True", {"balance": number}, name=""))

    def reset(self) -> None:
        """Nothing to forget: HaoSMS has no query for earlier messages."""

    def contradict(self, payload: dict[str, object]) -> dict[str, object]:
        """Success without the task id that the document promises."""
        return {**payload, "msg": ""}


def _answer(
    msg: str,
    result: str,
    data: Mapping[str, object] | None = None,
    name: str = "extra_api.otp_msg",
) -> dict[str, object]:
    return {
        "msg": msg,
        "result": result,
        "code": "",
        "data": data,
        "datas": [],
        "name": name,
        "request_id": "",
    }
