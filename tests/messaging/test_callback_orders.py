"""Callbacks in every order, repeated and odd: the same end, and never a fault."""

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
odd = st.one_of(st.none(), st.booleans(), st.integers(), st.text(max_size=8), st.lists(st.text()))
report = st.fixed_dictionaries(
    {},
    optional={
        "uid": st.sampled_from(["ours", "another", "", "0"]),
        "message_id": st.sampled_from([26471304, "26471304", "0", None, 9]),
        "DLRStatus": st.sampled_from(WORDS),
        "ErrorCode": odd,
        "PhoneNumber": odd,
    },
)
way = st.sampled_from(["json", "form", "get", "array"])
pushes = st.lists(st.tuples(way, report), min_size=1, max_size=4)


def push(account: Account, how: str, content: dict[str, Any]) -> int:
    path = f"/callbacks/{token_of(account)}/"
    browser = Browser()
    match how:
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


def named(content: dict[str, Any], message: Message) -> dict[str, Any]:
    names = {"ours": message.reference, "another": "f" * 32}
    uid = content.get("uid")
    return {**content, "uid": names[uid]} if uid in names else content


def begin_again(message: Message) -> None:
    Callback.objects.all().delete()
    Report.objects.all().delete()
    Message.objects.filter(pk=message.pk).update(
        state="submitted", conflict=False, provider_id="26471304"
    )


def end_of(message: Message) -> tuple[str, bool]:
    process_received()
    message.refresh_from_db()
    return message.state, message.conflict


@SAME_DATABASE
@given(pushes, st.randoms(use_true_random=False))
def test_the_end_is_the_same_in_every_order(
    sent: list[tuple[str, dict[str, Any]]], chance: random.Random
) -> None:
    message = make_message(make_account("haorui"), state="submitted")
    orders = list(permutations(sent))
    ends = set()
    for order in chance.sample(orders, min(len(orders), 4)):
        begin_again(message)
        for how, content in order:
            assert push(message.account, how, named(content, message)) == 200
        ends.add(end_of(message))
    assert len(ends) == 1


@SAME_DATABASE
@given(st.lists(report, min_size=1, max_size=3), st.integers(2, 4))
def test_replays_come_to_the_same_end_as_one(sent: list[dict[str, Any]], times: int) -> None:
    message = make_message(make_account("haorui"), state="submitted")
    ends = set()
    for repeated in (1, times):
        begin_again(message)
        for content in sent * repeated:
            push(message.account, "json", named(content, message))
        ends.add((end_of(message), Callback.objects.count(), Report.objects.count()))
    assert len(ends) == 1


@SAME_DATABASE
@given(st.binary(max_size=200), st.binary(max_size=60), st.sampled_from(["haorui", "otpservice"]))
def test_no_bytes_at_all_are_a_fault(body: bytes, query: bytes, provider: str) -> None:
    account = make_account(provider)
    path = f"/callbacks/{token_of(account)}/"
    for method in ("GET", "POST", "PUT", "HEAD"):
        answer = Browser().generic(
            method, path, body, "application/json", QUERY_STRING=query.decode("latin-1")
        )
        assert answer.status_code in (200, 405)
    process_received()
    assert not Callback.objects.filter(state="received").exists()
