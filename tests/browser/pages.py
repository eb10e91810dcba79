"""Page objects of the portal.

They find elements by selector, independent of the language. The texts are in the tests.
"""

from __future__ import annotations

from typing import Self

from django.urls import reverse
from playwright.sync_api import Locator, Page, expect

from messaging.models import Message
from providers.models import Account

from .visitor import Visitor

FAULTY_BUTTONS = """() => {
    const faults = [];
    for (const button of document.querySelectorAll("button, .button, [type=submit]")) {
        const box = button.getBoundingClientRect();
        if (!box.width || !button.checkVisibility({visibilityProperty: true})) continue;
        const texts = document.createTreeWalker(button, NodeFilter.SHOW_TEXT);
        for (let node = texts.nextNode(); node; node = texts.nextNode()) {
            if (!node.data.trim() || node.parentElement.closest(".material-symbols-outlined, svg"))
                continue;
            // Words for screen readers only.
            if (node.parentElement.getBoundingClientRect().width <= 1) continue;
            const range = document.createRange();
            range.selectNodeContents(node);
            const lines = [...range.getClientRects()].filter((line) => line.width > 1);
            if (!lines.length) continue;
            const tops = new Set(lines.map((line) => Math.round(line.top / 4)));
            const right = Math.max(...lines.map((line) => line.right));
            const left = Math.min(...lines.map((line) => line.left));
            if (tops.size > 1) faults.push(`two lines: ${node.data.trim()}`);
            else if (right > box.right + 1 || left < box.left - 1)
                faults.push(`does not fit: ${node.data.trim()}`);
        }
    }
    return faults;
}"""


class AnyPage:
    """The elements that every page has."""

    def __init__(self, page: Page) -> None:
        self.page = page

    @property
    def title(self) -> Locator:
        return self.page.locator("h1")

    @property
    def notes(self) -> Locator:
        """The portal's messages about the last action."""
        return self.page.locator(".note")

    @property
    def problems(self) -> Locator:
        """The error summary above a rejected form."""
        return self.page.locator("[data-problems]")

    def has_focus(self, element: Locator) -> bool:
        return bool(element.evaluate("element => element === document.activeElement"))

    def overflow(self) -> int:
        """The number of pixels by which the page is wider than its window."""
        script = "document.scrollingElement.scrollWidth - window.innerWidth"
        return int(self.page.evaluate(script))

    def faulty_buttons(self) -> list[str]:
        """The visible buttons whose text takes two lines or does not fit."""
        found: list[str] = self.page.evaluate(FAULTY_BUTTONS)
        return found

    @property
    def language(self) -> str | None:
        return self.page.locator("html").get_attribute("lang")

    def choose_language(self, language: str) -> None:
        menu = self.page.locator(".user-opener")
        if menu.count():
            menu.click()
        self.page.locator(f'.language-switch button[value="{language}"]').click()

    def mark_document(self) -> None:
        """Mark the document for `is_marked_document`, which finds out whether it was reloaded."""
        self.page.evaluate("window.marked = true")

    def is_marked_document(self) -> bool:
        return bool(self.page.evaluate("window.marked === true"))


class SignIn(AnyPage):
    @classmethod
    def of(cls, visitor: Visitor) -> Self:
        visitor.page.goto("/")
        return cls(visitor.page)

    @property
    def button(self) -> Locator:
        return self.page.locator("#login-form button[type=submit]")

    def sign_in(self, name: str, password: str) -> AnyPage:
        self.page.locator("#id_username").fill(name)
        self.page.locator("#id_password").fill(password)
        with self.page.expect_navigation():
            self.button.click()
        return AnyPage(self.page)


class SendForm(AnyPage):
    @classmethod
    def of(cls, visitor: Visitor, page: Page | None = None) -> Self:
        page = page or visitor.page
        page.goto(reverse("admin:messaging_message_send"))
        return cls(page)

    @property
    def account(self) -> Locator:
        return self.page.locator("#id_account")

    @property
    def recipient(self) -> Locator:
        return self.page.locator("#id_recipient")

    @property
    def text(self) -> Locator:
        return self.page.locator("#id_text")

    @property
    def channel(self) -> Locator:
        return self.page.locator("#id_channel")

    @property
    def button(self) -> Locator:
        return self.page.locator("#send-button")

    @property
    def counter(self) -> Locator:
        return self.page.locator("#preview .counter").first

    @property
    def readback(self) -> Locator:
        return self.page.locator("#readback")

    @property
    def replace_button(self) -> Locator:
        return self.page.locator("[data-replacements]")

    def fill(self, recipient: str = "", text: str = "") -> Self:
        for field, value in ((self.recipient, recipient), (self.text, text)):
            if value:
                field.fill(value)
        return self

    def switch_to(self, account: Account) -> Self:
        with self.page.expect_navigation():
            self.account.select_option(account.public_id)
        return self

    def choose(self, account: Account) -> Self:
        return self if self.account.input_value() == account.public_id else self.switch_to(account)

    def send(self) -> MessagePage:
        """Press the button. An accepted form leads to the page of the message."""
        self.button.click()
        return MessagePage(self.page)

    @property
    def is_shown(self) -> bool:
        return self.page.locator("#send-form").count() == 1


