"""Words that only the tables of the handbook use, in both languages, and Markdown tables."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from django.utils.translation import get_language

_WORDS: Final = {
    "state": ("State", "状态"),
    "meaning": ("What it means", "含义"),
    "reason": ("What the page says", "页面说明"),
    "step": ("What to do", "处理方法"),
    "money": ("Money", "费用"),
    "word": ("Word", "用语"),
    "right": ("Right", "权限"),
    "field": ("Field", "字段"),
    "sentence": ("Sentence", "英文原句"),
    "cure": ("Cause and cure", "原因与处理"),
    "setting": ("Setting", "设置"),
    "default": ("Default", "默认值"),
    "such as": ("for example {}", "例如 {}"),
    "rule": ("Rule", "规则"),
    "area": ("Area", "类别"),
    "watched": ("What it looks at", "检查内容"),
    "threshold": ("Threshold to begin with", "初始阈值"),
    "service": ("Service", "服务"),
    "address": ("Address", "地址"),
    "keys": ("Keys", "按键"),
    "does": ("What it does", "作用"),
    "other system": (r"\2 (macOS: \1)", r"\2（macOS：\1）"),
}


def say(word: str) -> str:
    """A word in the active language."""
    return _WORDS[word][is_chinese(get_language())]


def is_chinese(language: str | None) -> bool:
    return (language or "").startswith("zh")


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A Markdown table. Cells may hold marks, but no line breaks and no raw “|”."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(map(_cell, line)) + " |" for line in lines)


def _cell(text: str) -> str:
    return " ".join(str(text).split()).replace("|", "\\|")
