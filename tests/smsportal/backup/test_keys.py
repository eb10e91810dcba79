"""The keys in a backup: their check values, and the keys themselves only encrypted."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography.fernet import Fernet
from pytest_django import Settings

from core import key_checks
from smsportal.backup import BackupError, keys
from smsportal.configuration.env_file import read_env_file

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
OLD, NEW = Fernet.generate_key().decode(), Fernet.generate_key().decode()


@pytest.fixture(autouse=True)
def own_settings(settings: Settings, tmp_path: Path) -> None:
    settings.DATA_DIR = tmp_path
    settings.SECRET_KEY = "the secret key of this test"
    settings.SECRETS_KEYS = [OLD]


def test_digests_are_the_check_values_that_the_database_knows() -> None:
    found = keys.digests(keys.current())
    assert found == key_checks.configured()
    assert OLD[:6] not in str(found)


def test_keys_that_were_rotated_fit_and_belong_to_the_same_portal() -> None:
    before = keys.digests({"SECRET_KEY": "a", "SECRETS_KEYS": OLD})
    after = keys.digests({"SECRET_KEY": "a", "SECRETS_KEYS": f"{NEW},{OLD}"})
    assert list(keys.misfits(before, after)) == []
    assert keys.share_a_key(before, after)


def test_lost_key_does_not_fit_and_is_named_by_its_digest() -> None:
    backup = keys.digests({"SECRETS_KEYS": OLD})
    (sentence,) = keys.misfits(backup, keys.digests({"SECRETS_KEYS": NEW}))
    assert sentence.startswith("SECRETS_KEYS is another")
    assert f"the backup has {key_checks.short(backup['SECRETS_KEYS'][0])}, here is " in sentence
    assert OLD not in sentence
    assert not keys.share_a_key(backup, keys.digests({"SECRETS_KEYS": NEW}))


def test_packed_keys_open_with_the_passphrase_only(tmp_path: Path) -> None:
    file = tmp_path / "keys.enc"
    file.write_bytes(b"".join(keys.pack("a long passphrase")))
    assert OLD.encode() not in file.read_bytes()
    assert keys.unpack(file, "a long passphrase") == keys.current()
    with pytest.raises(BackupError, match="passphrase is wrong"):
        keys.unpack(file, "another passphrase")


@pytest.mark.parametrize(
    "secret",
    ["plain-1", 'it\'s "quoted" # and $x \\ odd', "'quoted'", '"', "\\", r"a\nb\\t", " blanks "],
)
def test_installed_file_is_read_as_the_same_keys(
    secret: str, tmp_path: Path, settings: Settings
) -> None:
    wanted = {"SECRET_KEY": secret, "SECRETS_KEYS": f"{NEW},{OLD}"}
    assert keys.install(wanted, NOW) is None
    file = tmp_path / "keys.env"
    assert file.stat().st_mode & 0o777 == 0o600
    found = read_env_file(file)
    assert {name: entry.value for name, entry in found.entries.items()} == wanted
    assert found.problems == []
    assert settings.SECRETS_KEYS == [NEW, OLD]


def test_former_file_is_kept_and_can_be_put_back(tmp_path: Path) -> None:
    file = tmp_path / "keys.env"
    file.write_text(f"SECRETS_KEYS={OLD}\n")
    kept = keys.install({"SECRETS_KEYS": NEW}, NOW)
    assert kept == tmp_path / "keys.env.before-restore-20260102T030405Z"
    assert OLD in kept.read_text()
    keys.undo(kept, installed=True)
    assert OLD in file.read_text()


def test_key_with_a_line_break_is_not_written(tmp_path: Path) -> None:
    with pytest.raises(BackupError, match="cannot be written"):
        keys.install({"SECRET_KEY": "two\nlines"}, NOW)
    assert os.listdir(tmp_path) == []


def test_other_keys_in_the_environment_are_refused_because_they_win(tmp_path: Path) -> None:
    with pytest.raises(BackupError, match="set in the environment"):
        keys.refuse_if_fixed_elsewhere({"SECRETS_KEYS": NEW})
    (tmp_path / "keys.env").write_text(
        f"SECRET_KEY=the secret key of this test\nSECRETS_KEYS={OLD}\n"
    )
    keys.refuse_if_fixed_elsewhere({"SECRETS_KEYS": NEW})


def test_place_of_the_keys_is_named(tmp_path: Path) -> None:
    assert keys.where() == "the environment or .env"
    (tmp_path / "keys.env").write_text(f"SECRETS_KEYS={OLD}\n")
    assert keys.where() == str(tmp_path / "keys.env")