class MessagePage(AnyPage):
    @classmethod
    def of(cls, visitor: Visitor, message: Message) -> Self:
        visitor.page.goto(reverse("admin:messaging_message_change", args=[message.public_id]))
        return cls(visitor.page)

    def wait_until_open(self) -> Self:
        expect(self.live).to_be_visible()
        return self

    @property
    def public_id(self) -> str:
        self.wait_until_open()
        return self.page.url.rstrip("/").split("/")[-2]

    @property
    def message(self) -> Message:
        return Message.objects.get(public_id=self.public_id)

    @property
    def live(self) -> Locator:
        return self.page.locator("#live")

    @property
    def state(self) -> Locator:
        return self.live.locator(".status-line .state span:not(.material-symbols-outlined)")

    @property
    def money(self) -> Locator:
        return self.live.locator(".money-line span:not(.material-symbols-outlined)")

    @property
    def timeline(self) -> Locator:
        return self.live.locator(".timeline")

    @property
    def call_links(self) -> Locator:
        return self.timeline.locator("a")

    @property
    def polls(self) -> bool:
        return self.live.locator("[hx-trigger]").count() > 0

    def wait_for_state(self, state: str) -> Self:
        expect(self.state).to_have_text(state)
        return self

    def settle(self, outcome: str, reason: str = "console") -> Self:
        self.live.locator(f'[data-opens="settle-{outcome}"]').click()
        dialog = self.page.locator(f"#settle-{outcome}")
        dialog.locator(f'input[value="{reason}"]').check()
        dialog.locator("button[type=submit]").click()
        return self

    @property
    def again_button(self) -> Locator:
        return self.live.locator('[data-opens="again-dialog"]')

    @property
    def again_dialog(self) -> Locator:
        return self.page.locator("#again-dialog")

    def send_again(self) -> Self:
        self.again_button.click()
        with self.page.expect_navigation():
            self.again_dialog.locator("button[type=submit]").click()
        return self

    def reveal(self, reason: str) -> Self:
        self.page.locator('[data-opens="reveal-dialog"]').click()
        dialog = self.page.locator("#reveal-dialog")
        dialog.locator(f'input[value="{reason}"]').check()
        dialog.locator("button[type=submit]").click()
        return self


class AccountForm(AnyPage):
    @classmethod
    def new(cls, visitor: Visitor, provider: str) -> Self:
        visitor.page.goto(reverse("admin:providers_account_add"))
        visitor.page.locator(f'.provider-choice a[href="?provider={provider}"]').click()
        visitor.page.wait_for_url(f"**/?provider={provider}")
        return cls(visitor.page)

    @classmethod
    def of(cls, visitor: Visitor, account: Account) -> Self:
        visitor.page.goto(reverse("admin:providers_account_change", args=[account.public_id]))
        return cls(visitor.page)

    def field(self, name: str) -> Locator:
        return self.page.locator(f"#id_{name}")

    def fill(self, **values: str) -> Self:
        for name, value in values.items():
            self.field(name).fill(value)
        return self

    def first_country(self, typed: str) -> Locator:
        """The country that Enter would choose.

        A script draws this list over the plain select, which is invisible.
        """
        if not self.page.locator(".select2-dropdown").is_visible():
            self.page.locator(".section-reach .select2-selection").click()
        self.page.locator(".select2-search__field").last.fill(typed)
        return self.page.locator(".select2-results__option--highlighted")

    def allow(self, country: str) -> Self:
        self.first_country(country).click()
        # The list stays open for further countries until a click outside of it.
        self.page.locator("#section-reach").click()
        return self

    def save(self) -> Self:
        with self.page.expect_navigation():
            self.page.locator(".form-end button[type=submit]").click()
        return self

    @property
    def check_result(self) -> Locator:
        return self.page.locator("#account-check")

    @property
    def figures(self) -> Locator:
        return self.page.locator("#account-figures")

    @property
    def state(self) -> Locator:
        return self.page.locator("#account-now .state span:not(.material-symbols-outlined)")

    def check(self) -> Self:
        self.page.locator("#check-button").click()
        return self

    def read_balance(self) -> Self:
        self.page.locator("#balance-button").click()
        return self
