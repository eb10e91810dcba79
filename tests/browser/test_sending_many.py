"""Templates, batches from their test to their end, and the list of batches."""

from __future__ import annotations

import pytest
from django.urls import reverse
from playwright.sync_api import expect

from messaging.batches import lifecycle, tasks
from messaging.models import Batch, Message, Template
from providers.models import Account
from sandbox.server import Sandbox
from tests.factories.accounts import make_account
from tests.factories.batches import make_batch, numbers, start_batch
from tests.factories.staff import make_staff
from tests.support.wait_until import wait_until

from .conftest import LANGUAGES, Engine, MakeVisitor
from .pages import AnyPage, SendForm

pytestmark = pytest.mark.browser
WIDTHS = (1280, 390)
FILE = b"Phone,Name\n13912345601,Li\n13912345602,Wang\n"


@pytest.fixture
def account(sandbox: Sandbox) -> Account:
    return make_account("haorui", sandbox, price_per_segment="0.04", per_second=10)


def fits(page: AnyPage) -> None:
    """Nothing is cut or wider than the window, on a desk and on a phone."""
    for width in WIDTHS:
        page.page.set_viewport_size({"width": width, "height": 900})
        assert page.overflow() <= 0
        assert page.faulty_buttons() == []
    page.page.set_viewport_size({"width": 1280, "height": 900})


@pytest.mark.parametrize("language", LANGUAGES)
def test_template_is_picked_filled_in_and_sent(
    language: str, make_visitor: MakeVisitor, account: Account, sandbox: Sandbox, engine: Engine
) -> None:
    engine.start()
    template = Template.objects.create(name="Parcel", text="Dear {Name}, {no} is here.")
    form = SendForm.of(make_visitor("operator", language=language))
    form.recipient.fill("139 1234 5678")
    with form.page.expect_navigation():
        form.page.locator("#id_template").select_option(template.public_id)
    expect(form.recipient).to_have_value("139 1234 5678")
    expect(form.text).to_have_value(template.text)
    # The cursor waits in the first value.
    assert form.has_focus(form.page.locator("#id_value_0"))
    form.page.keyboard.type("Li")
    expect(form.page.locator(".filled-text")).to_have_text("Dear Li, {no} is here.")
    fits(form)
    form.button.click()
    expect(form.problems).to_be_visible()
    form.page.locator("#id_value_1").fill("7")
    form.button.click()
    form.page.wait_for_url("**/change/")
    assert Message.objects.get().text == "Dear Li, 7 is here."
    wait_until(lambda: len(sandbox.book.entries("haorui", accepted=True)) == 1)


def test_send_to_many_keeps_what_was_typed(make_visitor: MakeVisitor, account: Account) -> None:
    form = SendForm.of(make_visitor("manager")).fill("139 1234 5678", "Closed on Monday.")
    form.page.locator("[formaction]").click()
    form.page.wait_for_url("**/batch/new/")
    expect(form.text).to_have_value("Closed on Monday.")
    expect(form.page.locator("#id_pasted")).to_have_value("139 1234 5678")
    assert not Message.objects.exists()


