"""The page of an object's log entries."""

from __future__ import annotations

import re
from types import SimpleNamespace
from typing import Any

import pytest
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.contenttypes.models import ContentType
from django.test import Client
from django.urls import reverse
from django.utils import translation

from core.admin.history import field_label, translate_fields
from rentals.models import Region
from tests.factories.accounts import make_account
from tests.factories.staff import make_user
from tests.support.signed_in import browser_of, member


@pytest.mark.django_db
def test_the_page_names_changed_fields_in_the_readers_language() -> None:
    browser = browser_of(member(superuser=True))
    region = Region.objects.create(provider="gosms", code="TH")
    changed = {"provider": "gosms", "code": "TH", "remark": "evenings only"}
    browser.post(reverse("admin:rentals_region_change", args=[region.pk]), changed)
    assert logged_acts(browser, region, "en") == ["Changed Remark and Available."]
    (chinese,) = logged_acts(browser, region, "zh-CN")
    assert "备注" in chinese
    assert "启用" in chinese
    assert not re.search(r"[A-Za-z]", chinese)


def logged_acts(browser: Client, region: Region, language: str) -> list[str]:
    url = reverse("admin:rentals_region_history", args=[region.pk])
    answer: Any = browser.get(url, headers={"accept-language": language})
    assert answer.status_code == 200
    return [entry.get_change_message() for entry in answer.context["action_list"]]


@pytest.mark.parametrize("message", ["Marked as sent.", "7", '[{"added": {}}]', ""])
def test_entries_without_fields_stay_as_they_are(message: str) -> None:
    entry: Any = SimpleNamespace(change_message=message)
    translate_fields([entry])
    assert entry.change_message == message


@pytest.mark.parametrize(
    ("label", "chinese"),
    [("Text", "短信内容"), ("reason", "原因"), ("API key", "API Key"), ("Own", "Own"), ("", "")],
)
def test_labels_are_found_with_and_without_a_context(label: str, chinese: str) -> None:
    with translation.override("zh-hans"):
        assert field_label(label) == chinese


@pytest.mark.django_db
def test_history_of_a_row_with_an_opaque_id_shows_its_entries() -> None:
    account = make_account()
    user = make_user(is_superuser=True)
    LogEntry.objects.create(
        user=user,
        content_type=ContentType.objects.get_for_model(account),
        object_id=str(account.pk),
        object_repr=str(account),
        action_flag=CHANGE,
        change_message="Paused at noon",
    )
    address = reverse("admin:providers_account_history", args=[account.public_id])
    assert "Paused at noon" in browser_of(user).get(address).content.decode()
