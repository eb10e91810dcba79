"""Sending one message, from the form to the sandbox's book."""

from __future__ import annotations

import pytest
from django.urls import reverse
from playwright.sync_api import expect

from messaging.models import Message
from providers.models import Account
from sandbox.server import Sandbox
from tests.factories.accounts import make_account
from tests.factories.messages import make_message
from tests.factories.staff import make_staff
from tests.support.wait_until import wait_until

from .conftest import Engine, MakeVisitor
from .pages import MessagePage, SendForm
from .visitor import Visitor

NUMBER = "139 1234 5678"
WHOLE = "+86 139 1234 5678"
MASKED = "+86 139 •••• 5678"
TEXT = "Your parcel is here."


@pytest.fixture
def account(sandbox: Sandbox) -> Account:
    return make_account("haorui", sandbox, price_per_segment="0.04")


def accepted(sandbox: Sandbox, provider: str = "haorui") -> int:
    return len(sandbox.book.entries(provider, accepted=True))


def all_sent() -> bool:
    return not Message.objects.filter(state__in=("queued", "claimed", "sending")).exists()


class TestOneMessage:
    def test_page_updates_to_accepted_without_a_reload(
        self, operator: Visitor, sandbox: Sandbox, engine: Engine
    ) -> None:
        make_account("haorui", sandbox)
        form = SendForm.of(operator).fill(NUMBER, TEXT)
        page = form.send().wait_for_state("Waiting")
        page.mark_document()
        engine.start()
        page.wait_for_state("Accepted, waiting for report")
        assert page.is_marked_document()
        assert accepted(sandbox) == 1
        expect(page.money).to_have_text(
            "Accepted by the provider, which charges under its own rules."
        )
        message = page.message
        assert message.provider_id
        expect(page.timeline).to_contain_text(f"Queued by {operator.user}")
        expect(page.timeline).to_contain_text("Submitted to the provider")
        expect(page.timeline).to_contain_text(f"id {message.provider_id}")
        expect(page.title).to_have_text(WHOLE)
        assert page.call_links.count() == 0
        assert "482913" not in operator.page.content()

    def test_manager_reveals_a_message_with_a_reason(
        self, manager: Visitor, account: Account
    ) -> None:
        page = MessagePage.of(manager, make_message(account))
        expect(page.title).to_have_text(MASKED)
        page.reveal("complaint")
        expect(page.title).to_have_text(WHOLE)
        expect(page.page.locator(".message-text")).to_contain_text(TEXT)


@pytest.mark.any_database
class TestForm:
    def test_recipient_has_the_focus(self, operator: Visitor, account: Account) -> None:
        form = SendForm.of(operator)
        assert form.has_focus(form.recipient)

    def test_changing_the_account_keeps_typed_values(
        self, operator: Visitor, account: Account, sandbox: Sandbox
    ) -> None:
        other = make_account("haorui", sandbox)
        form = SendForm.of(operator).choose(account).fill(NUMBER, TEXT)
        for chosen in (other, account):
            form.switch_to(chosen)
            assert form.account.input_value() == chosen.public_id
            assert (form.recipient.input_value(), form.text.input_value()) == (NUMBER, TEXT)
        assert Message.objects.count() == 0

    def test_error_summary_links_to_the_fields(self, operator: Visitor, account: Account) -> None:
        form = SendForm.of(operator).fill("139 1234 567")
        form.button.click()
        expect(form.problems).to_contain_text("There is a problem")
        assert form.has_focus(form.problems)
        assert form.page.title().startswith("Error:")
        for name, field in (("recipient", form.recipient), ("text", form.text)):
            form.problems.locator(f'a[href="#id_{name}"]').click()
            assert form.has_focus(field)
            assert field.get_attribute("aria-invalid") == "true"
        assert form.recipient.input_value() == "139 1234 567"
        assert Message.objects.count() == 0

    def test_number_is_read_back_while_typing(self, operator: Visitor, account: Account) -> None:
        form = SendForm.of(operator)
        form.recipient.press_sequentially("13912345678")
        expect(form.readback).to_contain_text(WHOLE)
        expect(form.readback).to_contain_text("China")
        form.recipient.fill("13x")
        expect(form.readback).to_contain_text("has a letter at position 3")

    def test_costly_character_is_named_and_replaced(
        self, operator: Visitor, account: Account
    ) -> None:
        form = SendForm.of(operator)
        form.text.fill("It’s here. " + "x" * 70)
        expect(form.counter).to_contain_text("2 segments · Unicode")
        form.replace_button.click()
        expect(form.text).to_have_value("It's here. " + "x" * 70)
        expect(form.counter).to_contain_text("1 segment · GSM-7")
        expect(form.button).to_contain_text("(1 segment)")
        assert form.has_focus(form.text)

    def test_enter_in_the_recipient_sends_nothing(
        self, operator: Visitor, account: Account
    ) -> None:
        form = SendForm.of(operator).fill(NUMBER, TEXT)
        form.recipient.press("Enter")
        form.recipient.press("Enter")
        # The reload comes after anything that the key would have caused.
        operator.page.reload()
        assert form.is_shown
        assert Message.objects.count() == 0


