"""A batch from its recipients to the last message, in both languages."""

from __future__ import annotations

import pytest
from django.urls import reverse
from playwright.sync_api import FilePayload, expect

from messaging.batches import tasks
from messaging.models import Batch
from sandbox.server import Sandbox
from tests.factories.accounts import make_account
from tests.factories.batches import numbers
from tests.support.wait_until import wait_until

from .conftest import LANGUAGES, Engine, MakeVisitor

pytestmark = pytest.mark.browser


FIGURES_ADD_UP_TO = """(total) => total === [...document.querySelectorAll("#live .figure strong")]
    .reduce((sum, figure) => sum + Number(figure.textContent), 0)"""


@pytest.mark.parametrize("language", LANGUAGES)
def test_batch_is_pasted_checked_confirmed_paused_and_sent(
    language: str, make_visitor: MakeVisitor, sandbox: Sandbox, engine: Engine
) -> None:
    """Elements are found by selector, so that one test covers both languages."""
    make_account("haorui", sandbox, per_second=10)
    engine.start()
    page = make_visitor("manager", language=language).page
    page.goto(reverse("admin:messaging_batch_new"))
    page.locator("#id_text").fill("您的包裹已到。")
    expect(page.locator("#text-size .counter").first).to_contain_text("63")
    page.locator("#id_pasted").fill(numbers(12) + "\n1.39E+10\n139")
    page.locator(".form-end .button-primary").dblclick()
    page.wait_for_url("**/change/")
    expect(page.locator("progress")).to_be_visible()
    batch = Batch.objects.get()
    tasks.read(batch.pk)
    # The page polls and offers the next step.
    page.locator(".button-primary").click()
    page.wait_for_url("**/confirm/")
    page.locator("[name=when][value=now]").focus()
    page.keyboard.press("Control+Enter")
    page.wait_for_url("**/change/")
    tasks.lay_out(batch.pk)
    wait_until(lambda: sandbox.book.count("haorui", "send") > 0)
    for step in ("pause", "continue"):
        with page.expect_navigation():
            page.locator(f"form[action$='/{step}/'] button").click()
    expect(page.locator("progress")).to_have_attribute("value", "100")
    wait_until(lambda: Batch.objects.get().state == "finished")
    # The page reloads itself when the batch ends, which may be right now.
    page.wait_for_function(FIGURES_ADD_UP_TO, arg=12)
    assert len(sandbox.book.entries("haorui", accepted=True)) == 12
    expect(page.locator("html")).to_have_attribute("lang", language)


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_was_read_is_shown_and_each_warning_is_ticked(
    language: str, make_visitor: MakeVisitor, sandbox: Sandbox
) -> None:
    make_account("haorui", sandbox)
    page = make_visitor("manager", language=language).page
    page.goto(reverse("admin:messaging_batch_new"))
    page.locator("#id_text").fill("Hi {Name}")
    content = "Telefon;Name\n+8613912345678;Müller\n+8613800138000;Schäfer\n".encode("cp1252")
    file = FilePayload(name="list.csv", mimeType="text/csv", buffer=content)
    page.locator("#id_file").set_input_files(file)
    page.locator(".form-end .button-primary").click()
    page.wait_for_url("**/change/")
    tasks.read(Batch.objects.get().pk)
    expect(page.locator(".sheet thead .pick")).to_contain_text("A")
    expect(page.locator(".sheet tbody")).to_contain_text("Schäfer")
    expect(page.locator(".first-recipients tbody tr")).to_have_count(2)
    expect(page.locator(".readings dd").first).to_contain_text("Müller")
    expect(page.locator("#content")).not_to_contain_text("13912345678")
    # Not ticked: the page says so, and the batch stays where it is.
    page.locator(".warnings .button-primary").click()
    expect(page.locator(".warnings [name=warning]")).not_to_be_checked()
    page.locator(".warnings [name=warning]").check()
    page.locator(".warnings .button-primary").click()
    page.wait_for_url("**/confirm/")
    expect(page.locator(".reading-facts")).to_contain_text("Windows-1252")
    expect(page.locator(".first-recipients tbody tr")).to_have_count(2)
    for width in (1280, 390):
        page.set_viewport_size({"width": width, "height": 900})
        assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.locator(".form-end .button-primary").click()
    page.wait_for_url("**/change/")
    assert Batch.objects.get().state == "sending"
