"""The manifest of a backup."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from smsportal.backup import BackupError, manifest
from tests.smsportal.backup.test_store import publish


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / publish(tmp_path, 1)


def change(folder: Path, **changes: object) -> None:
    file = folder / manifest.FILE
    file.write_text(json.dumps({**json.loads(file.read_text()), **changes}))


def test_manifest_reads_back_as_written(folder: Path) -> None:
    found = manifest.read(folder)
    assert found.database_file == "database.dump"
    assert found.keys_file is None
    manifest.check_files(folder, found)


@pytest.mark.parametrize(
    "changes",
    [
        {"kind": "other"},
        {"files": {}},
        {"files": {"../database.x": {"size": 1, "sha256": "", "encrypted": False}}},
        {"files": {"database.x": {"size": 1}}},
        {"made_at": "yesterday"},
        {"surprise": 1},
    ],
)
def test_folder_with_another_manifest_is_no_backup(
    folder: Path, changes: dict[str, object]
) -> None:
    change(folder, **changes)
    with pytest.raises(BackupError, match="is no backup of the portal"):
        manifest.read(folder)


def test_cut_or_missing_manifest_is_no_backup(folder: Path) -> None:
    file = folder / manifest.FILE
    file.write_bytes(file.read_bytes()[:100])
    with pytest.raises(BackupError, match="is no backup of the portal"):
        manifest.read(folder)
    file.unlink()
    with pytest.raises(BackupError, match="is no backup of the portal"):
        manifest.read(folder)


def test_newer_format_and_unverified_backup_are_refused(folder: Path) -> None:
    change(folder, format=2)
    with pytest.raises(BackupError, match="newer version"):
        manifest.read(folder)
    change(folder, format=1, verified_at="")
    with pytest.raises(BackupError, match="never verified"):
        manifest.read(folder)


@pytest.mark.parametrize("content", [b"datA", b"data and more", b""])
def test_changed_file_is_refused(folder: Path, content: bytes) -> None:
    (folder / "database.dump").write_bytes(content)
    with pytest.raises(BackupError, match="not as it was when the backup was made"):
        manifest.check_files(folder, manifest.read(folder))


def test_missing_file_is_refused(folder: Path) -> None:
    (folder / "database.dump").unlink()
    with pytest.raises(BackupError, match="cannot be read"):
        manifest.check_files(folder, manifest.read(folder))


def test_backup_of_a_newer_version_is_refused_with_what_is_newer(folder: Path) -> None:
    made = replace(
        manifest.read(folder), version="0.0.1", migrations=["core.0001_acts_and_key_checks"]
    )
    manifest.refuse_newer(made)
    manifest.refuse_newer(replace(made, migrations=["former_app.0001_initial"]))
    with pytest.raises(BackupError, match=r"core\.0999_later"):
        manifest.refuse_newer(replace(made, migrations=["core.0999_later"]))
    with pytest.raises(BackupError, match=r"version 99\.0"):
        manifest.refuse_newer(replace(made, version="99.0"))
