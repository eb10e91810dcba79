"""Every list that staff have exports both formats."""

from __future__ import annotations

import csv
import io
from typing import Any

import pytest
from django.contrib import admin
from django.urls import reverse
from openpyxl import load_workbook

from core.admin.base import PortalAdmin
from core.admin.exports import Format
from smsportal import urls
from tests.security.addresses import make_world
from tests.support.signed_in import browser_of, member

pytestmark = pytest.mark.django_db
assert urls


def lists() -> list[PortalAdmin]:
    return [one for one in admin.site._registry.values() if isinstance(one, PortalAdmin)]


def content_of(answer: Any) -> bytes:
    assert answer.status_code == 200, answer.content
    return b"".join(answer.streaming_content)


def test_every_list_exports_both_formats_with_the_same_cells() -> None:
    make_world()
    browser = browser_of(member(superuser=True, name="root"))
    with_rows = set()
    for one in lists():
        url = reverse(one.url_name("export"))
        text, book = (content_of(browser.get(url, {"format": format_})) for format_ in Format)
        lines = list(csv.reader(io.StringIO(text.decode("utf-8-sig"), newline="")))
        rows = load_workbook(io.BytesIO(book)).worksheets[0].rows
        cells = [[cell.value or "" for cell in row] for row in rows]
        # Each export is an act, which the second file of acts has.
        if one.model.__name__ not in ("OrmQ", "Entry"):
            assert cells == lines, one
        assert all(lines[0]), one
        if len(lines) > 1:
            with_rows.add(one.opts.label_lower)
    assert len(with_rows) > 10, with_rows


def test_every_list_offers_its_export_to_those_who_may() -> None:
    for one in lists():
        assert one.list_export is not None, one


@pytest.mark.parametrize(("role", "status"), [("manager", 200), ("operator", 403)])
def test_other_lists_need_the_permission_for_other_lists(role: str, status: int) -> None:
    answer = browser_of(member(role)).get("/messaging/template/export/")
    assert answer.status_code == status
    listed = browser_of(member(role, name="other")).get("/messaging/template/")
    assert (b"/messaging/template/export/" in listed.content) == (status == 200)


def test_names_of_files_are_their_own() -> None:
    names = [one.list_export.name for one in lists() if one.list_export]
    assert len(names) == len(set(names))
