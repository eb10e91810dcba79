"""Callbacks as providers push them."""

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
    """A report as HAORUI's platform posts it."""
    path = f"/callbacks/{token or token_of(account)}/"
    posted: Any = Client().post(path, json.dumps(report), "application/json", **headers)
    answer: HttpResponse = posted
    return answer


def push_get(account: Account, query: str, token: str = "", **headers: Any) -> HttpResponse:
    """A callback as the OTP Service makes it."""
    path = f"/callbacks/{token or token_of(account)}/?{query}"
    got: Any = Client().get(path, **headers)
    answer: HttpResponse = got
    return answer


def digest_all() -> None:
    """Read everything that was not read yet, whatever its time."""
    process.digest(list(Callback.objects.filter(state="received").values_list("pk", flat=True)))


def only() -> Callback:
    return Callback.objects.get()
