"""The page of the practice providers."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from messaging.models import Message
from providers.sandbox.server import Sandbox
from tests.builders import make_account, make_message

from .conftest import Engine, MakeVisitor
from .pages import AnyPage, Practice
from .visitor import Visitor
from .waiting import wait_until

pytestmark = pytest.mark.any_database


def test_what_the_practice_provider_received_is_listed(
    manager: Visitor, make_visitor: MakeVisitor, sandbox: Sandbox, engine: Engine
) -> None:
    make_message(make_account("haorui", sandbox))
    engine.start()
    wait_until(lambda: Message.objects.get().state == "submitted")
    page = Practice.of(manager)
    page.says("Practice: nothing here reaches a phone or costs money.")
    expect(page.book.first).to_contain_text("HAORUI")
    expect(page.book.first).to_contain_text("Your parcel is here.")

    other = Practice.of(make_visitor("viewer"))
    expect(other.book.first).to_contain_text("HAORUI")
    assert "13912345678" not in other.page.content()
    assert "Your parcel is here." not in other.page.content()
    assert other.page.locator("#fault").count() == 0


def test_a_fault_is_switched_on_warned_of_on_every_page_and_switched_off(
    operator: Visitor, sandbox: Sandbox
) -> None:
    page = Practice.of(operator).apply("html_502", "haorui")
    expect(page.notes.filter(has_text="The fault is switched on.")).to_be_visible()
    expect(page.banners).to_contain_text("Practice: a fault is switched on.")
    assert [active.fault.id for active in sandbox.faults.active()] == ["html_502"]
    operator.page.goto("/")
    expect(AnyPage(operator.page).banners).to_contain_text("Practice: a fault is switched on.")
    Practice.of(operator).switch_all_off()
    expect(page.banners).to_have_count(0)
    assert sandbox.faults.active() == []


def test_without_practice_providers_the_page_says_how_to_start_them(
    operator: Visitor, sandbox: Sandbox
) -> None:
    sandbox.stop()
    Practice.of(operator).says("The practice providers cannot be reached.", "Nothing answers at")
