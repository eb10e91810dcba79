"""Joining translated texts with the marks of the reader's language."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.utils import translation
from django.utils.safestring import SafeString

from core.punctuation import (
    in_brackets,
    join_sentences,
    label_text,
    listed,
    separated,
    with_detail,
)


@pytest.fixture
def chinese() -> Iterator[None]:
    with translation.override("zh-hans"):
        yield


def test_english_marks_are_followed_by_a_blank() -> None:
    assert label_text("Number", "12") == "Number: 12"
    assert in_brackets("12", "80%") == "12 (80%)"
    assert with_detail("Ann", "14:05") == "Ann, 14:05"
    assert listed(["a", "b"]) == "a, b"
    assert separated(["a, b", "c"]) == "a, b; c"
    assert join_sentences("One.", "Two.", "Three.") == "One. Two. Three."


@pytest.mark.usefixtures("chinese")
def test_chinese_marks_are_full_width_and_without_blanks() -> None:
    assert label_text("手机号", "12") == "手机号：12"
    assert in_brackets("12", "80%") == "12（80%）"
    assert with_detail("张三", "14:05") == "张三，14:05"
    assert listed(["甲", "乙"]) == "甲、乙"
    assert separated(["甲、乙", "丙"]) == "甲、乙；丙"
    assert join_sentences("一。", "二。") == "一。二。"


def test_empty_parts_are_left_out() -> None:
    assert listed(["a", "", "b"]) == "a, b"
    assert separated(["", "a"]) == "a"
    assert join_sentences("", "One.", "", "Two.") == "One. Two."
    assert join_sentences("", "") == ""


@pytest.mark.parametrize("join", [label_text, in_brackets, with_detail, join_sentences])
def test_text_beside_html_is_escaped(join: object) -> None:
    assert callable(join)
    found = join(SafeString("<b>a</b>"), "<i>")
    assert isinstance(found, SafeString)
    assert "<b>a</b>" in found
    assert "&lt;i&gt;" in found
    assert not isinstance(join("<b>", "<i>"), SafeString)
