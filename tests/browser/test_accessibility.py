"""No page breaks a rule of axe-core, with its dialogs closed and open."""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from django.urls import reverse
from playwright.sync_api import Page, expect

from sandbox.server import Sandbox
from tests.factories.accounts import make_account
from tests.factories.messages import make_message

from .conftest import MakeVisitor
from .pages import SignIn
from .test_every_page import PHONE_WIDTH, fill_every_page

AXE = Path(__file__).parent / "axe" / "axe.min.js"
VERSION = "4.14.1"
DIGEST = "29348999450cdf2849a8e70b7912fc2da85a849da39c0d0d5394f51d4a9ed95c"
TAGS = ("wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice")
RUN = """async (tags) => {
    const found = await axe.run(document, {
        runOnly: {type: "tag", values: tags},
        resultTypes: ["violations"],
    });
    return found.violations.map((rule) => [rule.id, rule.nodes.map((node) => node.html)]);
}"""
CLOSE = "document.querySelectorAll('dialog[open]').forEach((dialog) => dialog.close())"
DIALOGS = "[...document.querySelectorAll('dialog:not([open])[id]')].map((dialog) => dialog.id)"


@cache
def _axe() -> str:
    return AXE.read_text(encoding="utf-8")


def violations(page: Page) -> dict[str, list[str]]:
    """Returns the elements that break a rule, by rule."""
    if not page.evaluate("'axe' in window"):
        page.evaluate(_axe())
    found: list[Any] = page.evaluate(RUN, TAGS)
    return {rule: [html[:200] for html in nodes] for rule, nodes in found}


def violations_with_dialogs(page: Page) -> dict[str, dict[str, list[str]]]:
    """Returns what is wrong with the page as it is, and with each of its dialogs open."""
    found = {"": violations(page)}
    for dialog in page.evaluate(DIALOGS):
        page.evaluate("name => document.getElementById(name).showModal()", dialog)
        found[dialog] = violations(page)
        page.evaluate(CLOSE)
    return {where: what for where, what in found.items() if what}


def test_axe_is_the_pinned_one() -> None:
    assert hashlib.sha256(AXE.read_bytes()).hexdigest() == DIGEST
    assert f"axe v{VERSION}" in AXE.read_text(encoding="utf-8")[:20]


@pytest.mark.any_database
def test_violations_are_found(make_visitor: MakeVisitor) -> None:
    page = make_visitor().page
    page.set_content(
        "<html lang=en><title>T</title><main><h1>H</h1><input></main><p>outside</p>"
        "<dialog id=d aria-label=D><select></select></dialog></html>"
    )
    assert violations_with_dialogs(page) == {
        "": {"label": ["<input>"], "region": ["<p>outside</p>"]},
        "d": {"select-name": ["<select></select>"]},
    }


@pytest.mark.any_database
@pytest.mark.parametrize(
    ("language", "theme", "width"),
    [
        ("en", "light", 1280),
        pytest.param("zh-hans", "dark", 1280, marks=pytest.mark.long),
        pytest.param("en", "dark", PHONE_WIDTH, marks=pytest.mark.long),
        pytest.param("zh-hans", "light", PHONE_WIDTH, marks=pytest.mark.long),
    ],
)
def test_no_page_breaks_a_rule(
    language: str, theme: str, width: int, make_visitor: MakeVisitor, sandbox: Sandbox
) -> None:
    addresses = fill_every_page(sandbox)
    addresses["sorted list"] = addresses["messages"] + "?o=2"
    visitor = make_visitor("superuser", language=language, width=width)
    page = visitor.page
    page.goto("/")
    page.evaluate("theme => localStorage.setItem('adminTheme', JSON.stringify(theme))", theme)
    faulty = {}
    for name, address in addresses.items():
        page.goto(address)
        assert page.evaluate("document.documentElement.classList.contains('dark')") == (
            theme == "dark"
        )
        if found := violations_with_dialogs(page):
            faulty[name] = found
    assert faulty == {}


@pytest.mark.any_database
@pytest.mark.parametrize("theme", ["dark", pytest.param("light", marks=pytest.mark.long)])
def test_what_opens_on_a_page_breaks_no_rule(
    theme: str, make_visitor: MakeVisitor, sandbox: Sandbox
) -> None:
    make_message(make_account("haorui", sandbox))
    page = make_visitor("manager").page
    page.goto("/")
    page.evaluate("theme => localStorage.setItem('adminTheme', JSON.stringify(theme))", theme)
    page.goto(reverse("admin:messaging_message_changelist"))
    page.locator("[data-filters]").click()
    expect(page.locator("#changelist-filter")).to_be_visible()
    found = {"filters": violations(page)}
    page.goto(reverse("admin:messaging_message_changelist"))
    page.locator(".action-select").first.click()
    found["chosen rows"] = violations(page)
    page.locator(".user-opener").click()
    expect(page.locator(".user-links")).to_be_visible()
    found["user menu"] = violations(page)
    page.keyboard.press("Control+k")
    page.locator("#search-input-command").press_sequentially("call")
    expect(page.locator("#command-results-list a").first).to_be_visible()
    found["palette"] = violations(page)
    assert found == {"filters": {}, "chosen rows": {}, "user menu": {}, "palette": {}}


@pytest.mark.any_database
def test_sign_in_and_error_pages_break_no_rule(make_visitor: MakeVisitor) -> None:
    signing_in = SignIn.of(make_visitor())
    assert violations(signing_in.page) == {}
    signing_in.sign_in("nobody", "wrong")
    assert violations(signing_in.page) == {}
    visitor = make_visitor("viewer")
    for address, status in (("/nothing/here/", 404), (reverse("admin:auth_user_changelist"), 403)):
        with visitor.expecting(str(status)):
            visitor.page.goto(address)
        assert violations(visitor.page) == {}, status
