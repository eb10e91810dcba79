"""Push callbacks as providers do, and process them."""

from __future__ import annotations

import json
from typing import Any

from django.http import HttpResponse
from django.test import Client

from providers.callbacks import process
from providers.models import Account, Callback


def token_of(account: Account) -> str:
    token = account.callback_tokens.order_by("-pk").first()
    assert token is not None
    return str(token.value.reveal())


def push_json(account: Account, report: Any, token: str = "", **headers: Any) -> HttpResponse:
    """POST a report as HAORUI's platform does."""
    path = f"/callbacks/{token or token_of(account)}/"
    posted: Any = Client().post(path, json.dumps(report), "application/json", **headers)
    answer: HttpResponse = posted
    return answer


def push_get(account: Account, query: str, token: str = "", **headers: Any) -> HttpResponse:
    """GET the address as the OTP Service does."""
    path = f"/callbacks/{token or token_of(account)}/?{query}"
    got: Any = Client().get(path, **headers)
    answer: HttpResponse = got
    return answer


def push_report(account: Account, word: str = "Delivered") -> Callback:
    """Push a delivery report of HAORUI; returns the only stored row."""
    push_json(account, {"uid": "u1", "message_id": 5, "DLRStatus": word, "ErrorCode": "000"})
    return only_callback()


def process_received() -> None:
    """Process every callback that is still in the state received, due or not."""
    process.process_rows(
        list(Callback.objects.filter(state="received").values_list("pk", flat=True))
    )


def only_callback() -> Callback:
    return Callback.objects.get()
