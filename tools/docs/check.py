"""What is wrong with the handbook: links, pictures, anchors, and headings that do not match."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Final
from urllib.parse import unquote

from markdown_it.token import Token

from smsportal.handbook import markdown, shelf

ROOT: Final = Path(__file__).resolve().parent.parent.parent
DOCS: Final = ROOT / "docs"
ENGLISH, CHINESE = shelf.LANGUAGES


def find_problems() -> Iterator[str]:
    for path in sorted([*DOCS.rglob("*.md"), *ROOT.glob("*.md")]):
        yield from broken_targets(path)
        yield from marks_shown(path)
    yield from missing_pages()
    for name in _pages(ENGLISH) & _pages(CHINESE):
        yield from unlike_headings(name)


def broken_targets(path: Path) -> Iterator[str]:
    """Links, pictures and anchors of a file that lead to nothing."""
    where = path.relative_to(ROOT) if path.is_relative_to(ROOT) else path
    for kind, target in markdown.targets_of(_tokens(path)):
        if target.startswith(("http://", "https://", "mailto:")):
            continue
        name, _, anchor = unquote(target).partition("#")
        led = (path.parent / name).resolve() if name else path
        if not led.exists():
            what = "picture" if kind == "src" else "link"
            yield f"{where}: the {what} {target} leads to nothing"
        elif anchor and led.suffix == ".md" and anchor not in _anchors(led):
            yield f"{where}: {target} names no heading"


def marks_shown(path: Path) -> Iterator[str]:
    """Stars that do not make words bold, as where Chinese follows a mark: **词。**词."""
    where = path.relative_to(ROOT) if path.is_relative_to(ROOT) else path
    for token in _tokens(path):
        shown = "".join(one.content for one in token.children or () if one.type == "text")
        if "**" in shown:
            yield f"{where}: stars are shown as they are: {shown[:60]}"


def missing_pages() -> Iterator[str]:
    """Pages without a file, files that are no page, and pages in one language only."""
    listed = {f"{part}/{name}" for part, names in shelf.ORDER.items() for name in names}
    for language in shelf.LANGUAGES:
        for name in sorted(listed - _pages(language)):
            yield f"docs/{language}/{name}.md is missing"
        for name in sorted(_pages(language) - listed):
            yield f"docs/{language}/{name}.md is not listed in smsportal/handbook/shelf.py"


def unlike_headings(name: str) -> Iterator[str]:
    """Headings that exist in one language only: the levels must be the same, in the same order."""
    levels = []
    for language in shelf.LANGUAGES:
        found = markdown.headings_of(_tokens(DOCS / language / f"{name}.md"))
        levels.append([heading.level for heading in found])
    if levels[0] != levels[1]:
        yield (
            f"{name}: the headings of docs/{ENGLISH} and docs/{CHINESE} differ"
            f" ({len(levels[0])} and {len(levels[1])})"
        )


def _pages(language: str) -> set[str]:
    folder = DOCS / language
    return {f"{part}/{path.stem}" for part in shelf.PARTS for path in (folder / part).glob("*.md")}


@cache
def _tokens(path: Path) -> list[Token]:
    return markdown.parse(path.read_text(encoding="utf-8"))


@cache
def _anchors(path: Path) -> set[str]:
    return {heading.slug for heading in markdown.headings_of(_tokens(path))}
