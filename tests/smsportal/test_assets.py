"""Static files are collected when they changed, and otherwise left alone; what the theme loads
on every page and nothing here uses is replaced by next to nothing."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.contrib.staticfiles import finders
from pytest_django import Settings

from smsportal.assets import collect
from smsportal.environment import BASE_DIR

STAND_INS = BASE_DIR / "static" / "unfold"


@pytest.fixture
def sources(tmp_path: Path, settings: Settings) -> Path:
    """A single folder with a single file, and a place to collect it in."""
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


def test_a_changed_file_is_collected_again_and_a_removed_one_is_gone(
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
    [f"unfold/{file.relative_to(STAND_INS)}" for file in STAND_INS.rglob("*") if file.is_file()],
)
def test_a_stand_in_is_served_instead_of_a_file_of_the_theme(path: str) -> None:
    ours, theirs = map(Path, finders.find(path, find_all=True))
    assert ours.is_relative_to(STAND_INS)
    assert ours.stat().st_size * 3 < theirs.stat().st_size
