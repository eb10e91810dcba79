"""The cure for each sentence of the portal, from cures.toml. They are written by hand."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

from .sentences import find_sentences
from .words import is_chinese

FILE: Final = Path(__file__).parent / "cures.toml"


@dataclass(frozen=True, slots=True)
class Cure:
    en: str
    zh: str

    def in_language(self, language: str | None) -> str:
        return self.zh if is_chinese(language) else self.en


@cache
def read_cures() -> dict[str, Cure]:
    """By sentence."""
    listed = tomllib.loads(FILE.read_text(encoding="utf-8"))
    return {
        sentence: Cure(one["en"], one["zh"])
        for one in listed.values()
        for sentence in one["sentences"]
    }


def find_problems() -> Iterator[str]:
    cures, said = read_cures(), {one.text for one in find_sentences()}
    for text in sorted(said - set(cures)):
        yield f"tools/docs/cures.toml: no cure for “{text}”"
    for text in sorted(set(cures) - said):
        yield f"tools/docs/cures.toml: the portal no longer says “{text}”"
