"""Delivery reports that the sandbox pushes over HTTP, up to the message that they change."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.test import Client
from pytest_django import Settings
from pytest_django.live_server_helper import LiveServer

from messaging.models import Message
from providers.models import Account, Callback
from sandbox.server import Sandbox
from tests.factories.accounts import make_account
from tests.factories.messages import make_message
from tests.factories.staff import make_staff
from tests.support.callback_worker import CallbackWorker
from tests.support.engine import is_settled, run_engine, send
from tests.support.wait_until import wait_until


@pytest.fixture
def callback_worker(live_server: LiveServer) -> Iterator[None]:
    with CallbackWorker():
        yield


@pytest.fixture
def account(live_server: LiveServer, sandbox: Sandbox, settings: Settings) -> Account:
    settings.PUBLIC_ADDRESS = live_server.url
    sandbox.change_settings("haorui", report_delay=0.1)
    return make_account("haorui", sandbox)


def is_delivered(message: Message) -> bool:
    return Message.objects.filter(pk=message.pk, state="delivered").exists()


def test_unmatched_report_conflicts_once_it_is_processed_again(
    client: Client, account: Account, sandbox: Sandbox, callback_worker: None
) -> None:
    message = send(make_message(account))
    wait_until(lambda: is_delivered(message))
    Message.objects.filter(pk=message.pk).update(reference="f" * 32, provider_id="")
    sandbox.report("haorui", message.provider_id, "Failed")
    wait_until(lambda: Callback.objects.filter(state="unmatched").exists())
    client.force_login(make_staff("manager"))
    listed = client.get("/providers/callback/?state=unmatched").content.decode()
    assert "no match" in listed

    Message.objects.filter(pk=message.pk).update(reference=message.reference)
    callback = Callback.objects.get(state="unmatched")
    answer = client.post(f"/providers/callback/{callback.public_id}/again/", follow=True)
    assert "State is now: Conflict." in answer.content.decode()
    page = client.get(f"/messaging/message/{message.public_id}/change/").content.decode()
    assert "Reported “Delivered” first, then “Not delivered”." in page


@pytest.mark.parametrize(
    "fault", ["callback_twice", "callback_overtaken", "callback_late", "callback_lost"]
)
def test_message_state_is_right_after_faulty_callbacks(
    fault: str, account: Account, sandbox: Sandbox, callback_worker: None
) -> None:
    sandbox.change_settings("haorui", report_words=["Pending", "Delivered"])
    options: dict[str, Any] = {"seconds": 0.5} if fault == "callback_late" else {}
    calls = 1 if fault == "callback_overtaken" else None
    sandbox.fault(fault, provider="haorui", calls=calls, **options)
    messages = [make_message(account) for _ in range(3)]
    run_engine(lambda: is_settled(*messages))
    assert sandbox.pusher.wait_idle(30)
    expected = "submitted" if fault == "callback_lost" else "delivered"
    wait_until(lambda: {row.state for row in Message.objects.all()} == {expected})
    wait_until(lambda: not Callback.objects.filter(state="received").exists())
    if fault == "callback_twice":
        assert {row.times for row in Callback.objects.all()} == {2}
    assert not Message.objects.filter(conflict=True).exists()
