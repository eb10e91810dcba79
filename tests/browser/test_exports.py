"""A long list is exported as a job, whose page follows it."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import expect

from core.admin.export_jobs import export_page, parts, slices
from tests.factories.accounts import make_account
from tests.factories.messages import make_message

from .conftest import MakeVisitor


@pytest.fixture(autouse=True)
def short_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(export_page, "MOST_ROWS", 2)
    monkeypatch.setattr(parts, "MOST_ROWS", 3)
    monkeypatch.setattr(slices, "SLICE_SECONDS", 0)


@pytest.mark.any_database
def test_long_export_is_followed_downloaded_and_cancelled(
    make_visitor: MakeVisitor, tmp_path: Path
) -> None:
    account = make_account("haorui")
    for _ in range(8):
        make_message(account)
    page = make_visitor("manager").page
    page.goto("/messaging/message/")
    page.get_by_role("link", name="Export CSV").click()
    expect(page.get_by_text("The list has 8 rows.")).to_be_visible()
    page.get_by_role("button", name="Prepare file").click()
    live = page.locator("#live")
    expect(live).to_contain_text("Waiting")
    assert slices.write_slice()
    # The page notices by itself.
    expect(live).to_contain_text("3 of about 8 rows")
    expect(live.locator("progress")).to_have_attribute("value", "37")
    while slices.write_slice():
        pass
    expect(live).to_contain_text("Ready")
    with page.expect_download() as download:
        live.get_by_role("link", name="Download").click()
    lines = Path(download.value.path()).read_text(encoding="utf-8-sig").splitlines()
    assert len(lines) == 9
    live.get_by_role("button", name="Ask again").click()
    expect(live).to_contain_text("Waiting")
    live.get_by_role("button", name="Cancel").click()
    expect(page.get_by_text("Export cancelled.")).to_be_visible()
    expect(live).to_contain_text("Cancelled")