class TestRepeatedSubmit:
    """A repeated submit leads to one call to the provider."""

    @pytest.fixture(autouse=True)
    def _running_engine(self, account: Account, engine: Engine) -> None:
        engine.start()

    def _assert_sent_once(self, sandbox: Sandbox) -> None:
        wait_until(all_sent)
        assert Message.objects.count() == 1
        assert accepted(sandbox) == 1

    def test_double_click_sends_once(self, operator: Visitor, sandbox: Sandbox) -> None:
        form = SendForm.of(operator).fill(NUMBER, TEXT)
        form.button.dblclick()
        MessagePage(operator.page).wait_until_open()
        self._assert_sent_once(sandbox)

    def test_double_ctrl_enter_sends_once(self, operator: Visitor, sandbox: Sandbox) -> None:
        form = SendForm.of(operator).fill(NUMBER, TEXT)
        form.text.focus()
        operator.page.keyboard.press("Control+Enter")
        operator.page.keyboard.press("Control+Enter")
        MessagePage(operator.page).wait_until_open()
        self._assert_sent_once(sandbox)

    def test_back_and_submit_sends_once(self, operator: Visitor, sandbox: Sandbox) -> None:
        first = SendForm.of(operator).fill(NUMBER, TEXT).send().public_id
        operator.page.go_back()
        form = SendForm(operator.page)
        expect(form.text).to_have_value(TEXT)
        page = form.send()
        assert page.public_id == first
        note = "This form was already submitted at"
        expect(page.notes.filter(has_text=note)).to_contain_text("nothing was sent twice")
        self._assert_sent_once(sandbox)

    def test_reload_after_sending_sends_once(self, operator: Visitor, sandbox: Sandbox) -> None:
        page = SendForm.of(operator).fill(NUMBER, TEXT).send().wait_until_open()
        operator.page.reload()
        page.wait_until_open()
        self._assert_sent_once(sandbox)

    def test_same_form_in_two_tabs_sends_once(self, operator: Visitor, sandbox: Sandbox) -> None:
        form = SendForm.of(operator).fill(NUMBER, TEXT)
        token = operator.page.locator("[name=form_token]").input_value()
        other = SendForm.of(operator, operator.open_tab()).fill(NUMBER, TEXT)
        # A duplicated tab has the same form token.
        other.page.locator("[name=form_token]").evaluate(
            "(field, token) => { field.value = token; }", token
        )
        first = form.send().public_id
        assert other.send().public_id == first
        self._assert_sent_once(sandbox)

    def test_back_and_another_text_needs_confirmation(
        self, operator: Visitor, sandbox: Sandbox
    ) -> None:
        SendForm.of(operator).fill(NUMBER, TEXT).send().wait_until_open()
        operator.page.go_back()
        form = SendForm(operator.page).fill(text="Another text")
        form.button.click()
        expect(form.notes.filter(has_text="have not been sent")).to_be_visible()
        self._assert_sent_once(sandbox)
        expect(form.text).to_have_value("Another text")
        form.send().wait_until_open()
        wait_until(all_sent)
        assert accepted(sandbox) == 2

    def test_repeated_text_is_sent_by_a_click_and_not_by_keys(
        self, operator: Visitor, sandbox: Sandbox
    ) -> None:
        SendForm.of(operator).fill(NUMBER, TEXT).send().wait_until_open()
        form = SendForm.of(operator).fill(NUMBER, TEXT)
        form.button.click()
        expect(form.notes.filter(has_text="sent the same text")).to_be_visible()
        form.mark_document()
        form.text.focus()
        operator.page.keyboard.press("Control+Enter")
        operator.page.wait_for_timeout(300)
        assert form.is_marked_document()
        self._assert_sent_once(sandbox)
        form.send().wait_until_open()
        wait_until(all_sent)
        assert accepted(sandbox) == 2


@pytest.mark.any_database
def test_typed_values_survive_an_expired_session(
    make_visitor: MakeVisitor, account: Account
) -> None:
    staff = make_staff("operator")
    visitor = make_visitor(staff)
    form = SendForm.of(visitor).fill(NUMBER, TEXT)
    # The preview is requested with a delay, and must come while still signed in.
    visitor.page.wait_for_timeout(600)
    visitor.page.wait_for_load_state("networkidle")
    visitor.lose_session()
    form.button.click()
    expect(visitor.page.locator("#login-form")).to_be_visible()
    note = visitor.page.locator("[data-unsent]")
    expect(note).to_contain_text("You were signed out, so nothing was sent.")
    visitor.page.locator("#id_username").fill(staff.username)
    visitor.page.locator("#id_password").fill("secret")
    visitor.page.locator("#login-form button[type=submit]").click()
    expect(form.text).to_have_value(TEXT)
    assert form.recipient.input_value() == NUMBER
    assert visitor.page.url.endswith(reverse("admin:messaging_message_send"))
    assert Message.objects.count() == 0
    visitor.lose_session()
    visitor.page.goto(reverse("admin:login"))
    expect(note).to_be_hidden()


@pytest.mark.any_database
def test_form_stays_when_there_is_no_connection(
    operator: Visitor, account: Account, sandbox: Sandbox
) -> None:
    form = SendForm.of(operator).fill(NUMBER, TEXT)
    operator.page.wait_for_timeout(600)
    operator.page.wait_for_load_state("networkidle")
    operator.context.set_offline(True)
    form.button.click()
    line = operator.page.locator("#unsent-line")
    expect(line).to_contain_text("No connection: nothing was sent.")
    expect(form.text).to_have_value(TEXT)
    operator.context.set_offline(False)
    expect(line).to_be_hidden()
    form.send().wait_until_open()
    assert Message.objects.count() == 1
