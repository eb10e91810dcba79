"""Dashboards, figures, scoreboard and the page of a number, with a month of history."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User
from django.utils import timezone
from playwright.sync_api import Page, expect
from pytest_django import Settings

from core.masking import number_url
from figures.tasks import bring_up_to_date
from messaging.models import Message
from sandbox.server import Sandbox
from tests.support.history import write_month

from .conftest import LANGUAGES, MakeVisitor

pytestmark = [pytest.mark.slow]
PHONE_WIDTH = 390


@pytest.fixture(autouse=True)
def month(sandbox: Sandbox, settings: Settings, tmp_path: object) -> None:
    settings.DATA_DIR = tmp_path
    write_month(timezone.now())
    bring_up_to_date()


def staff(name: str) -> User:
    return User.objects.get(username=name)


def overflowing(page: Page, addresses: tuple[str, ...]) -> list[str]:
    """The pages that are wider than the window in a theme."""
    found = []
    for theme in ("light", "dark"):
        page.emulate_media(color_scheme=theme)
        for width in (1280, PHONE_WIDTH):
            page.set_viewport_size({"width": width, "height": 900})
            for address in addresses:
                page.goto(address)
                expect(page.locator("main")).to_be_visible()
                if page.evaluate("document.documentElement.scrollWidth > window.innerWidth"):
                    found.append(f"{address} {theme} {width}")
    page.emulate_media(color_scheme="light")
    return found


@pytest.mark.parametrize("language", LANGUAGES)
def test_pages_of_figures_fit_in_every_theme_and_width(
    language: str, make_visitor: MakeVisitor
) -> None:
    number = Message.objects.exclude(recipient="").latest("created_at").recipient
    pages = {
        "operator": ("/",),
        "auditor": ("/",),
        "manager": ("/", "/figures/", "/scoreboard/", number_url(number)),
    }
    for name, addresses in pages.items():
        visitor = make_visitor(staff(name), language=language)
        assert overflowing(visitor.page, addresses) == []


def test_figure_opens_its_rows_and_chart_opens_as_a_table(make_visitor: MakeVisitor) -> None:
    page = make_visitor(staff("manager")).page
    page.goto("/figures/")
    table = page.locator("details.chart-table").first
    table.locator("summary").focus()
    page.keyboard.press("Enter")
    rows = table.locator("tbody tr")
    expect(rows.first).to_be_visible()
    assert rows.count() > 1
    page.goto("/")
    figure = page.locator(".kpis a").first
    counted = figure.locator(".v").inner_text().split()[0]
    with page.expect_navigation():
        figure.click()
    shown = page.locator(".result-list, #changelist").first
    expect(shown).to_contain_text(f"{counted} ")
