"""The journal of the last days: the call of each message, with its secrets hidden as ever."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import timedelta
from typing import Any, Final
from urllib.parse import quote

from messaging.models import Message
from messaging.states import MessageState
from providers.gateway.vocabulary import Outcome
from providers.models import ApiCall

from .ground import Ground
from .messages import Draft

S = MessageState

JOURNAL_KEPT: Final = timedelta(days=4)
HIDDEN: Final = "[hidden]"
DOT: Final = "•"


def write_calls(ground: Ground, drafts: Sequence[Draft]) -> None:
    """Store the calls of the stored messages that left within `JOURNAL_KEPT`."""
    since = ground.now - JOURNAL_KEPT
    sent = [one.message for one in drafts]
    recent = [one for one in sent if one.handed_over_at and one.handed_over_at > since]
    recent.sort(key=lambda one: one.handed_over_at or one.created_at)
    ApiCall.objects.bulk_create([_call(message) for message in recent], 200)


def _call(message: Message) -> ApiCall:
    began = message.handed_over_at or message.created_at
    ended = message.answered_at or began
    outcome = {S.REFUSED: Outcome.REFUSED, S.UNKNOWN: Outcome.UNKNOWN}.get(
        MessageState(message.state), Outcome.DONE
    )
    return ApiCall(
        account=message.account,
        subject=f"message:{message.pk}",
        started_at=began,
        duration=round((ended - began).total_seconds(), 3),
        outcome=outcome,
        reason=message.reason,
        http_status=message.http_status,
        **_WRITTEN[message.account.provider](message),
    )


def _masked(digits: str) -> str:
    return digits[:3] + DOT * (len(digits) - 7) + digits[-4:]


def _haorui(message: Message) -> dict[str, Any]:
    asked = {
        "api_id": HIDDEN,
        "api_password": HIDDEN,
        "sms_type": message.sms_kind,
        "encoding": "U" if message.encoding == "ucs2" else "T",
        "sender_id": message.sender_id,
        "phonenumber": _masked(message.recipient[1:]),
        "textmessage": HIDDEN,
        "uid": message.reference,
        "callback_url": HIDDEN,
    }
    answer = {
        "message_id": int(message.provider_id or 0),
        "status": "S" if message.provider_id else "F",
        "remarks": message.words,
        "uid": message.reference,
    }
    return {
        "operation": "send_text",
        "method": "POST",
        "url": f"{message.account.base_url}/api/SendSMS",
        "request_body": json.dumps(asked, ensure_ascii=False),
        "answer_body": json.dumps(answer) if message.http_status else "",
    }


def _haosms(message: Message) -> dict[str, Any]:
    digits = message.recipient.removeprefix("+86").removeprefix("+")
    asked = f"api_key={HIDDEN}&phone={_masked(digits)}&content={HIDDEN}"
    answer: dict[str, object] = {
        "msg": message.provider_id or message.words,
        "result": "成功" if message.provider_id else "失败",
        "code": "",
        "data": None,
        "datas": [],
        "name": "extra_api.otp_msg",
        "request_id": "",
    }
    return {
        "operation": "send_code",
        "method": "POST",
        "url": f"{message.account.base_url}/extra_api/otp_msg",
        "request_body": f"{asked}&platform={quote(message.channel)}&tmp_id={message.template}",
        "answer_body": json.dumps(answer, ensure_ascii=False),
    }


def _otpservice(message: Message) -> dict[str, Any]:
    asked = f"msisdn={_masked(message.recipient[1:])}&username={HIDDEN}&password={HIDDEN}"
    is_sent = bool(message.provider_id)
    answer = {
        "STATUS": "SUCCESS" if is_sent else "ERROR",
        "MSG": "" if is_sent else message.words,
        "CODE": "200" if is_sent else "400",
        "MSGID": message.provider_id,
    }
    return {
        "operation": "start_code",
        "method": "GET",
        "url": f"{message.account.base_url}/send?{asked}&eid={message.reference}",
        "request_body": "",
        "answer_body": json.dumps(answer),
    }


_WRITTEN: Final = {"haorui": _haorui, "haosms": _haosms, "otpservice": _otpservice}
