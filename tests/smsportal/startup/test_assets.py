"""Static files are collected only after a change, and those of the version before stay.

Small replacements are served instead of files that the theme loads on every page and the portal
does not use.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from django.contrib.staticfiles import finders
from pytest_django import Settings

from smsportal.configuration.environment import BASE_DIR
from smsportal.startup.assets import collect

HASHED = "whitenoise.storage.CompressedManifestStaticFilesStorage"
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
    settings.STORAGES = {**settings.STORAGES, "staticfiles": {"BACKEND": HASHED}}
    return sources


def collected(folder: Path) -> dict[str, str]:
    """The style sheets in the folder of collected files, by name without digest."""
    sheets = sorted((folder / "collected").glob("*.css"))
    return {sheet.name.partition(".")[0]: sheet.read_text() for sheet in sheets}


def change(sources: Path, **contents: str) -> None:
    """Let the sources be these style sheets alone."""
    for sheet in sources.iterdir():
        sheet.unlink()
    for name, text in contents.items():
        (sources / f"{name}.css").write_text(text)


def test_files_are_collected_once(sources: Path, tmp_path: Path) -> None:
    assert collect()
    assert collected(tmp_path) == {"portal": "a {}"}
    assert not collect()


def test_changed_files_are_collected_again(sources: Path, tmp_path: Path) -> None:
    collect()
    change(sources, new="b {}")
    assert collect()
    assert collected(tmp_path)["new"] == "b {}"


def test_files_of_the_version_before_stay_and_older_ones_are_deleted(
    sources: Path, tmp_path: Path
) -> None:
    collect()
    change(sources, second="b {}" + 999 * " ")
    collect()
    assert set(collected(tmp_path)) == {"portal", "second"}
    (sources / "second.css").touch()
    assert collect(), "another installation of the same version"
    assert set(collected(tmp_path)) == {"portal", "second"}
    change(sources, third="c {}")
    collect()
    assert set(collected(tmp_path)) == {"second", "third"}
    compressed = {path.name.partition(".")[0] for path in (tmp_path / "collected").glob("*.br")}
    assert compressed == {"second"}


def test_a_folder_that_was_not_collected_before_keeps_its_files(
    sources: Path, tmp_path: Path
) -> None:
    (tmp_path / "collected").mkdir()
    (tmp_path / "collected" / "other.css").write_text("x {}")
    collect()
    assert set(collected(tmp_path)) == {"other", "portal"}


@pytest.mark.parametrize(
    "path",
    [
        f"unfold/{file.relative_to(REPLACEMENTS)}"
        for file in REPLACEMENTS.rglob("*")
        # tests/tools/test_fonts.py is about the fonts.
        if file.is_file() and "fonts" not in file.parts
    ],
)
def test_replacement_is_served_instead_of_the_theme_file(path: str) -> None:
    replacement, original = map(Path, finders.find(path, find_all=True))
    assert replacement.is_relative_to(REPLACEMENTS)
    assert replacement.stat().st_size * 3 < original.stat().st_size