@pytest.mark.parametrize("language", LANGUAGES)
def test_batch_is_tested_and_then_scheduled(
    language: str, make_visitor: MakeVisitor, account: Account
) -> None:
    manager = make_staff("manager")
    batch = make_batch(FILE, account, text="Dear {Name}!", by=manager)
    page = AnyPage(make_visitor(manager, language=language).page)
    here = page.page
    here.goto(reverse("admin:messaging_batch_confirm", args=[batch.public_id]))
    sample = here.locator("#row-preview .message-text")
    expect(sample).to_have_text("Dear Li!")
    here.locator("#row-preview button").last.click()
    expect(sample).to_have_text("Dear Wang!")
    expect(here.locator("#id_day")).not_to_be_visible()
    here.locator("[name=when][value=later]").check()
    assert page.has_focus(here.locator("#id_clock"))
    here.locator("#id_clock").fill("6 pm")
    fits(page)
    # The test has the text of the row that is shown, and leaves the other form as it is.
    here.locator("#test_recipient").fill("138 0013 8000")
    here.locator("#test-form button[type=submit]").dblclick()
    expect(here.locator(".tests li")).to_have_count(1)
    assert Message.objects.get().text == "Dear Wang!"
    expect(here.locator("#id_clock")).to_have_value("6 pm")
    here.locator("#start-form .button-primary").click()
    expect(here.locator("#id_clock_error")).to_be_visible()
    expect(here.locator("#id_clock")).to_have_value("6 pm")
    fits(page)
    here.locator("#id_clock").fill("23:59")
    here.locator("#id_day").fill("2000-01-01")
    here.locator("#start-form .button-primary").click()
    expect(here.locator("#id_clock_error")).to_be_visible()
    here.locator("[name=when][value=now]").check()
    here.locator("#start-form .button-primary").click()
    here.wait_for_url("**/change/")
    batch.refresh_from_db()
    assert batch.state == "sending"
    assert Message.objects.count() == 1


@pytest.mark.parametrize("language", LANGUAGES)
def test_open_list_follows_a_batch_and_finds_it_by_name(
    language: str, make_visitor: MakeVisitor, account: Account
) -> None:
    start_batch(make_batch(numbers(4), account, name="Parcels of May", text="It is here."))
    make_batch(numbers(1), account, name="Other")
    page = AnyPage(make_visitor("manager", language=language).page)
    page.page.goto(reverse("admin:messaging_batch_changelist"))
    row = page.page.locator("#result_list tbody tr", has_text="Parcels of May")
    expect(row).to_contain_text("It is here.")
    Message.objects.update(state="delivered")
    expect(row.locator(".batch-bar")).to_contain_text("100.0%", timeout=10_000)
    fits(page)
    page.page.locator("[name=q]").first.fill("of may")
    page.page.keyboard.press("Enter")
    expect(page.page.locator("#result_list tbody tr")).to_have_count(1)


@pytest.mark.parametrize("language", LANGUAGES)
def test_end_is_told_and_what_did_not_arrive_is_sent_again(
    language: str, make_visitor: MakeVisitor, account: Account
) -> None:
    manager = make_staff("manager")
    batch = start_batch(make_batch(numbers(3), account, name="Parcels", by=manager), manager)
    states = ("undelivered", "unknown", "delivered")
    for message, state in zip(Message.objects.order_by("pk"), states, strict=True):
        Message.objects.filter(pk=message.pk).update(state=state)
    lifecycle.finish_completed()
    page = AnyPage(make_visitor(manager, language=language).page)
    here = page.page
    here.goto(reverse("admin:index"))
    expect(here.locator(".bell-count")).to_have_text("1")
    here.locator(".bell").click()
    fits(page)
    here.locator(".notices a").click()
    here.wait_for_url(f"**/{batch.public_id}/change/")
    expect(here.locator(".bell-count")).to_have_count(0)
    here.locator("form[action$='/again/'] button").click()
    here.wait_for_url("**/confirm/")
    again = Batch.objects.get(sent_again_from=batch)
    tasks.read(again.pk)
    # The page follows the reading, and then is the page to confirm.
    expect(here.locator("#start-form .button-primary")).to_contain_text("1", timeout=15_000)
    again.refresh_from_db()
    assert (again.state, again.good) == ("ready", 1)


@pytest.mark.parametrize("language", LANGUAGES)
def test_form_of_a_template_shows_what_it_becomes(language: str, make_visitor: MakeVisitor) -> None:
    page = AnyPage(make_visitor("manager", language=language).page)
    page.page.goto(reverse("admin:messaging_template_add"))
    page.page.locator("#id_text").fill("Dear {Name}, it’s " + "long " * 14)
    expect(page.page.locator(".filled-text")).to_contain_text("Dear Name, it’s long")
    page.page.locator("[data-replacements]").click()
    expect(page.page.locator(".filled-text")).to_contain_text("it's long")
    fits(page)
