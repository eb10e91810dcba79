"""Tables hold: no word breaks inside, no cell cuts its text, one tab stop leads into a row."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page

from sandbox.server import Sandbox

from .broken_words import broken_words
from .conftest import LANGUAGES, MakeVisitor
from .test_every_page import fill_every_page

WIDTHS = (1280, 1024, 390)


@pytest.mark.any_database
def test_broken_and_clipped_words_are_found(make_visitor: MakeVisitor) -> None:
    page = make_visitor().page
    page.set_content(
        "<table style='table-layout: fixed; width: 240px'><tr>"
        "<td style='overflow-wrap: anywhere; width: 40px'>Transactional</td>"
        "<td style='overflow-wrap: anywhere; width: 60px'>two words</td>"
        "<td style='overflow: hidden; white-space: nowrap; width: 40px'>Promotional words</td>"
        "<td style='width: 40px'>等待处理的短信</td></tr></table>"
    )
    assert broken_words(page) == ["broken: Transactional ()", "clipped: Promotional words ()"]


@pytest.mark.any_database
@pytest.mark.parametrize("language", LANGUAGES)
def test_no_cell_breaks_or_clips_a_word(
    language: str, make_visitor: MakeVisitor, sandbox: Sandbox
) -> None:
    addresses = fill_every_page(sandbox)
    visitor = make_visitor("superuser", language=language)
    faulty = {}
    for name, address in addresses.items():
        visitor.page.goto(address)
        for width in WIDTHS:
            visitor.page.set_viewport_size({"width": width, "height": 900})
            if found := broken_words(visitor.page):
                faulty[name, width] = found
    assert faulty == {}


def tab_stops(page: Page) -> list[int]:
    """How often the keyboard stops in each row of a list, without the checkbox."""
    script = """rows => rows.map((row) => [...row.querySelectorAll("a, button, [tabindex='0']")]
        .filter((part) => part.tabIndex >= 0 && part.checkVisibility()).length)"""
    found: list[int] = page.locator("#result_list tr.data-row").evaluate_all(script)
    return found


@pytest.mark.any_database
def test_keyboard_stops_once_in_a_row(make_visitor: MakeVisitor, sandbox: Sandbox) -> None:
    addresses = fill_every_page(sandbox)
    page = make_visitor("superuser").page
    many = {}
    for name, address in addresses.items():
        page.goto(address)
        if set(stops := tab_stops(page)) - {1}:
            many[name] = stops
    assert many == {}
