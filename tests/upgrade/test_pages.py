"""Every page of the portal works with the rows of an earlier release."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib import admin
from django.contrib.admin.models import LogEntry
from django.contrib.admin.utils import quote
from django.contrib.auth.models import User
from django.db.models import Model
from django.test import Client
from django.urls import NoReverseMatch, get_resolver, reverse

from messaging.models import Message
from rentals import hand_overs
from rentals.models import Finding, Order
from tests.upgrade import databases
from tests.upgrade.databases import Rows

pytestmark = [pytest.mark.each_database, pytest.mark.usefixtures("upgraded")]

NO_PAGES = {"logout", "autocomplete", "view_on_site"}


@pytest.fixture
def superuser(upgraded: None) -> Client:
    client = Client()
    client.force_login(User.objects.get(username="chief"))
    # Opening the first page registers all others.
    assert client.get(reverse("admin:index")).status_code == 200
    return client


@pytest.fixture(params=["before_migration", "after_migration"])
def written(request: pytest.FixtureRequest, upgraded: None, old_rows: Rows) -> None:
    """The old version wrote the rows before the migration, or after it beside the new version."""
    if request.param == "after_migration":
        databases.replace_rows(old_rows)


def test_lists_and_forms_open(superuser: Client) -> None:
    opened = {name: superuser.get(address).status_code for name, address in _addresses()}
    lists = {name: code for name, code in opened.items() if name.endswith("_changelist")}
    assert {name: code for name, code in lists.items() if code != 200} == {}
    assert len(lists) > 20
    # Forms without permission to add and POST-only views are refused, but no page may fail.
    assert {name: code for name, code in opened.items() if code >= 500} == {}
    assert sum(code == 200 for code in opened.values()) > 40


def _addresses() -> Iterator[tuple[str, str]]:
    """Names and URLs of all admin pages without an object."""
    _, (_, resolver) = next(
        found for found in get_resolver().namespace_dict.items() if found[0] == "admin"
    )
    for name in sorted(key for key in resolver.reverse_dict if isinstance(key, str)):
        try:
            address = reverse(f"admin:{name}")
        except NoReverseMatch:
            continue
        if name not in NO_PAGES:
            yield name, address


def test_page_of_one_row_in_each_state_opens(written: None, superuser: Client) -> None:
    failed, opened = {}, 0
    for row in _one_of_each():
        address = reverse(
            f"admin:{row._meta.app_label}_{row._meta.model_name}_change", args=[_id(row)]
        )
        code = superuser.get(address).status_code
        opened += 1
        if code != 200:
            failed[f"{row._meta.label} {getattr(row, 'state', '')}"] = code
    assert failed == {}
    assert opened > 80


def _one_of_each() -> Iterator[Model]:
    for model in admin.site._registry:
        names = {field.name for field in model._meta.concrete_fields}
        distinguishing = sorted(names & {"state", "kind", "provider", "outcome"})
        seen: set[Any] = set()
        for row in model._default_manager.all():
            key = tuple(str(getattr(row, name)) for name in distinguishing)
            if key not in seen:
                seen.add(key)
                yield row


def _id(row: Model) -> str:
    return str(getattr(row, "public_id", quote(row.pk)))


def test_order_page_shows_who_reassigned_the_order(written: None, superuser: Client) -> None:
    hand_overs.read_older_lines()  # as a schedule does
    order = Order.objects.filter(held_by__groups__name="manager").earliest("pk")
    page = superuser.get(reverse("admin:rentals_order_change", args=[order.public_id]))
    by, to = order.created_by, order.held_by
    assert f"Reassigned by {by} to {to}" in page.content.decode()


def test_log_of_the_old_version_is_shown_in_the_language_of_the_reader(superuser: Client) -> None:
    entry = LogEntry.objects.get()
    order = Order.objects.get(pk=str(entry.object_id))
    assert entry.change_message == '{"key": "order.reassigned", "name": "staff3"}'
    address = reverse("admin:rentals_order_history", args=[order.public_id])
    page = superuser.get(address, headers={"accept-language": "zh-hans"})
    assert "转交给 staff3" in page.content.decode()


def test_typed_reasons_of_the_old_version_stay_as_typed(superuser: Client) -> None:
    assert Message.objects.filter(settled_because="their console").exists()
    assert Finding.objects.filter(explained_because="late").exists()
