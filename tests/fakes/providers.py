"""The four providers as their documents describe them."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from .server import Asked, Fake

LIFETIME = timedelta(minutes=10)
"""GoSMS's document: an order of 10:50 expires at 11:00."""


@dataclass
class FakeHaoSMS(Fake):
    """`result` is 成功 or 失败 for sending, True or False for the balance."""

    balance: str = "12.5"

    def answer(self, asked: Asked) -> tuple[int, bytes]:
        write = self.writing
        common = {"code": "", "datas": [], "request_id": ""}
        if asked.path == "/user/s_balance":
            data = {"balance": write.amount(self.balance)}
            values = {"msg": "", "result": write.word("True"), "data": data, "name": ""}
        elif asked.values.get("api_key") != "right":
            values = {"msg": "密钥错误", "result": write.word("失败"), "data": None}
        else:
            task = "a42739630dbe4daa8d4f5f6a530a35bc"
            values = {"msg": task, "result": write.word("成功"), "data": None}
        return 200, write.body({**values, **common, "name": "extra_api.otp_msg"})


@dataclass
class FakeHaorui(Fake):
    """`status` is S or F; `message_id` is a number."""

    refuses: bool = False
    next_id: int = 26471304

    def answer(self, asked: Asked) -> tuple[int, bytes]:
        write = self.writing
        if asked.path != "/api/SendSMS":
            return 404, b"<html>404</html>"
        if self.refuses:
            values: dict[str, Any] = {"message_id": "", "status": write.word("F")}
            return 200, write.body({**values, "remarks": "余额不足", "uid": None})
        values = {"message_id": write.number(self.next_id), "status": write.word("S")}
        remarks = "Message Submitted Sucessfully"
        return 200, write.body({**values, "remarks": remarks, "uid": asked.values.get("uid")})


@dataclass
class FakeOtpService(Fake):
    """STATUS, MSG, CODE, MSGID; for /code also RESULT and EXTID."""

    code: str = "482913"
    references: dict[str, str] = field(default_factory=dict)

    def answer(self, asked: Asked) -> tuple[int, bytes]:
        write = self.writing
        values: dict[str, Any] = {"MSG": "", "STATUS": write.word("SUCCESS")}
        if asked.path == "/send":
            self.references["100"] = asked.values["eid"]
            values |= {"CODE": write.number(200), "MSGID": write.number(100)}
        else:
            result = "PASS" if asked.values["code"] == self.code else "FAILED"
            values |= {"CODE": write.number(200), "MSGID": write.number(int(asked.values["sid"]))}
            values |= {"RESULT": write.word(result), "EXTID": self.references.get("100", "")}
        return 200, write.body(values)


@dataclass
class FakeGoSMS(Fake):
    """Orders of numbers. `code` and `content` are only stated once the SMS has arrived."""

    base: str = "/api/v1"
    orders: dict[int, dict[str, Any]] = field(default_factory=dict)
    error: object = None
    """Stated as `error` beside every success."""
    ids: Any = field(default_factory=lambda: itertools.count(12345))

    def answer(self, asked: Asked) -> tuple[int, bytes]:
        if asked.headers.get("authorization") != "Bearer ch_right":
            return 401, self.writing.body({"error": "未授权", "code": "UNAUTHORIZED"})
        path = asked.path.removeprefix(self.base)
        values = self._values(asked, path)
        return 200, self.writing.body({**values, "error": self.error})

    def _values(self, asked: Asked, path: str) -> dict[str, Any]:
        write = self.writing
        if path == "/order":
            return self._place(asked)
        if path == "/user/balance":
            return {"balance": write.amount("1000.50"), "frozen_balance": write.amount("50.00")}
        if path == "/user/orders":
            rows = [self._order(order) for order in self.orders.values()]
            count = write.number(len(rows))
            return {"orders": rows, "total": count, "page": write.number(1)}
        return self._order(self.orders[int(path.removeprefix("/order/"))])

    def _place(self, asked: Asked) -> dict[str, Any]:
        order_id = next(self.ids)
        self.orders[order_id] = {
            "id": order_id,
            "region": asked.values["region"],
            "project": asked.values["project_code"],
            "state": "pending",
            "code": None,
            "created": datetime.now(UTC).replace(microsecond=0),
        }
        return self._order(self.orders[order_id])

    def receive(self, order_id: int, code: str) -> None:
        self.orders[order_id] |= {"state": "received", "code": code}

    def _order(self, order: dict[str, Any]) -> dict[str, Any]:
        write = self.writing
        code = order["code"]
        values = {
            "order_id": write.number(order["id"]),
            "phone": "+6281234567890",
            "project_code": order["project"],
            "region": order["region"],
            "price": write.amount("0.50"),
            "status": write.word(order["state"]),
            "code": write.no_code if code is None else code,
            "content": None if code is None else f"您的验证码是 {code}",
            "created_at": write.time(order["created"]),
            "expired_at": write.time(order["created"] + LIFETIME),
        }
        return {key: value for key, value in values.items() if key not in write.leave_out}
