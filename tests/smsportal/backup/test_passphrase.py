"""Where the passphrase comes from."""

from __future__ import annotations

from pathlib import Path

import pytest
from pytest_django import Settings

from smsportal.backup import BackupError, passphrase


@pytest.fixture(autouse=True)
def no_settings(settings: Settings) -> None:
    settings.BACKUP_PASSPHRASE = settings.BACKUP_PASSPHRASE_FILE = ""


def test_named_file_comes_before_the_file_and_the_word_of_the_settings(
    tmp_path: Path, settings: Settings
) -> None:
    assert passphrase.configured() == ""
    settings.BACKUP_PASSPHRASE = "of the environment"
    assert passphrase.configured() == "of the environment"
    settings.BACKUP_PASSPHRASE_FILE = str(tmp_path / "one")
    (tmp_path / "one").write_text("of the setting\n")
    assert passphrase.configured() == "of the setting"
    (tmp_path / "two").write_text(" of the option \r\n")
    assert passphrase.configured(str(tmp_path / "two")) == " of the option "


@pytest.mark.parametrize("content", [b"", b"\n", b"\xff\xfe"])
def test_empty_or_unreadable_file_is_one_sentence_and_not_no_passphrase(
    tmp_path: Path, content: bytes
) -> None:
    file = tmp_path / "passphrase"
    file.write_bytes(content)
    with pytest.raises(BackupError):
        passphrase.configured(str(file))


def test_short_passphrase_is_refused_for_a_new_backup() -> None:
    passphrase.require_strong("")
    passphrase.require_strong("twelve chars")
    with pytest.raises(BackupError, match="12 characters"):
        passphrase.require_strong("eleven char")
