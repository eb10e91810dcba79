"""The table of settings, from .env.example. Its Chinese is in settings.toml.

There, `of` is a digest of the English text that the Chinese one translates, so a change of the
first is noticed.
"""

from __future__ import annotations

import hashlib
import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, Final

from django.utils.translation import get_language

from .words import is_chinese, say, table

EXAMPLE: Final = Path(__file__).resolve().parent.parent.parent / ".env.example"
CHINESE: Final = Path(__file__).parent / "settings.toml"
SECTION: Final = re.compile(r"# --- (.+?) -+$")
SETTING: Final = re.compile(r"#([A-Z][A-Z0-9_]*)=(.*)$")
EXAMPLE_HOST: Final = ".example.com"
"""The values that hold it are no defaults."""
NAME: Final = re.compile(r"(?<![\w./`-])([A-Z][A-Z0-9]+(?:_[A-Z0-9]+)+)(?![\w`])")


@dataclass
class Explained:
    """Settings that one comment explains. `defaults` by name."""

    section: str
    text: str
    defaults: dict[str, str] = field(default_factory=dict)

    @property
    def key(self) -> str:
        return next(iter(self.defaults))

    @property
    def digest(self) -> str:
        return hashlib.sha256(self.text.encode()).hexdigest()[:8]


def read_settings(source: str) -> list[Explained]:
    found: list[Explained] = []
    section = ""
    comment: list[str] = []
    for line in source.splitlines():
        if match := SECTION.match(line):
            section, comment = match[1], []
        elif match := SETTING.match(line):
            if comment or not found:
                found.append(Explained(section, " ".join(comment)))
                comment = []
            found[-1].defaults[match[1]] = match[2]
        elif line.startswith("#"):
            comment.append(line.lstrip("# "))
        elif comment:
            comment = []
    return [one for one in found if one.section]


@cache
def _all() -> list[Explained]:
    return read_settings(EXAMPLE.read_text(encoding="utf-8"))


@cache
def _chinese() -> dict[str, Any]:
    return tomllib.loads(CHINESE.read_text(encoding="utf-8"))


def make() -> str:
    chinese = is_chinese(get_language())
    words = _chinese()
    parts = []
    for section in dict.fromkeys(one.section for one in _all()):
        rows = []
        for one in (each for each in _all() if each.section == section):
            text = words.get(one.key, {}).get("zh", "") if chinese else one.text
            for number, (name, default) in enumerate(one.defaults.items()):
                shown = f"`{default}`" if default else ""
                if EXAMPLE_HOST in default:
                    shown = say("such as").format(shown)
                rows.append((f"`{name}`", shown, _marked(text) if not number else "↑"))
        title = words["sections"].get(section, section) if chinese else section
        head = [say("setting"), say("default"), say("meaning")]
        parts.append(f"## {title}\n\n{table(head, rows)}")
    return "\n\n".join(parts)


def _marked(text: str) -> str:
    return NAME.sub(r"`\1`", text)


def find_problems() -> Iterator[str]:
    words, known = _chinese(), {one.key: one for one in _all()}
    for key, one in known.items():
        if words.get(key, {}).get("of") != one.digest:
            yield (
                f"tools/docs/settings.toml: the Chinese of {key} does not belong to the text in"
                f' .env.example. Correct it, then set of = "{one.digest}".'
            )
    for section in {one.section for one in known.values()} - set(words["sections"]):
        yield f"tools/docs/settings.toml: no Chinese for the section “{section}”"
    for key in set(words) - set(known) - {"sections"}:
        yield f"tools/docs/settings.toml: {key} is explained by no comment of .env.example"
