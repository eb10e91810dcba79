"""Delivery reports, from the practice provider to the page that somebody looks at."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.db import connections
from playwright.sync_api import expect
from pytest_django import Settings
from pytest_django.live_server_helper import LiveServer

from messaging.models import Message
from providers.inbox import digesting, self_test
from providers.models import Account, Callback, CallbackTest
from providers.sandbox.server import Sandbox
from tests.builders import is_settled, make_account, make_message, run_engine

from .conftest import LANGUAGES, Engine, MakeVisitor
from .pages import AnyPage, MessagePage, SendForm
from .visitor import Visitor
from .waiting import wait_until

NUMBER = "139 1234 5678"
TEXT = "Your parcel is here."


class Digest:
    """What the queue does with callbacks, in a thread of its own."""

    def __init__(self) -> None:
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="digest")
        self._thread.start()

    def _run(self) -> None:
        try:
            while not self._stop.wait(0.05):
                digesting.digest_due()
        finally:
            connections.close_all()

    def stop(self) -> None:
        self._stop.set()
        self._thread.join()


@pytest.fixture
def digest(portal: LiveServer) -> Iterator[Digest]:
    running = Digest()
    yield running
    running.stop()


@pytest.fixture
def account(portal: LiveServer, sandbox: Sandbox, settings: Settings) -> Account:
    settings.PUBLIC_ADDRESS = portal.url
    sandbox.change_settings("haorui", report_delay=0.1)
    return make_account("haorui", sandbox)


def test_a_message_that_somebody_looks_at_becomes_delivered(
    operator: Visitor, account: Account, engine: Engine, digest: Digest
) -> None:
    engine.start()
    page = SendForm.of(operator).fill(NUMBER, TEXT).send()
    page.stays_the_same_document()
    page.becomes("Delivered")
    assert page.is_still_the_same_document()
    expect(page.timeline).to_contain_text("Report: Delivered")


def test_a_manager_sees_what_came_in_and_has_it_processed_again(
    manager: Visitor, account: Account, engine: Engine, sandbox: Sandbox, digest: Digest
) -> None:
    engine.start()
    page = SendForm.of(manager).fill(NUMBER, TEXT).send()
    page.becomes("Delivered")
    message = page.message
    Message.objects.filter(pk=message.pk).update(reference="f" * 32, provider_id="")
    sandbox.report("haorui", message.provider_id, "Failed")
    wait_until(lambda: Callback.objects.filter(state="unmatched").exists())
    manager.page.goto("/providers/callback/?state=unmatched")
    listed = AnyPage(manager.page)
    listed.says("nothing matches")
    Message.objects.filter(pk=message.pk).update(reference=message.reference)
    manager.page.locator("#result_list tbody a").first.click()
    manager.page.get_by_role("button", name="Process again").click()
    said = AnyPage(manager.page).notes.last
    expect(said).to_contain_text("Its state is now: Conflict.")
    again = MessagePage.of(manager, message)
    again.says("First reported “Delivered”, later “Not delivered”.")


@pytest.mark.parametrize("language", LANGUAGES)
def test_our_own_address_is_tested_from_the_page(
    language: str, make_visitor: MakeVisitor, account: Account
) -> None:
    visitor = make_visitor("manager", language=language)
    visitor.page.goto("/providers/callback/")
    line = visitor.page.locator(".health-line")
    line.locator("button").click()
    expect(line.locator("button")).to_be_disabled()
    threading.Thread(target=run_and_close, args=(lambda: self_test.run(account),)).start()
    expect(line.locator("button")).to_be_enabled()
    expect(line.locator("p.hint")).to_be_visible()
    assert CallbackTest.objects.get().problem == ""


def run_and_close(work: Callable[[], None]) -> None:
    try:
        work()
    finally:
        connections.close_all()


@pytest.mark.parametrize(
    "fault", ["callback_twice", "callback_overtaken", "callback_late", "callback_lost"]
)
def test_reports_that_go_wrong_come_to_the_right_end(
    fault: str, account: Account, sandbox: Sandbox, digest: Digest
) -> None:
    sandbox.change_settings("haorui", report_words=["Pending", "Delivered"])
    options: dict[str, Any] = {"seconds": 0.5} if fault == "callback_late" else {}
    calls = 1 if fault == "callback_overtaken" else None
    sandbox.fault(fault, provider="haorui", calls=calls, **options)
    messages = [make_message(account) for _ in range(3)]
    run_engine(lambda: is_settled(*messages))
    assert sandbox.pusher.wait_idle(30)
    end = "submitted" if fault == "callback_lost" else "delivered"
    wait_until(lambda: {row.state for row in Message.objects.all()} == {end})
    wait_until(lambda: not Callback.objects.filter(state="received").exists())
    if fault == "callback_twice":
        assert {row.times for row in Callback.objects.all()} == {2}
    assert not Message.objects.filter(conflict=True).exists()
