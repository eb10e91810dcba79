"""System checks of the settings of backups."""

from __future__ import annotations

from pathlib import Path

import pytest
from pytest_django import Settings

from smsportal.backup.checks import check_backups


def found() -> list[str]:
    return [message.id or "" for message in check_backups()]


@pytest.fixture(autouse=True)
def good(settings: Settings, tmp_path: Path) -> None:
    settings.BACKUP_DIR = str(tmp_path)
    settings.BACKUP_PASSPHRASE = settings.BACKUP_PASSPHRASE_FILE = ""


def test_writable_folder_and_one_that_can_be_made_pass(settings: Settings, tmp_path: Path) -> None:
    assert found() == []
    settings.BACKUP_DIR = str(tmp_path / "new" / "folder")
    assert found() == []
    settings.BACKUP_DIR = ""
    assert found() == []


def test_folder_below_a_file_is_a_warning(settings: Settings, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    settings.BACKUP_DIR = str(tmp_path / "file" / "folder")
    assert found() == ["smsportal.W071"]


def test_folder_that_is_not_writable_is_a_warning(monkeypatch: pytest.MonkeyPatch) -> None:
    # The tests may run as root, who may write everywhere.
    monkeypatch.setattr("os.access", lambda *_: False)
    assert found() == ["smsportal.W071"]


@pytest.mark.parametrize("text", ["", "late", "25:00", "02:30", "03:10+01:00"])
def test_time_that_is_none_or_may_not_exist_is_an_error(text: str, settings: Settings) -> None:
    settings.BACKUP_AT = text
    assert found() == ["smsportal.E070"]


def test_passphrase_that_no_backup_would_take_is_a_warning(
    settings: Settings, tmp_path: Path
) -> None:
    settings.BACKUP_PASSPHRASE = "short"
    assert found() == ["smsportal.W072"]
    settings.BACKUP_PASSPHRASE_FILE = str(tmp_path / "none")
    assert found() == ["smsportal.W072"]
