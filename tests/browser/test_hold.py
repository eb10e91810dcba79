"""The page "What waits": choosing, confirming, and what changes while it is open."""

from __future__ import annotations

import pytest
from django.urls import reverse
from playwright.sync_api import expect

from core.models import Act
from messaging.models import Message
from providers.models import Account, Hold
from tests.factories.accounts import make_account
from tests.factories.messages import make_message
from tests.factories.orders import make_order
from tests.support.holds import begin_hold

from .conftest import LANGUAGES, MakeVisitor
from .pages import AnyPage
from .visitor import Visitor

pytestmark = pytest.mark.slow
PHONE_WIDTH = 390


class HoldPage(AnyPage):
    @classmethod
    def of(cls, visitor: Visitor) -> HoldPage:
        visitor.page.goto(reverse("admin:hold"))
        return cls(visitor.page)

    def choice(self, group: str, answer: str) -> None:
        self.page.locator(f'input[name="choice-{group}"][value="{answer}"] + span').click()

    def is_chosen(self, group: str, answer: str) -> bool:
        field = self.page.locator(f'input[name="choice-{group}"][value="{answer}"]')
        return field.is_checked()

    def apply(self, reason: str) -> None:
        self.page.locator("#id_reason").fill(reason)
        self.page.locator("#decisions button[type=submit]").click()

    def confirm(self) -> None:
        expect(self.page.locator(".hold-chosen")).to_be_visible()
        self.page.locator("form[data-paid] button[type=submit]").click()


@pytest.fixture
def accounts(portal: object) -> list[Account]:
    """Two accounts that are not in the sandbox, with three and two messages that wait."""
    found = [make_account(name="First account"), make_account(name="Second account")]
    for count, account in zip((3, 2), found, strict=True):
        for number in range(count):
            make_message(account, recipient=f"+86139{account.pk:04}{number:04}")
    return found


@pytest.fixture
def hold(accounts: list[Account]) -> Hold:
    return begin_hold()


def states(account: Account) -> set[str]:
    return set(Message.objects.filter(account=account).values_list("state", flat=True))


def test_one_group_is_sent_after_a_confirmation(
    accounts: list[Account], hold: Hold, manager: Visitor
) -> None:
    first, second = accounts
    page = HoldPage.of(manager)
    page.choice(f"messages:{first.pk}", "send")
    page.apply("The senders say so")
    expect(page.page.locator(".hold-chosen")).to_contain_text("Single messages")
    assert states(first) == {"held"}
    page.confirm()
    expect(page.page.locator("body")).to_contain_text("3 released.")
    assert (states(first), states(second)) == ({"queued"}, {"held"})
    act = Act.objects.get(what="hold.release")
    assert (act.by, act.why) == (manager.user, "The senders say so")


def test_choice_is_made_by_keyboard_and_kept_when_something_settles_meanwhile(
    accounts: list[Account], hold: Hold, manager: Visitor
) -> None:
    first, second = (f"messages:{account.pk}" for account in accounts)
    page = HoldPage.of(manager)
    page.page.locator(f'input[name="choice-{first}"]').first.focus()
    page.page.keyboard.press("Space")
    page.choice(second, "discard")
    page.page.locator("#id_reason").fill("typed before")
    page.mark_document()
    Message.objects.filter(pk=Message.objects.order_by("pk").values("pk")[:1]).update(
        state="delivered"
    )
    expect(page.page.locator(".hold-settled")).to_contain_text("was already sent")
    assert page.is_marked_document()
    assert page.is_chosen(first, "send")
    assert page.is_chosen(second, "discard")
    expect(page.page.locator("#id_reason")).to_have_value("typed before")
    expect(page.page.locator("#hold-left")).to_contain_text("4 wait for a decision.")


def test_back_from_the_confirmation_keeps_what_was_chosen(
    accounts: list[Account], hold: Hold, manager: Visitor
) -> None:
    group = f"messages:{accounts[0].pk}"
    page = HoldPage.of(manager)
    page.choice(group, "discard")
    page.apply("Too late")
    page.page.locator("[data-back]").click()
    page.page.wait_for_url(f"**{reverse('admin:hold')}")
    expect(page.page.locator("#id_reason")).to_have_value("Too late")
    assert page.is_chosen(group, "discard")


def test_rows_are_selected_and_ended_and_the_page_closes_with_the_hold(
    accounts: list[Account], hold: Hold, manager: Visitor
) -> None:
    for account in accounts:
        manager.page.goto(reverse("admin:hold_rows", args=[f"messages:{account.pk}"]))
        manager.page.locator("[data-all-rows] input").check()
        expect(manager.page.locator("[data-selected]")).to_contain_text("selected")
        manager.page.locator("#id_reason").fill("Too late")
        manager.page.locator("#row-decisions button[value=discard]").click()
        HoldPage(manager.page).confirm()
        expect(manager.page.locator("body")).to_contain_text("will not be sent.")
        assert states(account) == {"unknown"}
    expect(manager.page.locator("#content")).to_contain_text("Nothing is on hold.")
    expect(manager.page.locator("#content")).to_contain_text("Not to be sent: Single messages")


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("width", [PHONE_WIDTH, 1280])
def test_pages_fit_the_window(
    accounts: list[Account], hold: Hold, make_visitor: MakeVisitor, language: str, width: int
) -> None:
    make_order(
        make_account("gosms", name="A name as long as a name may be, no_break_in_its_end_64")
    )
    Hold.objects.filter(pk=hold.pk).update(ended_at=hold.started_at)
    begin_hold()
    page = HoldPage.of(make_visitor("manager", language=language, width=width))
    assert page.overflow() <= 0
    page.choice(f"messages:{accounts[0].pk}", "send")
    page.apply("x" * 200)
    expect(page.page.locator(".hold-chosen")).to_be_visible()
    assert page.overflow() <= 0
    page.page.goto(reverse("admin:hold_rows", args=[f"messages:{accounts[0].pk}"]))
    assert page.overflow() <= 0
