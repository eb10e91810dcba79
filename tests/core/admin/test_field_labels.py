"""The names of changed fields in entries of earlier versions."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from django.utils import translation

from core.admin.field_labels import field_label, translate_fields


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
