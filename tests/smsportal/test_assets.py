"""Static files are collected when they changed, and otherwise left alone."""

from __future__ import annotations

from pathlib import Path

import pytest
from pytest_django import Settings

from smsportal.assets import collect


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
