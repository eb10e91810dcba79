"""Which pages and pictures the handbook has, and what stands in them.

A page is named by its part and file: `staff/send`. Only files that are found here are ever read,
so no address reaches another file.
"""

from __future__ import annotations

import posixpath
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import pgettext_lazy

from smsportal.configuration.environment import BASE_DIR

from . import markdown

DOCS: Final = Path(BASE_DIR) / "docs"
LANGUAGES: Final = ("en", "zh-hans")
PARTS: Final[dict[str, Promise]] = {
    "staff": pgettext_lazy("handbook", "For staff"),
    "managers": pgettext_lazy("handbook", "For managers"),
    "operators": pgettext_lazy("handbook", "For operators"),
}
ORDER: Final[dict[str, tuple[str, ...]]] = {
    "staff": (
        "send",
        "batches",
        "codes",
        "rent",
        "unknown-outcomes",
        "find",
        "figures",
        "exports",
        "approvals",
        "states",
        "reasons",
        "money",
        "shortcuts",
    ),
    "managers": (
        "accounts",
        "people",
        "rights",
        "caps",
        "approvals",
        "alerts",
        "scoreboard",
        "ledger",
        "privacy",
        "audit",
    ),
    "operators": (
        "install",
        "settings",
        "hosts",
        "proxy",
        "sign-in",
        "keys",
        "backup",
        "upgrade",
        "postgresql",
        "monitoring",
        "sizes",
        "troubleshooting",
        "sentences",
    ),
}
"""The pages in the order in which they are read."""
MOST_FOUND: Final = 40
EXCERPT: Final = 160
"""Characters."""


@dataclass(frozen=True, slots=True)
class Leaf:
    """One page in one language."""

    name: str
    title: str
    source: str

    @property
    def part(self) -> str:
        return self.name.partition("/")[0]

    @property
    def url(self) -> str:
        return url_of(self.name)


@dataclass(frozen=True, slots=True)
class Hit:
    """A section of a page that holds what was searched for."""

    leaf: Leaf
    heading: str
    url: str
    excerpt: str


@cache
def leaves(language: str) -> dict[str, Leaf]:
    """The pages of a language by their names. A page without a file is left out."""
    found = {}
    for part, names in ORDER.items():
        for name in names:
            path = DOCS / language / part / f"{name}.md"
            if path.is_file():
                source = path.read_text(encoding="utf-8")
                headings = markdown.headings_of(markdown.parse(source))
                title = headings[0].text if headings else name
                found[f"{part}/{name}"] = Leaf(f"{part}/{name}", title, source)
    return found


@cache
def pictures() -> dict[str, Path]:
    """Every picture by its language and name: `en/send`."""
    folder = DOCS / "screenshots"
    return {
        f"{language}/{path.stem}": path
        for language in LANGUAGES
        for path in (folder / language).glob("*.png")
    }


def url_of(name: str) -> str:
    part, _, page = name.partition("/")
    return reverse("admin:handbook_page", args=(part, page))


@cache
def html_of(name: str, language: str) -> str:
    leaf = leaves(language)[name]
    return markdown.render(leaf.source, lambda target: _address(target, f"{language}/{leaf.part}"))


def _address(target: str, folder: str) -> str | None:
    """Where a link of a page in `folder` leads within the portal."""
    if target.startswith(("#", "https://", "http://", "mailto:")):
        return target
    path, _, anchor = target.partition("#")
    parts = posixpath.normpath(posixpath.join(folder, path)).split("/")
    match parts:
        case ["screenshots", language, file] if f"{language}/{file[:-4]}" in pictures():
            return reverse("admin:handbook_picture", args=(language, file[:-4]))
        case [language, part, file] if f"{part}/{file[:-3]}" in leaves(language):
            return url_of(f"{part}/{file[:-3]}") + (f"#{anchor}" if anchor else "")
    return None


def find(words: str, language: str) -> list[Hit]:
    """The sections that hold every one of the words, in the order of the handbook."""
    wanted = words.casefold().split()
    found = []
    for leaf in leaves(language).values():
        for heading, text in _sections(leaf.name, language):
            folded = f"{leaf.title} {heading.text} {text}".casefold()
            if wanted and all(word in folded for word in wanted):
                url = leaf.url if heading.level == 1 else f"{leaf.url}#{heading.slug}"
                found.append(Hit(leaf, heading.text, url, _excerpt(text, wanted)))
    return found[:MOST_FOUND]


@cache
def _sections(name: str, language: str) -> tuple[tuple[markdown.Heading, str], ...]:
    """Each heading of a page with the text below it, as words."""
    tokens = markdown.parse(leaves(language)[name].source)
    headings = iter(markdown.headings_of(tokens))
    sections: list[tuple[markdown.Heading, list[str]]] = []
    for before, token in zip([None, *tokens], tokens, strict=False):
        if token.type == "heading_open":
            sections.append((next(headings), []))
        elif token.type == "inline" and sections and before and before.type != "heading_open":
            sections[-1][1].append(markdown.text_of(token))
        elif token.type in ("fence", "code_block") and sections:
            sections[-1][1].append(token.content)
    return tuple((heading, re.sub(r"\s+", " ", " ".join(texts))) for heading, texts in sections)


def _excerpt(text: str, wanted: list[str]) -> str:
    places = [place for word in wanted if (place := text.casefold().find(word)) >= 0]
    start = max(0, min(places, default=0) - EXCERPT // 3)
    cut = text[start : start + EXCERPT].strip()
    return f"{'…' if start else ''}{cut}{'…' if start + EXCERPT < len(text) else ''}"
