"""Callbacks in any order, repeated or malformed, give the same result and never an error."""

from __future__ import annotations

import json
import random
from itertools import permutations
from typing import Any
from urllib.parse import urlencode

import pytest
from django.test import Client as Browser
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from messaging.models import Message, Report
from providers.models import Account, Callback
from tests.factories.accounts import make_account
from tests.factories.messages import make_message
from tests.providers.callbacks.pushes import process_received, token_of

pytestmark = [pytest.mark.django_db, pytest.mark.slow]

WORDS = [
    "Pending",
    "Delivered",
    "DELIVRD",
    "Undeliverable",
    "Expired",
    "Rejected",
    "Unknown",
    "Teleported",
    "",
]
SAME_DATABASE = settings(
    max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
odd_values = st.one_of(
    st.none(), st.booleans(), st.integers(), st.text(max_size=8), st.lists(st.text())
)
report = st.fixed_dictionaries(
    {},
    optional={
        "uid": st.sampled_from(["ours", "another", "", "0"]),
        "message_id": st.sampled_from([26471304, "26471304", "0", None, 9]),
        "DLRStatus": st.sampled_from(WORDS),
        "ErrorCode": odd_values,
        "PhoneNumber": odd_values,
    },
)
formats = st.sampled_from(["json", "form", "get", "array"])
pushes = st.lists(st.tuples(formats, report), min_size=1, max_size=4)


def push(account: Account, format_: str, content: dict[str, Any]) -> int:
    path = f"/callbacks/{token_of(account)}/"
    browser = Browser()
    match format_:
        case "json":
            answer = browser.post(path, json.dumps(content), "application/json")
        case "array":
            answer = browser.post(path, json.dumps([content]), "application/json")
        case "form":
            form = urlencode({name: str(value) for name, value in content.items()})
            answer = browser.post(path, form, "application/x-www-form-urlencoded")
        case _:
            answer = browser.get(path, {name: str(value) for name, value in content.items()})
    return int(answer.status_code)


def with_real_reference(content: dict[str, Any], message: Message) -> dict[str, Any]:
    names = {"ours": message.reference, "another": "f" * 32}
    uid = content.get("uid")
    return {**content, "uid": names[uid]} if uid in names else content


def reset(message: Message) -> None:
    Callback.objects.all().delete()
    Report.objects.all().delete()
    Message.objects.filter(pk=message.pk).update(
        state="submitted", conflict=False, provider_id="26471304"
    )


def processed_state(message: Message) -> tuple[str, bool]:
    process_received()
    message.refresh_from_db()
    return message.state, message.conflict


@SAME_DATABASE
@given(pushes, st.randoms(use_true_random=False))
def test_result_does_not_depend_on_the_order_of_callbacks(
    sent: list[tuple[str, dict[str, Any]]], chance: random.Random
) -> None:
    message = make_message(make_account("haorui"), state="submitted")
    orders = list(permutations(sent))
    results = set()
    for order in chance.sample(orders, min(len(orders), 4)):
        reset(message)
        for format_, content in order:
            assert push(message.account, format_, with_real_reference(content, message)) == 200
        results.add(processed_state(message))
    assert len(results) == 1


@SAME_DATABASE
@given(st.lists(report, min_size=1, max_size=3), st.integers(2, 4))
def test_replayed_callbacks_change_nothing(sent: list[dict[str, Any]], times: int) -> None:
    message = make_message(make_account("haorui"), state="submitted")
    results = set()
    for repeated in (1, times):
        reset(message)
        for content in sent * repeated:
            push(message.account, "json", with_real_reference(content, message))
        results.add((processed_state(message), Callback.objects.count(), Report.objects.count()))
    assert len(results) == 1


@SAME_DATABASE
@given(st.binary(max_size=200), st.binary(max_size=60), st.sampled_from(["haorui", "otpservice"]))
def test_arbitrary_bytes_never_fail(body: bytes, query: bytes, provider: str) -> None:
    account = make_account(provider)
    path = f"/callbacks/{token_of(account)}/"
    for method in ("GET", "POST", "PUT", "HEAD"):
        answer = Browser().generic(
            method, path, body, "application/json", QUERY_STRING=query.decode("latin-1")
        )
        assert answer.status_code in (200, 405)
    process_received()
    assert not Callback.objects.filter(state="received").exists()
