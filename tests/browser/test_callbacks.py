"""Delivery reports, from the sandbox to an open page."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator

import pytest
from django.db import connections
from playwright.sync_api import expect
from pytest_django import Settings
from pytest_django.live_server_helper import LiveServer

from providers.callbacks import self_test
from providers.models import Account, CallbackTest
from sandbox.server import Sandbox
from tests.factories.accounts import make_account
from tests.support.callback_worker import CallbackWorker

from .conftest import LANGUAGES, Engine, MakeVisitor
from .pages import SendForm
from .visitor import Visitor

NUMBER = "139 1234 5678"
TEXT = "Your parcel is here."


@pytest.fixture
def callback_worker(portal: LiveServer) -> Iterator[None]:
    with CallbackWorker():
        yield


@pytest.fixture
def account(portal: LiveServer, sandbox: Sandbox, settings: Settings) -> Account:
    settings.PUBLIC_ADDRESS = portal.url
    sandbox.change_settings("haorui", report_delay=0.1)
    return make_account("haorui", sandbox)


def test_open_message_page_shows_the_delivery(
    operator: Visitor, account: Account, engine: Engine, callback_worker: None
) -> None:
    engine.start()
    page = SendForm.of(operator).fill(NUMBER, TEXT).send()
    page.mark_document()
    page.wait_for_state("Delivered")
    assert page.is_marked_document()
    expect(page.timeline).to_contain_text("Report: Delivered")


@pytest.mark.parametrize("language", LANGUAGES)
def test_callback_address_can_be_tested_from_the_page(
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
