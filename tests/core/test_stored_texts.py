"""Texts that are stored as keys: what is written, and what readers of each language see."""

from __future__ import annotations

import json

import pytest
from django.utils.translation import gettext_lazy as _
from django.utils.translation import override

from core import stored_texts
from core.admin.history import CHANGED
from core.stored_texts import StoredText, as_value, from_staff, is_known, names, show


@pytest.fixture
def moved(monkeypatch: pytest.MonkeyPatch) -> StoredText:
    monkeypatch.setattr(stored_texts, "_texts", dict(stored_texts._texts))
    return stored_texts.declare("test.moved", _("Reassigned by %(name)s to %(other)s"))


@pytest.fixture
def choice(moved: StoredText) -> StoredText:
    return stored_texts.declare("test.choice", _("Recipient received it"))


def test_text_is_stored_as_key_with_values_and_shown_in_the_readers_language(
    moved: StoredText,
) -> None:
    stored = moved.store(name="李伟", other="Ana")
    assert json.loads(stored) == {"key": "test.moved", "name": "李伟", "other": "Ana"}
    assert show(stored) == "Reassigned by 李伟 to Ana"
    with override("zh-hans"):
        assert "Reassigned" not in show(stored)
        assert "李伟" in show(stored)


def test_stored_text_inside_another_is_translated_too(
    moved: StoredText, choice: StoredText
) -> None:
    stored = moved.store(name=as_value(choice.store()), other=as_value(from_staff("as typed")))
    with override("zh-hans"):
        assert "收件人已收到" in show(stored)
        assert "as typed" in show(stored)


@pytest.mark.parametrize(
    "text",
    [
        "Recipient received it",
        "has",
        "rang at 14:05 <b>%(name)s</b>",
        '{"key": "test.choice"}',
        '{"key": "test.choice"',
        '{"key": "nobody.knows"}',
        "{",
        "",
    ],
)
def test_words_of_staff_are_shown_as_typed(choice: StoredText, text: str) -> None:
    with override("zh-hans"):
        assert show(from_staff(text)).strip() == text
        assert show(choice.store()) == "收件人已收到"


@pytest.mark.parametrize(
    "stored",
    [
        '{"key": "of.another.version", "name": "x"}',
        '{"key": "test.moved"}',
        '{"key": "test.moved", "name": "x", "other"',
        '{"key": 5}',
        '["key"]',
        '{"key": "' + '["' * 5000,
        "Handed to Wei",
    ],
)
def test_what_this_version_does_not_know_is_shown_as_stored(moved: StoredText, stored: str) -> None:
    assert show(stored) == stored


def test_values_are_never_read_as_texts(moved: StoredText, choice: StoredText) -> None:
    stored = moved.store(name=str(choice.store()), other="%(name)s")
    assert show(stored) == 'Reassigned by {"key": "test.choice"} to %(name)s'


def test_fields_are_shown_by_their_labels() -> None:
    stored = CHANGED.store(fields=names("messaging.template", ["text", "name", "gone"]))
    assert is_known(stored)
    with override("zh-hans"):
        assert show(stored).endswith("短信内容、名称、gone")
    assert show(stored) == "Changed: Text, Name, gone"


def test_a_key_has_one_text(choice: StoredText) -> None:
    with pytest.raises(ValueError, match="has a text already"):
        stored_texts.declare("test.choice", _("Code"))
