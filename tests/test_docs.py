"""Names in the documentation exist: files, functions, tests, links, make targets, terms."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Final, NamedTuple

import polib
import pytest

ROOT: Final = Path(__file__).resolve().parent.parent
DOCUMENTS: Final = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
APPS: Final = ("messaging", "messaging/batches", "otp", "rentals")
"""Modules that every app has are named without the app: `presentation/labels.py`."""
NOT_OURS: Final = frozenset({"numbers/"})
"""Packages that must not exist (docs/developers/adr/0007)."""
EXAMPLES: Final = frozenset({"test_search_ignores_the_default_period"})
"""Sample names that do not exist."""

PATH: Final = re.compile(r"`([\w.-]+(?:/[\w.-]+)*/?)(?::(\w+))?`")
FILE: Final = re.compile(r"\.(?:py|md|toml|lock|html|js|css|yaml)$")
TEST: Final = re.compile(r"`(test_\w+)`")
LINK: Final = re.compile(r"\]\((?!\w+:)([^)#\s]*)(?:#([^)\s]+))?\)")
TARGET: Final = re.compile(r"(?:^ {4}|`)make ([a-z][a-z-]*)", re.MULTILINE)
CHINESE: Final = re.compile(r"[\u4e00-\u9fff]")

every_document = pytest.mark.parametrize(
    "document", DOCUMENTS, ids=lambda document: str(document.relative_to(ROOT))
)


class Named(NamedTuple):
    """A path in a document, and the name after its colon, if any."""

    path: str
    name: str


def named_in(text: str) -> list[Named]:
    return [Named(*found) for found in PATH.findall(text) if _is_path(found[0])]


def _is_path(text: str) -> bool:
    if text in NOT_OURS:
        return False
    if FILE.search(text) or text.endswith("/"):
        return True
    return "/" in text and (ROOT / text.partition("/")[0]).exists()


def places_of(path: str) -> list[Path]:
    """The files with this path, relative to the root or to an app."""
    found = [ROOT / path, *(ROOT / app / path for app in APPS)]
    return [place for place in found if place.exists()]


@cache
def names_defined_in(file: Path) -> frozenset[str]:
    """The functions, methods, classes and assigned names in a module."""
    found = set()
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            found.add(node.name)
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            found.add(node.id)
    return frozenset(found)


@cache
def functions_of_tests() -> frozenset[str]:
    sources = (file.read_text(encoding="utf-8") for file in (ROOT / "tests").rglob("test_*.py"))
    return frozenset(name for source in sources for name in re.findall(r"def (test_\w+)\(", source))


def slugs_of(document: Path) -> set[str]:
    """The anchors of the headings, as GitHub generates them."""
    headings = re.findall(r"^#+ +(.+)$", document.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


def terms_of_the_glossary() -> Iterator[str]:
    for line in (ROOT / "docs/developers/glossary.md").read_text(encoding="utf-8").splitlines():
        cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
        if len(cells) == 3 and cells[2] != "中文":
            yield from (term for term in cells[2].split(", ") if CHINESE.search(term))


@every_document
def test_every_named_file_exists(document: Path) -> None:
    named = named_in(document.read_text(encoding="utf-8"))
    assert [one.path for one in named if not places_of(one.path)] == []


@every_document
def test_every_name_in_a_file_exists(document: Path) -> None:
    named = [one for one in named_in(document.read_text(encoding="utf-8")) if one.name]
    missing = [
        one
        for one in named
        if not any(one.name in names_defined_in(place) for place in places_of(one.path))
    ]
    assert missing == []


@every_document
def test_every_named_test_exists(document: Path) -> None:
    named = set(TEST.findall(document.read_text(encoding="utf-8"))) - EXAMPLES
    assert named - functions_of_tests() == set()


@every_document
def test_every_link_leads_somewhere(document: Path) -> None:
    for target, anchor in LINK.findall(document.read_text(encoding="utf-8")):
        place = (document.parent / target).resolve() if target else document
        assert place.exists(), target
        assert not anchor or anchor in slugs_of(place), f"{target}#{anchor}"


@every_document
def test_every_named_make_target_exists(document: Path) -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z][a-z-]*):", makefile, re.MULTILINE))
    assert set(TARGET.findall(document.read_text(encoding="utf-8"))) - targets == set()


def test_index_of_decisions_lists_each_once() -> None:
    folder = ROOT / "docs/developers/adr"
    records = sorted(file.name for file in folder.glob("[0-9]*.md"))
    assert re.findall(r"\]\((\d{4}-[\w-]+\.md)\)", (folder / "README.md").read_text()) == records
    numbers = [name.partition("-")[0] for name in records]
    assert numbers == [f"{number:04}" for number in range(1, len(records) + 1)]


def test_architecture_answers_thirty_questions() -> None:
    text = (ROOT / "docs/developers/architecture.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| (\d+) \|", text.partition("## Thirty questions")[2], re.MULTILINE)
    assert rows == [str(number) for number in range(1, 31)]


def test_chinese_terms_of_the_glossary_match_the_portal() -> None:
    catalogue = polib.pofile(str(ROOT / "locale/zh_Hans/LC_MESSAGES/django.po"))
    texts = "\n".join(
        text for entry in catalogue for text in (entry.msgstr, *entry.msgstr_plural.values())
    )
    terms = list(terms_of_the_glossary())
    assert len(terms) > 50
    assert [term for term in terms if term not in texts] == []


def test_every_kind_of_fault_names_its_test() -> None:
    rows = [
        line.strip("|").split("|")
        for line in (ROOT / "docs/developers/faults.md").read_text(encoding="utf-8").splitlines()
        if line.startswith("| ") and not line.startswith("| fault |")
    ]
    assert len(rows) > 50
    assert [row[0].strip() for row in rows if len(row) != 4] == []
    assert [row[0].strip() for row in rows if not TEST.findall(row[-1])] == []
