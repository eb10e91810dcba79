"""A code over each kind of provider: sent, read out on the phone and checked."""

from __future__ import annotations

import pytest
from django.urls import reverse
from playwright.sync_api import Page, expect

from otp.models import SendGap, Session
from sandbox.server import Sandbox
from tests.factories.accounts import make_account
from tests.factories.codes import SENDS, WRONG, code_of, make_sent_session
from tests.support.wait_until import wait_until

from .conftest import LANGUAGES, Engine, MakeVisitor
from .pages import AnyPage
from .visitor import Visitor

WORDS = {
    "en": {
        "waiting": "Waiting for the code",
        "wrong": "Wrong code. 4 tries left.",
        "verified": "Verified at",
        "earlier": "That is the previous code",
        "ended": "Cancelled by",
    },
    "zh-hans": {
        "waiting": "待核对",
        "wrong": "验证码错误，还可尝试 4 次",
        "verified": "验证通过",
        "earlier": "旧验证码",
        "ended": "取消，验证码失效",
    },
}


class CodePage(AnyPage):
    """The page of a code session."""

    def __init__(self, page: Page) -> None:
        super().__init__(page)
        self.field = page.locator("#check-code")
        self.verdict = page.locator("#verdict")
        self.desk = page.locator("#desk")
        self.state = page.locator("#live .status-line [role=status]")
        self.timeline = page.locator("#timeline")

    def check(self, code: str) -> None:
        """Type a code and press Enter."""
        self.field.fill(code)
        self.field.press("Enter")


def send_code(visitor: Visitor, number: str = "139 1234 5678") -> CodePage:
    visitor.page.goto(reverse("admin:otp_session_send"))
    visitor.page.locator("#id_recipient").fill(number)
    visitor.page.locator("#send-button").click()
    visitor.page.wait_for_url("**/change/")
    return CodePage(visitor.page)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("provider", ["haosms", "haorui", "otpservice"])
def test_wrong_code_then_correct_code_verifies_the_session(
    provider: str, language: str, make_visitor: MakeVisitor, sandbox: Sandbox, engine: Engine
) -> None:
    words = WORDS[language]
    make_account(provider, sandbox)
    operator = make_visitor("operator", language=language)
    engine.start()
    page = send_code(operator)
    expect(page.state).to_contain_text(words["waiting"])
    page.mark_document()
    expect(page.field).to_be_focused()

    page.check(WRONG)
    expect(page.verdict).to_contain_text(words["wrong"])
    assert page.field.evaluate("field => field.selectionEnd - field.selectionStart") == len(WRONG)
    code = code_of(sandbox, provider)
    page.check(f"{code[:3]} {code[3:]}")
    expect(page.desk).to_contain_text(words["verified"])

    assert page.is_marked_document()
    assert page.field.count() == 0
    assert code not in operator.page.content()
    assert sandbox.book.count(provider, SENDS[provider]) == 1
    assert Session.objects.get().state == "verified"


def test_new_code_invalidates_the_earlier_one_until_the_session_is_cancelled(
    operator: Visitor, sandbox: Sandbox, engine: Engine
) -> None:
    make_account("haosms", sandbox)
    engine.start()
    page = send_code(operator)
    expect(page.state).to_contain_text(WORDS["en"]["waiting"])
    first = code_of(sandbox)
    expect(page.page.locator("#again button")).to_have_attribute("aria-disabled", "true")
    SendGap.objects.all().delete()
    page.page.reload()
    page.page.locator("#again button").click()
    wait_until(lambda: sandbox.book.count("haosms", SENDS["haosms"]) == 2)
    expect(page.state).to_contain_text(WORDS["en"]["waiting"])

    page.check(first)
    expect(page.verdict).to_contain_text(WORDS["en"]["earlier"])
    page.page.locator('[data-opens="cancel-dialog"]').click()
    page.page.locator("#cancel-dialog button[type=submit]").click()
    expect(page.desk).to_contain_text(WORDS["en"]["ended"])


def test_double_submit_counts_as_one_try(operator: Visitor) -> None:
    session = make_sent_session(make_account("haosms"))
    operator.page.goto(reverse("admin:otp_session_change", args=[session.public_id]))
    page = CodePage(operator.page)
    page.field.fill(WRONG)
    page.page.evaluate(
        "['check-form', 'check-form'].forEach((id) => document.getElementById(id).requestSubmit())"
    )
    expect(page.verdict).to_contain_text(WORDS["en"]["wrong"])
    assert Session.objects.get().tries == 1


@pytest.mark.any_database
def test_typed_code_survives_a_live_update(
    operator: Visitor, sandbox: Sandbox, engine: Engine
) -> None:
    make_account("haosms", sandbox)
    page = send_code(operator)
    page.field.fill("48")
    engine.start()
    expect(page.state).to_contain_text(WORDS["en"]["waiting"])
    assert page.field.input_value() == "48"
    expect(page.field).to_be_focused()


@pytest.mark.any_database
def test_list_updates_its_rows(operator: Visitor) -> None:
    session = make_sent_session(make_account("haosms"))
    operator.page.goto(reverse("admin:otp_session_changelist"))
    row = operator.page.locator("#result_list tbody tr").first
    expect(row).to_contain_text(WORDS["en"]["waiting"])
    Session.objects.filter(pk=session.pk).update(
        state="verified", verified_at=session.sent_at, tries=3
    )
    expect(row.locator(".field-state_")).to_contain_text("Verified")
    expect(row.locator(".field-tries")).to_have_text("3")
