"""Which changes of source files `make dev` detects."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from smsportal.processes.source_files import SourceFiles


def write(path: Path, text: str = "") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    # Two writes within one tick of the file system's clock would have the same time.
    os.utime(path, ns=(0, path.stat().st_mtime_ns + len(text)))
    return path


def test_nothing_is_reported_without_a_change(tmp_path: Path) -> None:
    write(tmp_path / "app" / "models.py")
    files = SourceFiles(tmp_path)
    assert files.changed() == set()


@pytest.mark.parametrize("name", ["app/models.py", "templates/page.html", "locale/django.po"])
def test_changed_file_is_reported_once(tmp_path: Path, name: str) -> None:
    write(tmp_path / name)
    files = SourceFiles(tmp_path)
    changed = write(tmp_path / name, "changed")
    assert files.changed() == {changed}
    assert files.changed() == set()


def test_added_and_removed_files_are_reported(tmp_path: Path) -> None:
    gone = write(tmp_path / "app" / "gone.py")
    files = SourceFiles(tmp_path)
    gone.unlink()
    new = write(tmp_path / "app" / "new.py")
    assert files.changed() == {gone, new}


@pytest.mark.parametrize(
    "name", ["data/dev/x.py", ".venv/lib/x.py", "tests/test_x.py", "app/x.pyc", "app/db.sqlite3"]
)
def test_files_that_no_process_uses_are_ignored(tmp_path: Path, name: str) -> None:
    files = SourceFiles(tmp_path)
    write(tmp_path / name)
    assert files.changed() == set()
