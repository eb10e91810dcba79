"""The page on which people choose their time zone."""

from __future__ import annotations

from datetime import datetime

import pytest
from playwright.sync_api import expect

from .conftest import MakeVisitor


@pytest.mark.any_database
def test_zone_of_the_device_is_proposed_and_kept(make_visitor: MakeVisitor) -> None:
    page = make_visitor("viewer").page
    page.goto("/my-settings/")
    zone = page.evaluate("Intl.DateTimeFormat().resolvedOptions().timeZone")
    button = page.locator("[data-browser-zone]")
    expect(button).to_contain_text(zone)
    field = page.get_by_label("Time zone")
    expect(field).to_have_value("")
    button.click()
    expect(field).to_have_value(zone)
    expect(button).to_be_hidden()
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Saved. It is now")).to_contain_text(f"{datetime.now().year}")  # noqa: DTZ005
    expect(field).to_have_value(zone)
