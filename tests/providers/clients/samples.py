"""The sample answers of the providers' documents, and one call for each of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from providers.gateway.vocabulary import (
    CodeCheck,
    Encoding,
    OwnCode,
    ProviderCode,
    SmsKind,
    TextMessage,
)

RECIPIENT = "+8613312345678"
TEXT = "[LIASMART] Your verification code is 112233, which is valid within 5 minutes."
CODE = "x7K2pQ"
REFERENCE = "m-4f1d2c"
CALLBACK_URL = "https://portal.example/callbacks/tokentokentokentoken/"

MESSAGE = TextMessage(
    recipient=RECIPIENT,
    text=TEXT,
    kind=SmsKind.TRANSACTIONAL,
    sender_id="LIASMT",
    encoding=Encoding.UCS2,
    reference=REFERENCE,
    callback_url=CALLBACK_URL,
)


def own_code(client: Any) -> OwnCode:
    channel = client.channels("CN", client.login.options)[0]
    return OwnCode(RECIPIENT, CODE, channel, client.default_template)


CALLS: dict[str, Callable[[Any], object]] = {
    "send_text": lambda client: client.send_text(MESSAGE),
    "send_code": lambda client: client.send_code(own_code(client)),
    "start_code": lambda client: client.start_code(ProviderCode(RECIPIENT, REFERENCE)),
    "check_code": lambda client: client.check_code(CodeCheck("100", CODE)),
    "fetch_balance": lambda client: client.fetch_balance(),
    "fetch_profile": lambda client: client.fetch_profile(),
    "place_order": lambda client: client.place_order("whatsapp", "ID"),
    "fetch_order": lambda client: client.fetch_order("12345"),
    "cancel_order": lambda client: client.cancel_order("12345"),
    "list_orders": lambda client: client.list_orders(page=1, page_size=20),
    "list_transactions": lambda client: client.list_transactions(page=1, page_size=20),
}

PAID = {"send_text", "send_code", "start_code", "check_code", "place_order"}
CONFIRMED = {"cancel_order"}

HAOSMS_SENT = """{
    "msg": "a42739630dbe4daa8d4f5f6a530a35bc",
    "result": "成功",
    "code": "",
    "data": null,
    "datas": [],
    "name": "extra_api.otp_msg",
    "request_id": ""
}"""
HAOSMS_BALANCE = """{
    "msg": "",
    "result": "True",
    "code": "",
    "data": {
        "balance": 0
    },
    "datas": [],
    "name": "",
    "request_id": ""
}"""
HAORUI_SENT = """{
    "message_id": 26471304,
    "status": "S",
    "remarks": "Message Submitted Sucessfully",
    "uid": null
}"""
OTP_SENT = """{"STATUS": "SUCCESS","MSG":"","CODE":"200", "MSGID": "0"}"""
OTP_CHECKED = """{"STATUS":"SUCCESS","MSG":"","CODE":"200", "MSGID": 100, "RESULT": "PASS"}"""
GOSMS_BALANCE = """{
"balance": 1000.50,
"frozen_balance": 50.00,
"available_balance": 950.50,
"credit_limit": 5000.00
}"""
GOSMS_PLACED = """{
"order_id": 12345,
"phone": "+6281234567890",
"project_code": "whatsapp",
"region": "ID",
"price": 0.50,
"status": "pending",
"expired_at": "2025-12-03T11:00:00Z",
"created_at": "2025-12-03T10:50:00Z"
}"""
GOSMS_PENDING = """{
"order_id": 12345,
"phone": "+6281234567890",
"project_code": "whatsapp",
"region": "ID",
"status": "pending",
"price": 0.50,
"code": null,
"content": null,
"expired_at": "2025-12-03T11:00:00Z",
"created_at": "2025-12-03T10:50:00Z"
}"""
GOSMS_RECEIVED = """{
"order_id": 12345,
"phone": "+6281234567890",
"project_code": "whatsapp",
"region": "ID",
"status": "received",
"price": 0.50,
"code": "123456",
"content": "Your WhatsApp code is 123456",
"received_at": "2025-12-03T10:55:00Z",
"expired_at": "2025-12-03T11:00:00Z",
"created_at": "2025-12-03T10:50:00Z"
}"""
GOSMS_CANCELLED = """{
"message": "订单已取消,金额已退回",
"refund_amount": 0.50
}"""
GOSMS_PROFILE = """{
"user_id": 123,
"username": "channel_demo",
"email": "demo@example.com",
"balance": 1000.50,
"frozen_balance": 50.00,
"credit_limit": 5000.00,
"billing_type": "postpaid",
"is_active": true,
"created_at": "2025-01-01T00:00:00Z"
}"""
GOSMS_TRANSACTIONS = """{
"transactions": [
{
"id": 1001,
"type": "Deposit",
"amount": 100.00,
"balance_snapshot": 1100.50,
"description": "充值",
"created_at": "2025-12-03T10:00:00Z"
},
{
"id": 1002,
"type": "Hold",
"amount": 0.50,
"balance_snapshot": 1100.00,
"frozen_balance_snapshot": 0.50,
"description": "订单冻结",
"order_id": 12345,
"created_at": "2025-12-03T10:50:00Z"
}
],
"total": 156,
"page": 1,
"page_size": 20
}"""
GOSMS_ORDERS = """{
"orders": [
{
"order_id": 12345,
"phone": "+6281234567890",
"project_code": "whatsapp",
"region": "ID",
"status": "completed",
"price": 0.50,
"code": "123456",
"created_at": "2025-12-03T10:50:00Z",
"received_at": "2025-12-03T10:55:00Z"
}
],
"total": 156,
"page": 1,
"page_size": 20
}"""

SAMPLES = {
    ("haosms", "send_code"): HAOSMS_SENT,
    ("haosms", "fetch_balance"): HAOSMS_BALANCE,
    ("haorui", "send_text"): HAORUI_SENT,
    ("otpservice", "start_code"): OTP_SENT,
    ("otpservice", "check_code"): OTP_CHECKED,
    ("gosms", "fetch_balance"): GOSMS_BALANCE,
    ("gosms", "fetch_profile"): GOSMS_PROFILE,
    ("gosms", "place_order"): GOSMS_PLACED,
    ("gosms", "fetch_order"): GOSMS_RECEIVED,
    ("gosms", "cancel_order"): GOSMS_CANCELLED,
    ("gosms", "list_orders"): GOSMS_ORDERS,
    ("gosms", "list_transactions"): GOSMS_TRANSACTIONS,
}
