"""Static files are collected only after a change. Small replacements are served instead of files
that the theme loads on every page and the portal does not use."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.contrib.staticfiles import finders
from pytest_django import Settings

from smsportal.assets import collect
from smsportal.environment import BASE_DIR

REPLACEMENTS = BASE_DIR / "static" / "unfold"


@pytest.fixture
def sources(tmp_path: Path, settings: Settings) -> Path:
    """A source folder with one file, and a folder to collect into."""
    sources = tmp_path / "sources"
    sources.mkdir()
    (sources / "portal.css").write_text("a {}")
    settings.STATICFILES_DIRS = [sources]
    settings.STATICFILES_FINDERS = ["django.contrib.staticfiles.finders.FileSystemFinder"]
    settings.STATIC_ROOT = str(tmp_path / "collected")
    return sources


def test_files_are_collected_once(sources: Path, tmp_path: Path) -> None:
    assert collect()
    assert (tmp_path / "collected" / "portal.css").read_text() == "a {}"
    assert not collect()


def test_changed_files_are_collected_again_and_removed_ones_deleted(
    sources: Path, tmp_path: Path
) -> None:
    collect()
    (sources / "portal.css").unlink()
    (sources / "new.css").write_text("b {}")
    assert collect()
    assert (tmp_path / "collected" / "new.css").exists()
    assert not (tmp_path / "collected" / "portal.css").exists()


@pytest.mark.parametrize(
    "path",
    [
        f"unfold/{file.relative_to(REPLACEMENTS)}"
        for file in REPLACEMENTS.rglob("*")
        if file.is_file()
    ],
)
def test_replacement_is_served_instead_of_the_theme_file(path: str) -> None:
    replacement, original = map(Path, finders.find(path, find_all=True))
    assert replacement.is_relative_to(REPLACEMENTS)
    assert replacement.stat().st_size * 3 < original.stat().st_size
